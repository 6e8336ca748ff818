/** Why an SVID names nobody. The words are stable: records and the documentation use them. */
export const spiffeRefusals = {
  certificate_missing: 'The client shows no certificate',
  certificate_malformed: 'A certificate is not well-formed',
  certificate_chain_too_long: 'There are too many certificates',
  spiffe_id_missing: 'The certificate has no SPIFFE ID',
  spiffe_id_ambiguous: 'The certificate has several URI names',
  spiffe_id_malformed: 'The SPIFFE ID is not well-formed',
  spiffe_id_without_path: 'The SPIFFE ID names a trust domain and no workload',
  spiffe_id_differs: 'The SVID has another SPIFFE ID than the message that brought it',
  leaf_is_ca: 'The certificate is that of a signing authority',
  key_usage_missing: 'The certificate has no critical key usage',
  key_usage_refused: 'The key usage is not that of a leaf',
  extended_key_usage_refused: 'The certificate is not for clients',
  critical_extension: 'A certificate demands an extension that is not understood',
  weak_algorithm: 'A certificate has a weak signature or key',
  certificate_expired: 'The certificate has expired',
  certificate_not_yet_valid: 'The certificate is not valid yet',
  unknown_trust_domain: 'The trust domain is not one of those trusted here',
  bundle_unavailable: 'The bundle of the trust domain cannot be had at the moment',
  untrusted_signer: 'No authority of the trust domain signed the certificate',
  bad_certificate_signature: 'A certificate is not signed by the authority it names',
  signer_not_ca: 'A certificate was signed by one that is no authority',
  signer_key_usage: 'A signing certificate may not sign certificates',
  signer_spiffe_id: 'A signing certificate has a SPIFFE ID that it may not have',
  signer_not_valid_now: 'A signing certificate has expired or is not valid yet',
  path_length: 'A signing certificate allows fewer certificates below it',
  name_constraint: 'A signing certificate may not sign for this SPIFFE ID',
  key_mismatch: 'The private key is not that of the certificate',
  token_oversized: 'The token is too long',
  token_malformed: 'The token is not well-formed',
  token_not_jwt: 'The token is not a JWT',
  token_encrypted: 'The token is encrypted',
  token_nested: 'The token holds another token instead of claims',
  claims_ambiguous: 'The token names a member twice',
  algorithm_refused: 'The token is signed with an algorithm that is not accepted',
  header_refused: 'The token has a header that a JWT-SVID must not have',
  wrong_type: 'The token has another type than JWT',
  key_id_missing: 'The token does not name its key',
  unknown_key: 'The trust domain has no such key',
  bad_signature: 'The signature does not match',
  audience_missing: 'The token does not say for whom it is',
  wrong_audience: 'The token is for somebody else',
  expiry_missing: 'The token does not say when it expires',
  token_expired: 'The token has expired',
  token_not_yet_valid: 'The token is not valid yet',
  claim_malformed: 'A claim of the token has the wrong form',
  permission_denied: 'The Workload API gives this process no identity',
} as const

export type SpiffeCode = keyof typeof spiffeRefusals

export function isSpiffeCode(code: string | undefined): code is SpiffeCode {
  return code !== undefined && Object.hasOwn(spiffeRefusals, code)
}

/** An SVID that names nobody. Its message never holds anything that a peer sent. */
export class SpiffeRefusal extends Error {
  override readonly name = 'SpiffeRefusal'
  readonly code: SpiffeCode
  /** Whether the same SVID may be good later. */
  readonly retry: boolean

  constructor(code: SpiffeCode) {
    super(spiffeRefusals[code])
    this.code = code
    this.retry = code === 'bundle_unavailable'
  }
}

/** A refusal is an answer here, and anything else a defect. */
export function orSpiffeRefusal<V>(work: () => V): V | SpiffeRefusal {
  try {
    return work()
  } catch (error) {
    if (error instanceof SpiffeRefusal) return error
    throw error
  }
}
