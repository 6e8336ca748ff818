import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { sealing } from './node.ts'

/**
 * Sealing to an X25519 key (RFC 7748): ephemeral key agreement, HKDF, AES-256-GCM. Who holds the recipient's private
 * key can open; nobody else can, the sender included once the call has returned. Says nothing about who sealed.
 */

const keyBytes = 32
/** SubjectPublicKeyInfo of a raw X25519 key (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex')

const importPublic = (raw: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' })

/** Raw 32 bytes of an X25519 or Ed25519 key; of the public half where the key is private. */
export function toRawPublicKey(key: KeyObject): Uint8Array {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(half.export({ format: 'der', type: 'spki' }).subarray(-keyBytes))
}

/** Both public keys are bound in, so that a sealed text cannot be passed off as one for another recipient. */
function agree(privateKey: KeyObject, publicKey: KeyObject, context: Uint8Array): Uint8Array {
  const shared = diffieHellman({ privateKey, publicKey })
  return sealing.hkdf(shared, `affidavit/v1 seal-box ${Buffer.from(context).toString('base64')}`, keyBytes)
}

/** Ephemeral public key (32 bytes) ‖ ciphertext ‖ tag (16 bytes). `recipientPublicRaw` is 32 bytes. */
export function sealToX25519(recipientPublicRaw: Uint8Array, bytes: Uint8Array): Uint8Array {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const ephemeral = toRawPublicKey(publicKey)
  const context = Buffer.concat([ephemeral, recipientPublicRaw])
  const sealed = sealing.seal(agree(privateKey, importPublic(recipientPublicRaw), context), bytes)
  return new Uint8Array(Buffer.concat([ephemeral, sealed]))
}

/** Inverse of sealToX25519. Throws RecordError `sealed_corrupt` for any other key and any changed byte. */
export function openX25519(privateKey: KeyObject, sealed: Uint8Array): Uint8Array {
  const ephemeral = sealed.subarray(0, keyBytes)
  if (ephemeral.length < keyBytes)
    throw new RecordError('sealed_corrupt', 'sealed', `sealed text of ${sealed.length} bytes is cut`)
  const context = Buffer.concat([ephemeral, toRawPublicKey(privateKey)])
  return sealing.open(agreeWith(privateKey, ephemeral, context), sealed.subarray(keyBytes))
}

/** The ephemeral key comes from the text, so a low-order point there is a corrupt text and not a defect. */
function agreeWith(privateKey: KeyObject, ephemeral: Uint8Array, context: Uint8Array): Uint8Array {
  try {
    return agree(privateKey, importPublic(ephemeral), context)
  } catch (error) {
    throw new RecordError('sealed_corrupt', 'sealed', `no key can be agreed with its sender: ${String(error)}`)
  }
}
