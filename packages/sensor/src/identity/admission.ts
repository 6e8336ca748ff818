import type { AuthDetail } from '@affidavit/evidence/record/header'
import type { CredentialSource } from './credential.ts'
import type { Principals } from './principals.ts'
import type { RefusalCode, RefusalReason } from './refusal-code.ts'

/** What a gateway asks a resource guard, and what it is told. */

export interface GuardRequest extends CredentialSource {
  method: string
  /** Origins under which the client may have addressed us: what a proof of possession may name. */
  origins: () => readonly string[]
  /** SHA-256 of the client's certificate (RFC 8705 §3.1), whose key the handshake proved; undefined: it showed none. */
  certificate?: () => string | undefined
  /** Milliseconds since 1970. */
  nowMs: number
}

export interface Admitted {
  verdict: 'admitted'
  /** The `Authorization` header for the upstream, instead of the client's own. */
  authorization: string
  /** The same object for the same token. */
  principals: Principals
  /** To be durable before the request goes on. */
  events: AuthEvent[]
  /** The upstream did not accept this token: the next request gets another. */
  forget: () => void
}

export interface Refused {
  verdict: 'refused'
  status: RefusalReason['status']
  headers: [name: string, value: string][]
  code: RefusalCode
  /** For people. */
  sentence: string
  /** Empty where a flood is counted instead (drainRefusals). */
  events: AuthEvent[]
}

export type Admission = Admitted | Refused

/** One `auth` record. */
export interface AuthEvent {
  detail: AuthDetail
  principals: Principals
}
