import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import type { Classification } from '@affidavit/evidence/record/header'
import type { Disposition } from '@affidavit/evidence/record/kinds'
import type { RiskSeen } from './risk.ts'
import type { SessionCounts } from './session-counters.ts'

/** What the decision point is asked: one request of a client's, before it goes on. */
export interface PolicyRequest {
  /** As the message names it; a client may write anything here. */
  method: string
  /** Whether a revision of the protocol defines the method. */
  isKnownMethod: boolean
  /** `read`, `write`, `destructive`, `external-send` or `unknown`, as the operator's catalogue has it: never a claim of the server's. */
  effect: string
  /** As configured. */
  server: string
  /** What is asked of the server: a tool by its name, a resource by its URI, a prompt by its name. */
  target: { type: 'Tool' | 'Resource' | 'Prompt'; name: string; isListed: boolean } | undefined
  /** Section `identity` as it is recorded. The same bytes for the same actors: what is made of them is kept with them. */
  identity: Uint8Array
  classification: Classification
  /** Section `resources` as it is recorded, where there is one. */
  resources: Uint8Array | undefined
  /** JSON text of the arguments, as it came. Only ever in memory. */
  arguments: Uint8Array | undefined
  /** Why the arguments are not there although the request has some. */
  argumentsMissing?: 'too_large'
  /** Milliseconds since 1970. */
  timeMs: number
  /** Of the session before this call; undefined where nothing says which session it is. */
  session: SessionCounts | undefined
  /** What the configured source said last of the machine's state; undefined where there is none, or it has said nothing. */
  posture?: PostureSeen | undefined
  /** What the control feed says of those involved; undefined where it says nothing. */
  risk?: RiskSeen | undefined
}

export interface PostureSeen {
  source: string
  state: 'fresh' | 'stale'
  ageMs: number
  /** Why the source gave nothing newer. */
  failure?: string | undefined
  /** Redacted. The same object while it is the same answer: what is made of it is kept with it. */
  signals: Readonly<Record<string, unknown>>
}

export type Mode = 'observe' | 'enforce'
/** What becomes of a call that could not be judged. */
export type OnError = 'deny' | 'permit'

/** What was decided, and why. */
export interface Ruling {
  disposition: Disposition
  /** For the one who is refused: names policies, quotes no values. */
  reason: string
  section: DecisionSection
  /** Ids of the policies that forbid it: there is nothing else against it, and all of them ask for an approval. */
  asksApproval?: readonly string[]
}

/** How values may be written down. */
export interface ValuePrivacy {
  /** Takes out of JSON text what must not be kept. */
  redact: (json: Uint8Array) => Uint8Array
  /** False at level `metadata`: then no value of the client's is kept. */
  keepsValues: boolean
}

/** Decides. Never throws and never rejects: what goes wrong is part of the ruling. */
export interface DecisionPoint {
  decide(request: PolicyRequest, privacy: ValuePrivacy): Ruling | Promise<Ruling>
}
