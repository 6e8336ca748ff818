import type { Attribute } from '@affidavit/evidence/record/identity-section'
import { isJsonObject } from './meta-keys.ts'

/** Texts in the claims of a token, whatever those who made it took for text. */

export type Claims = Record<string, unknown>

/** Issuers write numbers as text, but need not. Nothing where the value is none. */
export function attribute(name: string, value: unknown): Attribute[] {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  return typeof text === 'string' && text !== '' ? [{ name, value: text }] : []
}

/** Texts at a claim, which may be one, a list of them, or several in one (RFC 9068 §2.2.3.1). */
export function textsAt(claims: Claims, path: readonly string[]): string[] {
  let at: unknown = claims
  for (const name of path) at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  return (Array.isArray(at) ? at : [at]).flatMap((each) => attribute('', each)).map(({ value }) => value)
}
