import { keyedDigest } from './digest.ts'
import type { KeyedDigest, Timestamp } from './header.ts'
import { flaw, type JsonObject, object, oneOf, optional, ruled } from './shape.ts'
import { shortText } from './text.ts'
import { timestamp } from './timestamp.ts'

/** What a signal may be about. `session` goes by the session's id as records have it, `server` by its configured name. */
export const riskKinds = ['agent', 'user', 'workload', 'initiator', 'session', 'server'] as const
/** From the lowest to the highest. */
export const riskLevels = ['low', 'medium', 'high', 'critical'] as const

export type RiskKind = (typeof riskKinds)[number]
export type RiskLevel = (typeof riskLevels)[number]

/** Somebody or something is thought to be a risk for a while, by whoever publishes the control feed. */
export type RiskSignal = {
  kind: RiskKind
  level: RiskLevel
  until: Timestamp
  /** For policies and people; whoever can read the feed reads it. */
  reason?: string
} & (
  | { id: string; digest?: never }
  | { id?: never /** Of the id, so that the feed names nobody. */; digest: KeyedDigest }
)

export const riskSignal = ruled(
  object({
    kind: oneOf(riskKinds),
    id: optional(shortText),
    digest: optional(keyedDigest),
    level: oneOf(riskLevels),
    until: timestamp,
    reason: optional(shortText),
  }),
  (value: JsonObject) =>
    Object.hasOwn(value, 'id') === Object.hasOwn(value, 'digest')
      ? flaw('bad_value', 'id', 'exactly one of id and digest')
      : undefined,
)
