import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { RuleClass } from './rule.ts'

const bitsMin = 40
const charsMin = 8

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
    if (canonical.length < charsMin || bitsOf(canonical) < bitsMin) return undefined
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

/**
 * How many guesses the value's shape allows, in bits: its length times the alphabet it visibly uses. Numbers up to 12 digits
 * (SSN, IPv4, most phone numbers) and eight lower-case letters stay below 40 bits, which a key holder would try in minutes.
 */
function bitsOf(value: string): number {
  const packed = value.replace(/[\s().+/:-]/g, '')
  if (/^\d*$/.test(packed)) return packed.length * Math.log2(10)
  const kinds = [/\d/, /[a-z]/, /[A-Z]/, /[^A-Za-z\d]/]
  const sizes = [10, 26, 26, 33]
  const alphabet = kinds.reduce((sum, kind, i) => sum + (kind.test(value) ? (sizes[i] ?? 0) : 0), 0)
  return value.length * Math.log2(alphabet)
}
