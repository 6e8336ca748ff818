import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  createSecretKey,
  type Hash,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { SealingCrypto, Sha256, VerifyEd25519 } from '@affidavit/evidence/record/crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { expandKey, extractKey, type HmacKey, hmac, toHmacKey } from './hmac.ts'

/** Node's half of the functions that evidence takes as parameters (ADR-0003). */

/** AES-GCM's tag, behind the sealed text. */
export const tagBytes = 16
/** Every key seals once (record secrets are unique per record), so the nonce carries no information. */
const zeroNonce = new Uint8Array(12)

/** A view without Buffer's prototype, so that results compare and slice like any other Uint8Array. */
const plain = (bytes: Buffer): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

/** Longer inputs are hashed in parts: copying them would cost more than it saves. */
const scratch = new Uint8Array(16 * 1024)

/**
 * SHA-256 (FIPS 180-4) over the concatenation of the parts; 32 bytes. Tree nodes, commitments and entries are short: for
 * them one call with the digest as text takes half the time of a Hash object and of a buffer allocated outside the heap.
 */
export const sha256: Sha256 = (...parts) => {
  const message = gather(parts)
  return message === undefined
    ? plain(hashParts(parts).digest())
    : plain(Buffer.from(hash('sha256', message, 'binary'), 'latin1'))
}

/** The same as base64, as headers have it. */
export function sha256Text(...parts: Uint8Array[]): string {
  const message = gather(parts)
  return message === undefined ? hashParts(parts).digest('base64') : hash('sha256', message, 'base64')
}

/** The parts in one piece, until the next call; undefined where they are long. */
function gather(parts: readonly Uint8Array[]): Uint8Array | undefined {
  let at = 0
  for (const part of parts) {
    if (at + part.length > scratch.length) return undefined
    scratch.set(part, at)
    at += part.length
  }
  return scratch.subarray(0, at)
}

function hashParts(parts: readonly Uint8Array[]): Hash {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest
}

/** HMAC-SHA-256 (RFC 2104) over the concatenation of the parts; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return plain(hmac(toHmacKey(key), parts))
}

const hashBytes = 32
/** What RFC 5869 §2.2 extracts from a secret, for as long as that very array lives. Secrets are never changed in place. */
const extracted = new WeakMap<Uint8Array, HmacKey>()

/** A stream's secret derives the secret of every record, so its extraction is worth keeping. */
function extractOnce(secret: Uint8Array): HmacKey {
  const known = extracted.get(secret)
  if (known !== undefined) return known
  const key = extractKey(secret)
  extracted.set(secret, key)
  return key
}

/** Raw key bytes cost Node three times what the operation itself does; a key object costs a tenth of it. */
const toSecretKey = (bytes: Uint8Array): KeyObject => createSecretKey(bytes)

/** What `sealing.seal` does, where the text stands: behind the plaintext `area` has room for the tag. */
export function sealInPlace(key: Uint8Array, area: Uint8Array): void {
  const end = area.length - tagBytes
  const cipher = createCipheriv('aes-256-gcm', toSecretKey(key), zeroNonce)
  area.set(cipher.update(area.subarray(0, end)))
  cipher.final()
  area.set(cipher.getAuthTag(), end)
}

/** HKDF and AES-256-GCM as SealingCrypto describes them. `open` throws RecordError `sealed_corrupt`. */
export const sealing: SealingCrypto = {
  hkdf: (secret, purpose, length) =>
    plain(expandKey(length === hashBytes ? extractOnce(secret) : extractKey(secret), purpose, length)),
  seal(key, plaintext) {
    const sealed = new Uint8Array(plaintext.length + tagBytes)
    sealed.set(plaintext)
    sealInPlace(key, sealed)
    return sealed
  },
  open(key, sealed) {
    const end = sealed.length - tagBytes
    if (end < 0) throw new RecordError('sealed_corrupt', 'sealed', `sealed text of ${sealed.length} bytes has no tag`)
    const decipher = createDecipheriv('aes-256-gcm', toSecretKey(key), zeroNonce, { authTagLength: tagBytes })
    decipher.setAuthTag(sealed.subarray(end))
    const plaintext = decipher.update(sealed.subarray(0, end))
    try {
      decipher.final()
    } catch (error) {
      throw new RecordError('sealed_corrupt', 'sealed', `the tag does not match: ${String(error)}`)
    }
    return plain(plaintext)
  },
}

/** Ed25519 (RFC 8032), 64 bytes. */
export function signEd25519(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return plain(sign(null, message, privateKey))
}

/** SubjectPublicKeyInfo of a raw Ed25519 key (RFC 8410 §4): a fixed prefix and the key. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const importedKeysMax = 64
const importedKeys = new Map<string, KeyObject>()

/** Importing a key costs as much as half a verification, and one key usually signs thousands of commits. */
function importKey(raw: Uint8Array): KeyObject {
  const name = Buffer.from(raw).toString('latin1')
  const known = importedKeys.get(name)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })
  if (importedKeys.size >= importedKeysMax) importedKeys.clear()
  importedKeys.set(name, key)
  return key
}

/** Ed25519 verification, synchronous; a malformed key or signature is false. */
export const verifyEd25519 = ((publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return verify(null, message, importKey(publicKey), signature)
  } catch (error) {
    // OpenSSL reports a point that is not on the curve as an error; anything else is a defect of ours.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')) return false
    throw error
  }
}) satisfies VerifyEd25519
