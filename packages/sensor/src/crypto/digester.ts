import type { HmacSha256 } from '@affidavit/evidence/record/crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { markValue } from '@affidavit/evidence/record/value-marks'
import { hmac, toHmacKey } from './hmac.ts'
import { sha256 } from './node.ts'

/** Keyed digests under one key, which is made ready once. */
export function createDigester(key: Uint8Array): (value: string | Uint8Array) => KeyedDigest {
  const correlation = toCorrelationKey(sha256, key)
  const ready = toHmacKey(key)
  const withKey: HmacSha256 = (_key, ...parts) => hmac(ready, parts)
  return (value) => digestValue(withKey, correlation, value)
}

/** Marks of values under one key (evidence/record/value-marks), and the key's name. */
export interface ValueMarker {
  keyId: string
  mark: (value: string) => string
}

export function createMarker(key: Uint8Array): ValueMarker {
  const correlation = toCorrelationKey(sha256, key)
  const ready = toHmacKey(key)
  const withKey: HmacSha256 = (_key, ...parts) => hmac(ready, parts)
  return { keyId: correlation.id, mark: (value) => markValue(withKey, correlation, value) }
}
