import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import { resistsGuessing } from '@affidavit/evidence/record/guessing'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { RuleClass } from './rule.ts'

/** Keyed digests of removed values, so that equal ones meet across records without being there. */
export function createDigest(key: Uint8Array): (value: string, ruleClass: RuleClass) => KeyedDigest | undefined {
  const correlationKey = toCorrelationKey(hash, key)
  // Made ready once: from bytes, OpenSSL's setting up of a key takes several times what the HMAC itself does.
  const ready = createSecretKey(key)
  const hmac = (_key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
    const running = createHmac('sha256', ready)
    for (const part of parts) running.update(part)
    return running.digest()
  }
  return (value, ruleClass) => {
    const canonical = canonicalOf(value, ruleClass)
    if (!resistsGuessing(canonical)) return undefined
    return digestValue(hmac, correlationKey, canonical)
  }
}

function hash(...parts: Uint8Array[]): Uint8Array {
  const running = createHash('sha256')
  for (const part of parts) running.update(part)
  return running.digest()
}

/** One spelling per number and address: cards and IBANs without separators, addresses in lower case. Secrets as they are. */
function canonicalOf(value: string, ruleClass: RuleClass): string {
  if (ruleClass === 'card' || ruleClass === 'ssn') return value.replace(/\D/g, '')
  if (ruleClass === 'iban') return value.replace(/\s/g, '').toUpperCase()
  return ruleClass === 'email' || ruleClass === 'domain' ? value.toLowerCase() : value
}
