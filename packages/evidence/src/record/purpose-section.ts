import { type Absent, orAbsent } from './absent.ts'
import { encodeShape, parseCanonical } from './canonical.ts'
import { object, oneOf } from './shape.ts'
import { shortText, text } from './text.ts'

/** What the call is said to be for. Nobody can check it, so it is always `claimed`. */
export interface Purpose {
  kind: 'task' | 'intent'
  /** At most 4,096 bytes; clipped beyond (clipText). */
  statement: string
  assurance: 'claimed'
  /** Where it was read, e.g. `_meta`. */
  source: string
}

export type PurposeSection = Purpose | Absent

export const purposeShape = orAbsent(
  object({ kind: oneOf(['task', 'intent']), statement: text(4_096), assurance: oneOf(['claimed']), source: shortText }),
)

const bytesMax = 1 << 16

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parsePurpose(bytes: Uint8Array): PurposeSection {
  return parseCanonical(bytes, bytesMax, purposeShape) as PurposeSection
}

/** Throws RecordError where parsePurpose would refuse the bytes. */
export function encodePurpose(section: PurposeSection): Uint8Array {
  return encodeShape(section, purposeShape, bytesMax)
}
