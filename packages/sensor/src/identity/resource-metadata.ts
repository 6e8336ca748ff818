import { type RefusalCode, reasonOf } from './refusal-code.ts'
import { signatureAlgorithms } from './token-trust.ts'

/** What a protected resource says of itself (RFC 9728), and how it says what a client lacks (RFC 6750 §3). */
export interface ProtectedResource {
  /** Its identifier: an absolute URL without query and fragment. */
  resource: string
  issuers: readonly string[]
  scopes: readonly string[]
}

const wellKnown = '/.well-known/oauth-protected-resource'

/** RFC 9728 §3.1: the well-known part stands between host and path. */
export function metadataPathOf(resource: string): string {
  const { pathname } = new URL(resource)
  return pathname === '/' ? wellKnown : `${wellKnown}${pathname}`
}

/** RFC 9728 §2. */
export function describeResource({ resource, issuers, scopes }: ProtectedResource): object {
  return {
    resource,
    authorization_servers: [...issuers],
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    bearer_methods_supported: ['header'],
    // RFC 9449 §5.1: proofs are taken, and asked of tokens that are bound to a key.
    dpop_signing_alg_values_supported: [...signatureAlgorithms],
  }
}

/**
 * `WWW-Authenticate` for a refusal, with what a client needs to do better: where the metadata is (RFC 9728 §5.1) and which
 * scopes it has to ask for. Undefined where no other token would help.
 */
export function challengeFor(code: RefusalCode, { resource, scopes }: ProtectedResource): string | undefined {
  const { status, error, sentence } = reasonOf(code)
  if (error === undefined && status !== 401) return undefined
  const { origin } = new URL(resource)
  const parameters = [
    `resource_metadata="${origin}${metadataPathOf(resource)}"`,
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
    ...(error === undefined ? [] : [`error="${error}"`, `error_description="${sentence} (${code})"`]),
  ]
  // RFC 9449 §7.1: what is wrong with a proof is said in the scheme that has one.
  if (!code.startsWith('dpop_')) return `Bearer ${parameters.join(', ')}`
  return `DPoP ${[...parameters, `algs="${signatureAlgorithms.join(' ')}"`].join(', ')}`
}
