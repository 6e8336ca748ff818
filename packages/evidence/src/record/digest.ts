import { fromBase64, toBase64 } from './base64.ts'
import type { HmacSha256, Sha256 } from './crypto.ts'
import { RecordError } from './error.ts'
import type { Hash, KeyedDigest } from './header.ts'
import { type Check, matchingPlain } from './shape.ts'

/** 32 bytes have exactly one base64 spelling: the last digit's two low bits are zero. */
const base64Of32 = '[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]='
export const hashPattern = new RegExp(`^${base64Of32}$`)
export const keyedDigestPattern = new RegExp(`^[0-9a-f]{8}:${base64Of32}$`)

/** Hashes, commitments and raw Ed25519 keys. */
export const hash: Check = matchingPlain(hashPattern, 'base64 of 32 bytes')
export const keyedDigest: Check = matchingPlain(
  keyedDigestPattern,
  'a keyed digest: 8 hex digits, colon, base64 of 32 bytes',
)
/** Ed25519 signatures: 64 bytes. */
export const signature: Check = matchingPlain(/^[A-Za-z0-9+/]{85}[AQgw]==$/, 'base64 of 64 bytes')

const domain = new TextEncoder().encode('affidavit/v1 digest\n')
const utf8 = new TextEncoder()

/** The tenant's correlation key of the epoch. Whoever holds it can test guesses against every digest made with it. */
export interface CorrelationKey {
  /** First 8 hex digits of SHA-256 of the key. */
  id: string
  key: Uint8Array
}

export function toCorrelationKey(sha256: Sha256, key: Uint8Array): CorrelationKey {
  const id = Array.from(sha256(key).subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { id, key }
}

/**
 * Digest of a value under the correlation key: HMAC-SHA-256(key, "affidavit/v1 digest\n" ‖ UTF-8 of the value). Equal
 * values meet across fields, streams and servers. The caller leaves out values too short to resist guessing.
 */
export function digestValue(hmac: HmacSha256, key: CorrelationKey, value: string | Uint8Array): KeyedDigest {
  return formatKeyedDigest(key.id, hmac(key.key, domain, typeof value === 'string' ? utf8.encode(value) : value))
}

/** `<key id>:<base64 of 32 bytes>`. Throws RecordError `bad_value`. */
export function formatKeyedDigest(keyId: string, mac: Uint8Array): KeyedDigest {
  const formatted = `${keyId}:${toBase64(mac)}`
  if (!keyedDigestPattern.test(formatted))
    throw new RecordError('bad_value', 'digest', 'expected 8 hex digits and 32 bytes')
  return formatted
}

/** Inverse of formatKeyedDigest. Throws RecordError `bad_value`. */
export function parseKeyedDigest(digest: KeyedDigest): { keyId: string; mac: Uint8Array } {
  if (!keyedDigestPattern.test(digest)) throw new RecordError('bad_value', 'digest', 'expected a keyed digest')
  return { keyId: digest.slice(0, 8), mac: fromBase64(digest.slice(9), 'digest') }
}

/** Base64 of exactly 32 bytes. Throws RecordError `bad_value`. */
export function formatHash(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) throw new RecordError('bad_value', 'hash', `expected 32 bytes, not ${bytes.length}`)
  return toBase64(bytes)
}

/** Inverse of formatHash. Throws RecordError `bad_value`. */
export function parseHash(text: Hash): Uint8Array {
  if (!hashPattern.test(text)) throw new RecordError('bad_value', 'hash', 'expected base64 of 32 bytes')
  return fromBase64(text, 'hash')
}
