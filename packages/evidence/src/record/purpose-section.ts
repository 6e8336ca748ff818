import { type Absent, orAbsent } from './absent.ts'
import { encodeShape, parseCanonical } from './canonical.ts'
import { listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'

/**
 * `task`: what the agent was set to do. `intent`: what its user wants. `reason`: why it makes this very call. `turn`: the id
 * of the turn of the conversation in which it does.
 */
export const purposeKinds = ['task', 'intent', 'reason', 'turn'] as const

/** One thing that a client declares of a call. */
export interface PurposeStatement {
  kind: (typeof purposeKinds)[number]
  /** At most 4,096 bytes; clipped beyond (clipText). */
  statement: string
  /** Where it was read, e.g. `_meta.affidavit/task`. */
  source: string
}

/** What the call is said to be for. Nobody can check it, so it is always `claimed`. */
export interface Purpose extends PurposeStatement {
  assurance: 'claimed'
  /** What else is declared, one statement of each other kind at most. */
  more?: PurposeStatement[]
}

export type PurposeSection = Purpose | Absent

const statement = { kind: oneOf(purposeKinds), statement: text(4_096), source: shortText }

export const purposeShape = orAbsent(
  object({
    ...statement,
    assurance: oneOf(['claimed']),
    more: optional(listOf(object(statement), purposeKinds.length - 1)),
  }),
)

/** Four statements whose every byte is written as an escape. */
const bytesMax = 1 << 17

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parsePurpose(bytes: Uint8Array): PurposeSection {
  return parseCanonical(bytes, bytesMax, purposeShape) as PurposeSection
}

/** Throws RecordError where parsePurpose would refuse the bytes. */
export function encodePurpose(section: PurposeSection): Uint8Array {
  return encodeShape(section, purposeShape, bytesMax)
}

/** Everything that is declared, the first statement first. */
export function statementsOf({ kind, statement, source, more = [] }: Purpose): PurposeStatement[] {
  return [{ kind, statement, source }, ...more]
}
