import { encodeShape, parseCanonical } from './canonical.ts'
import { keyedDigest } from './digest.ts'
import type { KeyedDigest } from './header.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { text } from './text.ts'
import { type ValueMarks, valueMarksShape } from './value-marks.ts'

/** One block of a result's `content`. */
export interface OutputBlock {
  /** As the server wrote it: `text`, `image`, `resource_link`, … */
  type: string
  /** Of the block's JSON text. */
  bytes: number
  mimeType?: string
}

/** What came back, without values unless the level is `full`. Belongs to `completed`. */
export interface OutputSection {
  form: 'result' | 'error' | 'none'
  /** Of the whole response's bytes as received. */
  digest?: KeyedDigest
  /** The first 64 blocks. */
  blocks: OutputBlock[]
  blocksOmitted: number
  /** Bytes of `structuredContent`'s JSON text, where there is one. */
  structuredBytes?: number
  /** Elements of the longest list in it, where there is one: rows of a table, hits of a search. */
  rows?: number
  /** What detectors saw in the result: heuristics over so many of its bytes, nothing proven. Absent where they saw nothing. */
  seen?: { tags: string[]; lookedAtBytes: number }
  /** Of the values in it, where its data is sensitive enough to be followed. */
  values?: ValueMarks
  /** Bytes of `error.message`, where there is one. */
  errorMessageBytes?: number
  /** At level `full`: the redacted response as JSON text, spliced from the original bytes. */
  text?: string
}

/** At level `full` an output of this many bytes is elided as a whole. */
export const outputTextBytesMax = 1 << 25

export const outputShape = object({
  form: oneOf(['result', 'error', 'none']),
  digest: optional(keyedDigest),
  blocks: listOf(object({ type: text(256, 0), bytes: integer(), mimeType: optional(text(256, 0)) }), 64),
  blocksOmitted: integer(),
  structuredBytes: optional(integer()),
  rows: optional(integer()),
  seen: optional(object({ tags: listOf(text(64), 16), lookedAtBytes: integer() })),
  values: optional(valueMarksShape),
  errorMessageBytes: optional(integer()),
  text: optional(text(outputTextBytesMax, 0)),
})

// JSON text has no raw control characters, so escaping it once more at most doubles it.
const bytesMax = 2 * outputTextBytesMax + (1 << 20)

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseOutput(bytes: Uint8Array): OutputSection {
  return parseCanonical(bytes, bytesMax, outputShape) as OutputSection
}

/** Throws RecordError where parseOutput would refuse the bytes. */
export function encodeOutput(section: OutputSection): Uint8Array {
  return encodeShape(section, outputShape, bytesMax)
}
