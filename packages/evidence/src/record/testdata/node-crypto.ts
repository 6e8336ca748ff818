import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import type { HmacSha256, SealingCrypto, Sha256 } from '../crypto.ts'
import { RecordError } from '../error.ts'

/** Node's cryptography for the tests of this package, which depends on none. */

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const hmac: HmacSha256 = (key, ...parts) => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

const nonce = new Uint8Array(12)

export const sealing: SealingCrypto = {
  hkdf: (secret, purpose, length) => new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), purpose, length)),
  seal(key, plaintext) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  },
  open(key, sealed) {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    decipher.setAuthTag(sealed.subarray(-16))
    const plaintext = decipher.update(sealed.subarray(0, -16))
    try {
      return Buffer.concat([plaintext, decipher.final()])
    } catch (error) {
      throw new RecordError('sealed_corrupt', 'body', `authentication failed: ${String(error)}`)
    }
  },
}
