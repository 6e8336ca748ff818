import { type Absent, orAbsent } from './absent.ts'
import { encodeShape, parseCanonical } from './canonical.ts'
import { hash } from './digest.ts'
import type { Hash, Uuid } from './header.ts'
import { uuidV7 } from './id.ts'
import { type Assurance, assurances } from './kinds.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { code, shortText, text } from './text.ts'

export const verdicts = ['permit', 'forbid', 'inapplicable', 'error'] as const

/** One policy that was evaluated, and what it said. */
export interface PolicyVerdict {
  id: string
  version?: string
  /** SHA-256 of the policy's text. */
  definition?: Hash
  verdict: (typeof verdicts)[number]
  reason?: string
}

/** A condition with the values it saw. */
export interface Condition {
  policy: string
  condition: string
  /** Redacted. */
  value: string
  /** Whether it lets its policy apply, also where it is an exception that must not hold. */
  result: 'holds' | 'fails' | 'error'
}

/** What became of the approval that policies ask for. */
export interface ApprovalRef {
  /** `required`: somebody has to approve it first. `would_be_required`: the mode is observe, and nobody was asked. */
  state: 'granted' | 'required' | 'denied' | 'would_be_required'
  /** Absent where nobody could be asked. */
  id?: Uuid
  /** Who approved, or denied. */
  approver?: { id: string; assurance: Assurance; method: string; issuer?: string }
  /** Why an approval that is there did not count, or nobody could be asked. */
  problem?: string
}

/** Why the header's `decision` is what it is. */
export interface DecisionSection {
  /** The decision point, with its version. */
  engine: { name: string; version: string } | Absent
  /** The policies in force: SHA-256 over their texts, and the version under which they were published, where they were. */
  policySet?: { hash: Hash; version?: string }
  /** Those that applied, the determining ones first; the first 64. */
  policies: PolicyVerdict[]
  /** How many more applied. */
  policiesOmitted?: number
  /** Ids of the policies that made the decision what it is. None: what no policy permits is denied. */
  determining?: string[]
  conditions: Condition[]
  obligations: string[]
  /** Where all that forbids it asks for an approval. */
  approval?: ApprovalRef
  /** Why the request could not be judged, or not whole. */
  problem?: string
  /** For people. */
  rationale: string
}

export const decisionShape = object({
  engine: orAbsent(object({ name: shortText, version: shortText })),
  policySet: optional(object({ hash, version: optional(shortText) })),
  policies: listOf(
    object({
      id: shortText,
      version: optional(shortText),
      definition: optional(hash),
      verdict: oneOf(verdicts),
      reason: optional(text(1_024)),
    }),
    64,
  ),
  policiesOmitted: optional(integer()),
  determining: optional(listOf(shortText, 64)),
  conditions: listOf(
    object({
      policy: shortText,
      condition: text(1_024),
      value: text(1_024, 0),
      result: oneOf(['holds', 'fails', 'error']),
    }),
    256,
  ),
  obligations: listOf(shortText, 32),
  approval: optional(
    object({
      state: oneOf(['granted', 'required', 'denied', 'would_be_required']),
      id: optional(uuidV7),
      approver: optional(
        object({ id: shortText, assurance: oneOf(assurances), method: shortText, issuer: optional(shortText) }),
      ),
      problem: optional(code),
    }),
  ),
  problem: optional(code),
  rationale: text(4_096),
})

const bytesMax = 1 << 23

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseDecision(bytes: Uint8Array): DecisionSection {
  return parseCanonical(bytes, bytesMax, decisionShape) as DecisionSection
}

/** Throws RecordError where parseDecision would refuse the bytes. */
export function encodeDecision(section: DecisionSection): Uint8Array {
  return encodeShape(section, decisionShape, bytesMax)
}
