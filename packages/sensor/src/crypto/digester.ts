import { createHmac, createSecretKey } from 'node:crypto'
import type { HmacSha256 } from '@affidavit/evidence/record/crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { sha256 } from './node.ts'

/** Keyed digests under one key. OpenSSL sets a key up once per key object: ten times faster than once per digest. */
export function createDigester(key: Uint8Array): (value: string | Uint8Array) => KeyedDigest {
  const correlation = toCorrelationKey(sha256, key)
  const secret = createSecretKey(key)
  const hmac: HmacSha256 = (_key, ...parts) => {
    const mac = createHmac('sha256', secret)
    for (const part of parts) mac.update(part)
    return mac.digest()
  }
  return (value) => digestValue(hmac, correlation, value)
}
