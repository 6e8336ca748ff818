/** Why a request was not admitted. The words are stable: records, challenges and the documentation use them. */

export interface RefusalReason {
  status: 400 | 401 | 403 | 502 | 503
  /** RFC 6750 §3.1, RFC 9449 §7.1; absent where no credential was judged, or where the client is not at fault. */
  error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof'
  /** For people: printable ASCII without quotes, fit for a header. */
  sentence: string
}

const invalid = (sentence: string): RefusalReason => ({ status: 401, error: 'invalid_token', sentence })
const badProof = (sentence: string): RefusalReason => ({ status: 401, error: 'invalid_dpop_proof', sentence })
const unavailable = (sentence: string): RefusalReason => ({ status: 503, sentence })
const broken = (sentence: string): RefusalReason => ({ status: 502, sentence })

export const refusalReasons = {
  token_missing: { status: 401, sentence: 'The request carries no token' },
  scheme_refused: { status: 401, sentence: 'The Authorization header has another scheme than Bearer or DPoP' },
  token_ambiguous: { status: 400, error: 'invalid_request', sentence: 'The request carries its token in two places' },
  token_oversized: invalid('The token is too long'),
  token_malformed: invalid('The token is not well-formed'),
  token_not_jwt: invalid('The token is not a JWT'),
  token_encrypted: invalid('The token is encrypted'),
  token_nested: invalid('The token holds another token instead of claims'),
  token_inactive: invalid('The issuer says that the token is not active'),
  claims_ambiguous: invalid('The token names a member twice'),
  algorithm_refused: invalid('The token is signed with an algorithm that is not accepted'),
  critical_header: invalid('The token demands an extension that is not understood'),
  key_in_header: invalid('The token brings or names a key of its own'),
  unknown_issuer: invalid('The token comes from another issuer'),
  unknown_key: invalid('The issuer has no such key'),
  weak_key: invalid('The key that signed the token is too short to be trusted'),
  bad_signature: invalid('The signature does not match'),
  wrong_type: invalid('The token is not an access token'),
  expiry_missing: invalid('The token does not say when it expires'),
  token_expired: invalid('The token has expired'),
  token_not_yet_valid: invalid('The token is not valid yet'),
  audience_missing: invalid('The token does not say for whom it is'),
  wrong_audience: invalid('The token is for somebody else'),
  subject_missing: invalid('The token names neither a user nor a client'),
  claim_missing: invalid('The token lacks a claim that tokens of its kind have'),
  claim_malformed: invalid('A claim of the token has the wrong form'),
  claim_refused: invalid('A claim of the token has a value that is not accepted here'),
  proof_unsupported: invalid('The token is bound to a key whose possession cannot be checked here'),
  certificate_missing: invalid('The token is bound to a client certificate, and the connection shows none'),
  wrong_certificate: invalid('The token is bound to another client certificate'),
  dpop_missing: badProof('The token is bound to a key, and no proof of its possession came with it'),
  dpop_ambiguous: badProof('The request carries more than one proof'),
  dpop_unbound: invalid('The token is bound to no key, so that a proof proves nothing'),
  dpop_malformed: badProof('The proof is not well-formed'),
  dpop_wrong_type: badProof('The proof is not of the type dpop+jwt'),
  dpop_algorithm_refused: badProof('The proof is signed with an algorithm that is not accepted'),
  dpop_key_refused: badProof('The proof does not bring exactly one usable public key'),
  dpop_bad_signature: badProof('The signature of the proof does not match'),
  dpop_wrong_key: badProof('The proof was made with another key than the token is bound to'),
  dpop_wrong_token: badProof('The proof was made for another token'),
  dpop_wrong_method: badProof('The proof was made for another method'),
  dpop_wrong_url: badProof('The proof was made for another URL'),
  dpop_wrong_time: badProof('The proof was not made just now'),
  dpop_replayed: badProof('The proof was used before'),
  dpop_busy: unavailable('More proofs come than can be remembered'),
  scope_missing: { status: 403, error: 'insufficient_scope', sentence: 'The token lacks a scope' },
  keys_unavailable: unavailable('The keys of the issuer cannot be had at the moment'),
  introspection_unavailable: unavailable('The introspection endpoint cannot be reached at the moment'),
  introspection_misconfigured: broken('The introspection endpoint refuses the gateway itself'),
  introspection_malformed: broken('The introspection endpoint gave an answer that cannot be used'),
  exchange_refused: { status: 403, sentence: 'The authorization server gives no token for the upstream' },
  exchange_unavailable: unavailable('The token endpoint cannot be reached at the moment'),
  exchange_busy: unavailable('Too many token exchanges are under way'),
  exchange_misconfigured: broken('The token endpoint refuses the gateway itself'),
  exchange_malformed: broken('The token endpoint gave an answer that cannot be used'),
} as const satisfies Record<string, RefusalReason>

export type RefusalCode = keyof typeof refusalReasons

export function isRefusalCode(code: string | undefined): code is RefusalCode {
  return code !== undefined && Object.hasOwn(refusalReasons, code)
}

export function reasonOf(code: RefusalCode): RefusalReason {
  return refusalReasons[code]
}

const passing: readonly RefusalCode[] = [
  'unknown_key', 'token_not_yet_valid', 'keys_unavailable', 'introspection_unavailable', 'introspection_misconfigured',
  'introspection_malformed',
] // biome-ignore format: one list, read as one

/** Whether the same token may soon be found good: keys may come, and clocks go on. */
export function isPassing(code: RefusalCode): boolean {
  return passing.includes(code)
}

/** A request that is not admitted. Its message never holds anything a client or an authorization server sent. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** Whether the same request may be admitted later, without the client doing anything else. */
  readonly retry: boolean

  constructor(code: RefusalCode) {
    super(refusalReasons[code].sentence)
    this.code = code
    this.retry = refusalReasons[code].status === 503
  }
}

/** What `work` comes to; a refusal is an answer here, and anything else a defect. */
export async function orRefusal<V>(work: Promise<V>): Promise<V | Refusal> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
