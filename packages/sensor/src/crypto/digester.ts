import type { HmacSha256 } from '@affidavit/evidence/record/crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { hmac, toHmacKey } from './hmac.ts'
import { sha256 } from './node.ts'

/** Keyed digests under one key, which is made ready once. */
export function createDigester(key: Uint8Array): (value: string | Uint8Array) => KeyedDigest {
  const correlation = toCorrelationKey(sha256, key)
  const ready = toHmacKey(key)
  const withKey: HmacSha256 = (_key, ...parts) => hmac(ready, parts)
  return (value) => digestValue(withKey, correlation, value)
}
