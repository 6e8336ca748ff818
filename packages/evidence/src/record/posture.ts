import type { Timestamp } from './header.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'
import { timestamp } from './timestamp.ts'

/** What a configured source said of the machine's state, redacted. Claimed: nobody here checked it. */
export interface Posture {
  /** The kind of source: `file`, `command` or `http`. */
  source: string
  /** `stale`: older than was configured to be believed. */
  state: 'fresh' | 'stale'
  takenAt: Timestamp
  /** When the record was made. */
  ageMs: number
  /** At most 64; of nested objects the names are joined by dots. */
  signals: Signal[]
  omitted: number
  /** Why the source gave nothing newer when it was asked last. */
  failure?: string
}

/** Text as it is; everything else as JSON. At most 256 bytes (clipText). */
export interface Signal {
  name: string
  value: string
}

export const signalsMax = 64

export const posture = object({
  source: shortText,
  state: oneOf(['fresh', 'stale']),
  takenAt: timestamp,
  ageMs: integer(),
  signals: listOf(object({ name: shortText, value: text(256, 0) }), signalsMax),
  omitted: integer(),
  failure: optional(shortText),
})
