import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import { type Connection, encodeEnvironment } from '@affidavit/evidence/record/environment-section'
import { encodeOutput, type OutputSection } from '@affidavit/evidence/record/output-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import type { ValueMarks } from '@affidavit/evidence/record/value-marks'
import type { Redactor } from '../redact/redactor.ts'
import type { Removal } from '../redact/removal.ts'
import type { CaptureContext } from './context.ts'
import { elide } from './elide.ts'
import { keepPart } from './input.ts'
import type { CapturedLine } from './line.ts'
import { type ContentBlock, type ScannedMessage, textOf } from './message.ts'
import { listRemovals } from './removals.ts'

/** A `completed` has a few kilobytes reserved in the spool; lists stay well below. */
const removalsMax = 16
/** A content type or a media type with its parameters, or nothing. */
const wordPattern = /^(?!.{129})(?:[\w.+-]+(?:\/[\w.+-]+)?(?:; ?[\w-]+=[\w.+-]+)*)?$/
const asRequested = { absent: 'as in the requested record' }

/**
 * Section `output` of a response: what came back, without values. At level `full` the redacted response too, and in
 * `environment` what was removed from it and the connections it came over.
 */
export function outputSections(
  context: CaptureContext,
  line: CapturedLine,
  message: ScannedMessage,
  values: ValueMarks | undefined,
): Sections {
  const outline = { ...outlineOf(context, message), ...(values === undefined ? {} : { values }) }
  const network = line.answer?.network
  if (context.level !== 'full') return { output: encodeOutput(outline), ...answerEnvironment(network) }
  const { text, removed } = keepResponse(context, line, message)
  return { output: encodeOutput({ ...outline, text }), ...answerEnvironment(network, removed) }
}

/** What is left of `output` where the record would not fit: that there was one. */
export function minimalOutput(context: CaptureContext, message: ScannedMessage): Sections {
  const { blocks, blocksOmitted, ...outline } = outlineOf(context, message)
  return { output: encodeOutput({ ...outline, blocks: [], blocksOmitted: blocks.length + blocksOmitted }) }
}

function outlineOf({ redactor }: CaptureContext, message: ScannedMessage): OutputSection {
  const { spans, blocks, blockCount, content } = message
  const structured = spans.get('result.structuredContent')
  const errorMessage = textOf(spans.get('error.message'))
  return {
    form: spans.has('error') ? 'error' : spans.has('result') ? 'result' : 'none',
    blocks: blocks.map((block) => keepBlock(redactor, block)),
    blocksOmitted: blockCount - blocks.length,
    ...(structured === undefined ? {} : { structuredBytes: structured.end - structured.start }),
    ...(content === undefined || content.rows === 0 ? {} : { rows: content.rows }),
    ...(content === undefined || content.tags.length === 0
      ? {}
      : { seen: { tags: content.tags, lookedAtBytes: content.lookedAtBytes } }),
    ...(errorMessage === undefined ? {} : { errorMessageBytes: Buffer.byteLength(errorMessage) }),
  }
}

/** Servers choose these words too, and might put anything there. */
export function keepBlock(redactor: Redactor, { type, bytes, mimeType }: ContentBlock): ContentBlock {
  const keep = (word: string) => (wordPattern.test(word) ? clipText(redactor.redactText(word).text) : 'other')
  return { type: keep(type), bytes, ...(mimeType === undefined ? {} : { mimeType: keep(mimeType) }) }
}

function keepResponse(
  context: CaptureContext,
  line: CapturedLine,
  message: ScannedMessage,
): { text: string; removed: Removal[] } {
  const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const { start, end } = message
  const kept = keepPart(context, line, message, { start, end, path: '/result/requestState' })
  // It streamed past us; what is not in memory any more is described, not kept.
  if (kept === undefined) return { text: decode(encodeCanonical(elide('not_held', end - start))), removed: [] }
  return { text: decode(kept.text), removed: kept.removed }
}

/** What the `requested` record could not have: none of it, no section. */
export function answerEnvironment(network: Connection[] | undefined, removed: Removal[] = []): Sections {
  if (network === undefined && removed.length === 0) return {}
  const environment = encodeEnvironment({
    host: asRequested,
    processes: asRequested,
    network: network ?? asRequested,
    ids: {},
    ...listRemovals(removed, removalsMax),
  })
  return { environment }
}
