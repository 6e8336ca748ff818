import type { Absent } from '@affidavit/evidence/record/absent'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { createBoundedMap } from './bounded-map.ts'
import type { Redact } from './claims.ts'
import { parseJwtText, tokenBytesMax } from './jwt-text.ts'
import type { Principals } from './principals.ts'
import { type RefusalCode, reasonOf } from './refusal-code.ts'
import { type Reading, usualReading } from './token-kind.ts'
import { toPrincipals } from './token-principals.ts'
import { fingerprintOf, referToClaims } from './token-ref.ts'

/** Whom a credential claims to name. Nothing here was checked, and all of it is `claimed`. */

const source = 'http.authorization'
const unverified = 'nobody verified it here'
/** Whoever holds the correlation key tries passwords against their digests; what is shorter is not digested. */
const secretCharsMin = 16
/** Of hostile tokens each may take 20 kB. */
const rememberedMax = 1024
/** A fingerprint has no key: anybody can try guesses against it, so it is made of long secrets alone. */
const fingerprintCharsMin = 32

export type Digest = (value: string) => KeyedDigest
/**
 * `authorization` is the header's value; undefined where the request has none. `code` says why it was not found true; without
 * it, nobody looked. Never throws, whatever it holds.
 */
export type DescribeBearer = (authorization: string | undefined, code?: RefusalCode) => Principals

export interface DescribeOptions {
  digest: Digest
  redact: Redact
  /** How tokens are read that say they come from this issuer; the usual way where it is nobody's. */
  readingOf?: (issuer: unknown) => Reading | undefined
}

/** What a credential is described by, and on which grounds. */
interface Describing extends DescribeOptions {
  reason: string
}

/**
 * Describes credentials, and returns the same object for the same credential, so that what is encoded of it is kept with
 * it. Remembered are digests; of the credential itself nothing outlives the call.
 */
export function createDescribeBearer(options: DescribeOptions): DescribeBearer {
  const known = createBoundedMap<Principals>(rememberedMax)
  return (authorization, code) => {
    if (authorization === undefined) return nobody
    const name = `${code ?? ''} ${options.digest(authorization)}`
    const before = known.get(name)
    if (before !== undefined) return before
    const reason = code === undefined ? unverified : `${code}: ${reasonOf(code).sentence}`
    const principals = describe(authorization, { ...options, reason })
    known.set(name, principals)
    return principals
  }
}

const nobody = absentPrincipals('the request has no Authorization header')

/** Nobody is known, for one reason. */
export function absentPrincipals(reason: string, token: TokenRef | Absent = { absent: reason }): Principals {
  const absent = { absent: reason }
  return { workload: absent, user: absent, role: absent, token, delegation: [] }
}

function describe(authorization: string, by: Describing): Principals {
  const { scheme, credential } = splitAuthorization(authorization)
  if (scheme === 'basic') return describeBasic(credential, by)
  if (scheme === 'bearer' || scheme === 'dpop') return describeToken(credential, scheme, by)
  const token = referTo(credential, 'other', by)
  return absentPrincipals('credentials of this scheme name nobody that can be read', token)
}

/** RFC 9110 §11.4: scheme (in any case), spaces, the rest. */
export function splitAuthorization(authorization: string): { scheme: string; credential: string } {
  const [, scheme = '', credential = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/s.exec(authorization) ?? []
  return { scheme: scheme.toLowerCase(), credential }
}

function describeToken(credential: string, method: string, by: Describing): Principals {
  const token = referTo(credential, method, by)
  if ('absent' in token) return absentPrincipals('the token is too short to be one', token)
  if (credential.length > tokenBytesMax) return absentPrincipals('the token is too long to be looked into', token)
  const printed = credential.length < fingerprintCharsMin ? token : { ...token, fingerprint: fingerprintOf(credential) }
  const text = parseJwtText(credential)
  if (text === 'claims_ambiguous') return absentPrincipals('the token names a claim twice', printed)
  if (typeof text === 'string') return absentPrincipals('the token is opaque here', printed)
  const { claims } = text
  return toPrincipals(claims, referToClaims(printed, claims, by.redact), {
    grounds: groundsOf(method, by.reason),
    redact: by.redact,
    reading: by.readingOf?.(claims.iss) ?? usualReading,
  })
}

/** RFC 7617: user name and password, parted by the first colon. */
function describeBasic(credential: string, by: Describing): Principals {
  const decoded = credential.length > tokenBytesMax ? '' : Buffer.from(credential, 'base64').toString()
  const colon = decoded.indexOf(':')
  const name = decoded.slice(0, Math.max(0, colon))
  const password = decoded.slice(colon + 1)
  const token = password.length < secretCharsMin ? guessable : referTo(credential, 'basic', by)
  const principals = absentPrincipals('Basic credentials name nothing but a user', token)
  if (name === '') return { ...principals, user: { absent: 'no user name can be read from the credentials' } }
  return { ...principals, user: { ...groundsOf('basic', by.reason), id: clipText(by.redact(name)) } }
}

const guessable: Absent = { absent: 'the secret is short enough to be guessed from its digest' }

function referTo(credential: string, method: string, { digest, reason }: Describing): TokenRef | Absent {
  if (credential.length < secretCharsMin) return guessable
  return { ...groundsOf(method, reason), digest: digest(credential) }
}

function groundsOf(method: string, reason: string): Grounds {
  return { assurance: 'claimed', method, source, reason }
}
