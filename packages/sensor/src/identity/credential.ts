import { splitAuthorization } from './bearer.ts'
import { Refusal } from './refusal-code.ts'

/** The part of a request that says who asks. */
export interface CredentialSource {
  /** Path and query as they came. */
  target: string
  headers: readonly (readonly [name: string, value: string])[]
}

/**
 * The one bearer token of a request (RFC 6750 §2.1). A second copy of it, in whatever place, would reach the upstream, and two
 * different ones would be read differently by different servers. Throws Refusal.
 */
export function readBearer({ target, headers }: CredentialSource): string {
  const isAuthorization = (name: string) => name.toLowerCase() === 'authorization'
  const [authorization, ...more] = headers.filter(([name]) => isAuthorization(name)).map(([, value]) => value)
  if (authorization === undefined) throw new Refusal('token_missing')
  if (more.length > 0 || /[?&]access_token=/i.test(target)) throw new Refusal('token_ambiguous')
  const { scheme, credential } = splitAuthorization(authorization)
  if (scheme !== 'bearer') throw new Refusal('scheme_refused')
  if (credential === '') throw new Refusal('token_malformed')
  const others = [target, ...headers.filter(([name]) => !isAuthorization(name)).map(([, value]) => value)]
  // What is shorter than any token would be found by accident; it is refused for what it is.
  const isToken = credential.length >= tokenCharsMin
  if (isToken && others.some((text) => text.includes(credential))) throw new Refusal('token_ambiguous')
  return credential
}

const tokenCharsMin = 16
