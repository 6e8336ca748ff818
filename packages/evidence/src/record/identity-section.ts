import { type Absent, orAbsent } from './absent.ts'
import { encodeShape, parseCanonical } from './canonical.ts'
import { hash, keyedDigest } from './digest.ts'
import type { Hash, KeyedDigest, Timestamp } from './header.ts'
import { type Assurance, assurances } from './kinds.ts'
import { type Lineage, lineage } from './lineage.ts'
import { integer, listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'
import { timestamp } from './timestamp.ts'

/** How far an identity may be believed, by what, and where it came from. What is claimed is never shown as verified. */
export interface Grounds {
  assurance: Assurance
  /** How it was established, e.g. `client-info`, `peer-credentials`, `jwt`, `mtls`. */
  method: string
  /** Where it was read, e.g. `initialize.clientInfo`, `/proc`. */
  source: string
  /** Why the assurance is not higher. */
  reason?: string
}

/** Somebody or something that acts. Text of at most 256 bytes each; what is longer is clipped (clipText). */
export interface Actor extends Grounds {
  id: string
  kind?: (typeof actorKinds)[number]
  name?: string
  version?: string
  /** Who vouches for the id: issuer of a token, trust domain of an SVID. */
  issuer?: string
  /** The kernel's user id. */
  uid?: number
  /** SHA-256 of the executable's bytes. */
  executable?: Hash
  /** What else is known of it under the same grounds: `repository` and `run_id` of a CI job, `pod` of a workload. At most 32. */
  attributes?: Attribute[]
}

/** `name` at most 64 bytes, `value` at most 256 (clipText). */
export interface Attribute {
  name: string
  value: string
}

export const actorKinds = ['person', 'agent', 'workload', 'job', 'role'] as const

/**
 * A token is never stored: its digest meets other uses of the same token, its fingerprint is what others print of it. Claims
 * are kept as it made them; how far they may be believed, its grounds say.
 */
export interface TokenRef extends Grounds {
  digest: KeyedDigest
  /** SHA-256 of the token as it was sent. Absent where it is short enough to be guessed. */
  fingerprint?: Hash
  issuer?: string
  subject?: string
  audience?: string
  clientId?: string
  /** The `jti` claim, or what else its issuer numbers it by. */
  tokenId?: string
  expires?: Timestamp
}

export interface IdentitySection {
  /** The agent as MCP names it (`clientInfo`). */
  agent: Actor | Absent
  /** The process that runs the agent. */
  workload: Actor | Absent
  /** On whose behalf. */
  user: Actor | Absent
  role: Actor | Absent
  token: TokenRef | Absent
  /** From the initiator (for example a CI job) to the one that calls, at most 32. */
  delegation: Actor[]
  /** On stdio: the processes that led to the sensor, the first of which is the workload. Absent where nobody looked. */
  lineage?: Lineage | Absent
}

const grounds = {
  assurance: oneOf(assurances),
  method: shortText,
  source: shortText,
  reason: optional(shortText),
}

const actor = object({
  ...grounds,
  id: shortText,
  kind: optional(oneOf(actorKinds)),
  name: optional(text(256, 0)),
  version: optional(text(256, 0)),
  issuer: optional(shortText),
  uid: optional(integer()),
  executable: optional(hash),
  attributes: optional(listOf(object({ name: text(64), value: shortText }), 32)),
})

const token = object({
  ...grounds,
  digest: keyedDigest,
  fingerprint: optional(hash),
  issuer: optional(shortText),
  subject: optional(shortText),
  audience: optional(shortText),
  clientId: optional(shortText),
  tokenId: optional(shortText),
  expires: optional(timestamp),
})

export const identityShape = object({
  agent: orAbsent(actor),
  workload: orAbsent(actor),
  user: orAbsent(actor),
  role: orAbsent(actor),
  token: orAbsent(token),
  delegation: listOf(actor, 32),
  lineage: optional(orAbsent(lineage)),
})

const bytesMax = 1 << 20

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseIdentity(bytes: Uint8Array): IdentitySection {
  return parseCanonical(bytes, bytesMax, identityShape) as IdentitySection
}

/** Throws RecordError where parseIdentity would refuse the bytes. */
export function encodeIdentity(section: IdentitySection): Uint8Array {
  return encodeShape(section, identityShape, bytesMax)
}
