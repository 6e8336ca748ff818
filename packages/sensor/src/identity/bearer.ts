import type { Absent } from '@affidavit/evidence/record/absent'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { createBoundedMap } from './bounded-map.ts'
import type { Redact } from './claims.ts'
import { parseJwtText, tokenBytesMax } from './jwt-text.ts'
import type { Principals } from './principals.ts'
import { toPrincipals } from './token-principals.ts'

/** Whom a credential claims to name. Nothing here was checked, and all of it is `claimed`. */

const source = 'http.authorization'
const unverified = 'nobody verified it here'
/** Whoever holds the correlation key tries passwords against their digests; what is shorter is not digested. */
const secretCharsMin = 16
/** Of hostile tokens each may take 20 kB. */
const rememberedMax = 1024
const secondsMax = 253_402_300_799

export type Digest = (value: string) => KeyedDigest
/** `authorization` is the header's value; undefined where the request has none. Never throws, whatever it holds. */
export type DescribeBearer = (authorization: string | undefined) => Principals

/**
 * Describes credentials, and returns the same object for the same credential, so that what is encoded of it is kept with
 * it. Remembered are digests; of the credential itself nothing outlives the call.
 */
export function createDescribeBearer({ digest, redact }: { digest: Digest; redact: Redact }): DescribeBearer {
  const known = createBoundedMap<Principals>(rememberedMax)
  return (authorization) => {
    if (authorization === undefined) return nobody
    const fingerprint = digest(authorization)
    const before = known.get(fingerprint)
    if (before !== undefined) return before
    const principals = describe(authorization, { digest, redact })
    known.set(fingerprint, principals)
    return principals
  }
}

const nobody = absentPrincipals('the request has no Authorization header')

/** Nobody is known, for one reason. */
export function absentPrincipals(reason: string, token: TokenRef | Absent = { absent: reason }): Principals {
  const absent = { absent: reason }
  return { workload: absent, user: absent, role: absent, token, delegation: [] }
}

function describe(authorization: string, by: { digest: Digest; redact: Redact }): Principals {
  const { scheme, credential } = splitAuthorization(authorization)
  if (scheme === 'basic') return describeBasic(credential, by)
  if (scheme !== 'bearer') {
    const token = referTo(credential, { ...groundsOf('other'), digest: by.digest })
    return absentPrincipals('credentials of this scheme name nobody that can be read', token)
  }
  return describeToken(credential, by)
}

/** RFC 9110 §11.4: scheme (in any case), spaces, the rest. */
export function splitAuthorization(authorization: string): { scheme: string; credential: string } {
  const [, scheme = '', credential = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(authorization) ?? []
  return { scheme: scheme.toLowerCase(), credential }
}

function describeToken(credential: string, { digest, redact }: { digest: Digest; redact: Redact }): Principals {
  const grounds = groundsOf('bearer')
  const token = referTo(credential, { ...grounds, digest })
  if ('absent' in token) return absentPrincipals('the token is too short to be one', token)
  if (credential.length > tokenBytesMax) return absentPrincipals('the token is too long to be looked into', token)
  const text = parseJwtText(credential)
  if (text === 'claims_ambiguous') return absentPrincipals('the token names a claim twice', token)
  if (typeof text === 'string') return absentPrincipals('the token is opaque here', token)
  return toPrincipals(text.claims, describeClaims(token, text.claims, redact), { grounds, redact })
}

function describeClaims(token: TokenRef, claims: Record<string, unknown>, redact: Redact): TokenRef {
  const { iss, aud, exp } = claims
  const [audience] = Array.isArray(aud) ? aud : [aud]
  const isTime = typeof exp === 'number' && exp >= 0 && exp <= secondsMax
  return {
    ...token,
    ...(typeof iss === 'string' && iss !== '' ? { issuer: clipText(redact(iss)) } : {}),
    ...(typeof audience === 'string' && audience !== '' ? { audience: clipText(redact(audience)) } : {}),
    ...(isTime ? { reason: `${unverified}; it claims to expire ${new Date(exp * 1000).toISOString()}` } : {}),
  }
}

/** RFC 7617: user name and password, parted by the first colon. */
function describeBasic(credential: string, { digest, redact }: { digest: Digest; redact: Redact }): Principals {
  const decoded = credential.length > tokenBytesMax ? '' : Buffer.from(credential, 'base64').toString()
  const colon = decoded.indexOf(':')
  const name = decoded.slice(0, Math.max(0, colon))
  const password = decoded.slice(colon + 1)
  const grounds = groundsOf('basic')
  const token = password.length < secretCharsMin ? guessable : referTo(credential, { ...grounds, digest })
  const principals = absentPrincipals('Basic credentials name nothing but a user', token)
  if (name === '') return { ...principals, user: { absent: 'no user name can be read from the credentials' } }
  return { ...principals, user: { ...grounds, id: clipText(redact(name)) } }
}

const guessable: Absent = { absent: 'the secret is short enough to be guessed from its digest' }

function referTo(credential: string, { digest, ...grounds }: Grounds & { digest: Digest }): TokenRef | Absent {
  return credential.length < secretCharsMin ? guessable : { ...grounds, digest: digest(credential) }
}

function groundsOf(method: string): Grounds {
  return { assurance: 'claimed', method, source, reason: unverified }
}
