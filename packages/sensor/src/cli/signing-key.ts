import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

/** An Ed25519 key in PEM. Throws UsageError `AFD_SECRET_UNREADABLE`, or `AFD_CONFIG_UNREADABLE` where there is no such file. */
export function readSigningKey(path: string): KeyObject {
  const text = readText(path)
  const remedy = 'Make one: openssl genpkey -algorithm ed25519 -out my.key'
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new UsageError('AFD_SECRET_UNREADABLE', `${path} holds no private key in PEM (${code})`, remedy)
  }
  throw new UsageError('AFD_SECRET_UNREADABLE', `${path} holds a key that is not Ed25519`, remedy)
}

/** Its public half as configurations have it: base64 of 32 bytes. */
export function toRawKey(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
}
