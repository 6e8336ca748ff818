import { randomBytes } from 'node:crypto'
import type { SealingCrypto, Sha256 } from '@affidavit/evidence/record/crypto'
import type { SealedSecrets, WrapKey, WrapScope } from './contract.ts'
import { StoreError } from './error.ts'

/**
 * Three layers, so that erasing is deleting one row: the key-encryption key (keys/bodies.key) seals wrap keys, a wrap key
 * seals the secrets of the records of one subject, retention class and month, a record secret opens one body. Whoever
 * has the key-encryption key and the store reads every body that was not erased; either alone is worth nothing.
 */
export interface KeyEncryptionKey {
  /** First 8 hex digits of SHA-256 of the key. */
  id: string
  key: Uint8Array
}

const secretBytes = 32
const saltBytes = 16

export function toKeyEncryptionKey(sha256: Sha256, key: Uint8Array): KeyEncryptionKey {
  return { id: hex(sha256(key)).slice(0, 8), key }
}

/** A new wrap key: the row to store and the key itself. */
export function createWrapKey(
  crypto: SealingCrypto,
  kek: KeyEncryptionKey,
  scope: WrapScope,
): { row: WrapKey; key: Uint8Array } {
  const id = hex(randomBytes(8))
  const key = new Uint8Array(randomBytes(secretBytes))
  const wrapped = crypto.seal(wrapKeySealer(crypto, kek, id), key)
  return { row: { ...scope, id, kekId: kek.id, wrapped }, key }
}

/** Throws StoreError `wrap_key_corrupt` where the row was made under another key, RecordError `sealed_corrupt` where it was altered. */
export function openWrapKey(crypto: SealingCrypto, kek: KeyEncryptionKey, row: WrapKey): Uint8Array {
  if (row.kekId === kek.id) return crypto.open(wrapKeySealer(crypto, kek, row.id), row.wrapped)
  throw new StoreError(
    'wrap_key_corrupt',
    `wrap key ${row.id} is sealed under key-encryption key ${row.kekId}, keys/bodies.key is ${kek.id}: restore that key`,
  )
}

/** Sealing keys are used once (SealingCrypto has no nonce): the id is random and never given to a second wrap key. */
function wrapKeySealer(crypto: SealingCrypto, kek: KeyEncryptionKey, id: string): Uint8Array {
  return crypto.hkdf(kek.key, `affidavit/v1 wrap-key ${id}`, secretBytes)
}

export interface OffsetSecret {
  /** Leaf index − first leaf of the range, below 65,536. */
  offset: number
  secret: Uint8Array
}

/** Seals the secrets of one range under one wrap key. The random salt makes the sealing key new, also when a step is done again. */
export function sealSecrets(
  crypto: SealingCrypto,
  wrapKey: { id: string; key: Uint8Array },
  firstLeaf: number,
  secrets: readonly OffsetSecret[],
): SealedSecrets {
  const offsets = new Uint8Array(secrets.length * 2)
  const plain = new Uint8Array(secrets.length * secretBytes)
  for (const [i, { offset, secret }] of secrets.entries()) {
    offsets[2 * i] = offset >>> 8
    offsets[2 * i + 1] = offset & 0xff
    plain.set(secret, i * secretBytes)
  }
  const salt = new Uint8Array(randomBytes(saltBytes))
  const sealed = crypto.seal(secretsSealer(crypto, wrapKey.key, salt), plain)
  return { firstLeaf, wrapKeyId: wrapKey.id, salt, offsets, sealed }
}

/** Secrets by leaf index. Throws RecordError `sealed_corrupt` where the blob was altered, StoreError where its parts disagree. */
export function openSecrets(crypto: SealingCrypto, wrapKey: Uint8Array, blob: SealedSecrets): Map<number, Uint8Array> {
  const plain = crypto.open(secretsSealer(crypto, wrapKey, blob.salt), blob.sealed)
  const count = blob.offsets.length / 2
  if (plain.length !== count * secretBytes)
    throw new StoreError('wrap_key_corrupt', `secrets of leaf ${blob.firstLeaf}: ${plain.length} bytes for ${count}`)
  const secrets = new Map<number, Uint8Array>()
  for (let i = 0; i < count; i++) {
    const offset = ((blob.offsets[2 * i] ?? 0) << 8) | (blob.offsets[2 * i + 1] ?? 0)
    secrets.set(blob.firstLeaf + offset, plain.subarray(i * secretBytes, (i + 1) * secretBytes))
  }
  return secrets
}

function secretsSealer(crypto: SealingCrypto, wrapKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return crypto.hkdf(wrapKey, `affidavit/v1 secrets ${hex(salt)}`, secretBytes)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
