import { encodeShape, parseCanonical } from '../record/canonical.ts'
import { hash, keyedDigest } from '../record/digest.ts'
import type { Hash, KeyedDigest, Timestamp, Uuid } from '../record/header.ts'
import { uuidV7 } from '../record/id.ts'
import { type Assurance, assurances } from '../record/kinds.ts'
import { integer, listOf, object, oneOf, optional } from '../record/shape.ts'
import { shortText, text } from '../record/text.ts'
import { timestamp } from '../record/timestamp.ts'
import { withDomain } from './signed-line.ts'

/** What somebody is asked to approve: one call, as the sensor that refused it saw it. Holds nothing that redaction matched. */
export interface ApprovalRequest {
  v: 1
  id: Uuid
  /** The call that was refused. */
  callId: Uuid
  requested: Timestamp
  /** Until when somebody may decide. */
  closes: Timestamp
  server: string
  method: string
  /** Redacted; the digest holds it as it came. */
  target: { type: ApprovalTarget; name: string }
  effect: string
  /** Who asked, as far as that is known. */
  actors: ApprovalActor[]
  /** Keyed, of `salt`, method, target and the bytes of the arguments, exactly as they came. */
  digest: KeyedDigest
  /** 32 random bytes: without them, arguments that are easily guessed could be guessed from the digest. */
  salt: Hash
  /** Redacted JSON text, perhaps cut; absent where values are not kept. */
  arguments?: string
  /** Ids of the policies that ask for the approval. */
  policies: string[]
  /** How long an approval counts. */
  windowSeconds: number
  /** How many calls it lets through. */
  uses: number
}

export type ApprovalTarget = (typeof approvalTargets)[number]

export interface ApprovalActor {
  as: (typeof approvalActors)[number]
  id: string
  assurance: Assurance
  issuer?: string
}

/** What somebody decided who was shown the request. */
export interface ApprovalStatement {
  v: 1
  verdict: (typeof approvalVerdicts)[number]
  at: Timestamp
  /** Until when calls may make use of it; that of a denial is when the request closes. */
  until: Timestamp
  /** Raw Ed25519 public key of whoever decided; absent where a token says who it was. */
  key?: Hash
  request: ApprovalRequest
}

export const approvalTargets = ['Tool', 'Resource', 'Prompt'] as const
export const approvalActors = ['agent', 'user', 'workload', 'initiator'] as const
export const approvalVerdicts = ['approved', 'denied'] as const
export const approvalArgumentBytesMax = 16_384

const requestShape = object({
  v: oneOf([1]),
  id: uuidV7,
  callId: uuidV7,
  requested: timestamp,
  closes: timestamp,
  server: shortText,
  method: shortText,
  target: object({ type: oneOf(approvalTargets), name: text(1_024) }),
  effect: shortText,
  actors: listOf(
    object({ as: oneOf(approvalActors), id: shortText, assurance: oneOf(assurances), issuer: optional(shortText) }),
    4,
  ),
  digest: keyedDigest,
  salt: hash,
  arguments: optional(text(approvalArgumentBytesMax, 0)),
  policies: listOf(shortText, 64),
  windowSeconds: integer(1),
  uses: integer(1),
})

const statementShape = object({
  v: oneOf([1]),
  verdict: oneOf(approvalVerdicts),
  at: timestamp,
  until: timestamp,
  key: optional(hash),
  request: requestShape,
})

/** Of a request, or of a statement without its signature. */
export const approvalBytesMax = 128 * 1024
const domain = 'affidavit approval v1'

/** Canonical JSON, without LF. Throws RecordError where it is no request. */
export function encodeApprovalRequest(request: ApprovalRequest): Uint8Array {
  return encodeShape(request, requestShape, approvalBytesMax)
}

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseApprovalRequest(bytes: Uint8Array): ApprovalRequest {
  return parseCanonical(bytes, approvalBytesMax, requestShape) as ApprovalRequest
}

/** Canonical JSON, without LF. Throws RecordError where it is no statement. */
export function encodeApprovalStatement(statement: ApprovalStatement): Uint8Array {
  return encodeShape(statement, statementShape, approvalBytesMax)
}

/** Throws RecordError and nothing else, whatever the bytes are. */
export function parseApprovalStatement(bytes: Uint8Array): ApprovalStatement {
  return parseCanonical(bytes, approvalBytesMax, statementShape) as ApprovalStatement
}

/** What an approver's key signs of the encoded statement. */
export function toApprovalMessage(statement: Uint8Array): Uint8Array {
  return withDomain(domain, statement)
}
