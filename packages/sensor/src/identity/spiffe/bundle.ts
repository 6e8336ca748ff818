import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { isJsonObject } from '../claims.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { SpiffeRefusal } from './spiffe-refusal.ts'

/** What vouches for the SVIDs of one trust domain, and of no other (SPIFFE Trust Domain and Bundle §4). */
export interface TrustBundle {
  x509Authorities: Certificate[]
  /** By key id. */
  jwtAuthorities: ReadonlyMap<string, KeyObject>
  /** Counts the versions. Beyond 2^53 neighbours are one to us, and the newer is taken. */
  sequence: number | undefined
  refreshHintMs: number | undefined
}

export type BundleFlaw = 'not_json' | 'not_a_bundle' | 'too_many_keys' | 'bad_certificate' | 'bad_key' | 'key_id_twice'

/** A bundle that cannot be used. The message never quotes it. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly code: BundleFlaw
  readonly retry = false

  constructor(code: BundleFlaw) {
    super(`the bundle cannot be used: ${code}`)
    this.code = code
  }
}

const keysMax = 256

/** Throws BundleError. */
export function parseBundleText(text: string): TrustBundle {
  try {
    return parseBundle(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) throw new BundleError('not_json')
    throw error
  }
}

/** Keys of unknown types and uses are left out (§4.1.3, §4.2.2). Throws BundleError. */
export function parseBundle(json: unknown): TrustBundle {
  if (!isJsonObject(json) || !Array.isArray(json.keys)) throw new BundleError('not_a_bundle')
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = json
  if (keys.length > keysMax) throw new BundleError('too_many_keys')
  if (!isOptionalCount(sequence) || !isOptionalCount(hint)) throw new BundleError('not_a_bundle')
  const members = keys.filter(isJsonObject)
  return {
    x509Authorities: members.filter(({ use }) => use === 'x509-svid').flatMap(parseAuthority),
    jwtAuthorities: parseKeys(members.filter(({ use }) => use === 'jwt-svid')),
    sequence,
    refreshHintMs: hint === undefined ? undefined : hint * 1000,
  }
}

function isOptionalCount(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0)
}

/** X509-SVID §6.2: the first certificate counts, and an entry without one does not. */
function parseAuthority({ x5c }: Record<string, unknown>): Certificate[] {
  const [first]: unknown[] = Array.isArray(x5c) ? x5c : []
  if (typeof first !== 'string') return []
  try {
    return [parseCertificate(Buffer.from(first, 'base64'))]
  } catch (error) {
    if (error instanceof SpiffeRefusal) throw new BundleError('bad_certificate')
    throw error
  }
}

/** JWT-SVID §5 (bundle): entries without a key id are left out, for no token could name them. */
function parseKeys(members: readonly Record<string, unknown>[]): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>()
  for (const member of members) {
    const { kid, kty } = member
    if (typeof kid !== 'string' || kid === '' || (kty !== 'RSA' && kty !== 'EC')) continue
    if (keys.has(kid)) throw new BundleError('key_id_twice')
    keys.set(kid, parseKey(member))
  }
  return keys
}

function parseKey({ kty, crv, x, y, n, e }: Record<string, unknown>): KeyObject {
  try {
    const key = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new BundleError('bad_key')
    throw error
  }
}
