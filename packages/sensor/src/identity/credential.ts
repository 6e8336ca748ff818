import { splitAuthorization } from './bearer.ts'
import { Refusal } from './refusal-code.ts'

/** The part of a request that says who asks. */
export interface CredentialSource {
  /** Path and query as they came. */
  target: string
  headers: readonly (readonly [name: string, value: string])[]
}

/** A token as it was sent. */
export interface PresentedToken {
  scheme: 'bearer' | 'dpop'
  token: string
  /** Values of header DPoP (RFC 9449 §4.1), however many came. */
  proofs: readonly string[]
}

/**
 * The one token of a request (RFC 6750 §2.1, RFC 9449 §7.1). A second copy of it, in whatever place, would reach the upstream,
 * and two different ones would be read differently by different servers. Throws Refusal.
 */
export function readToken({ target, headers }: CredentialSource): PresentedToken {
  const [authorization, ...more] = valuesOf(headers, 'authorization')
  if (authorization === undefined) throw new Refusal('token_missing')
  if (more.length > 0 || /[?&]access_token=/i.test(target)) throw new Refusal('token_ambiguous')
  const { scheme, credential: token } = splitAuthorization(authorization)
  if (scheme !== 'bearer' && scheme !== 'dpop') throw new Refusal('scheme_refused')
  if (token === '') throw new Refusal('token_malformed')
  const others = headers.filter(([name]) => name.toLowerCase() !== 'authorization').map(([, value]) => value)
  // What is shorter than any token would be found by accident; it is refused for what it is.
  const isToken = token.length >= tokenCharsMin
  if (isToken && [target, ...others].some((text) => text.includes(token))) throw new Refusal('token_ambiguous')
  return { scheme, token, proofs: valuesOf(headers, 'dpop') }
}

function valuesOf(headers: CredentialSource['headers'], wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
}

const tokenCharsMin = 16
