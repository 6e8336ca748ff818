import { toBase64 } from './base64.ts'
import type { HmacSha256 } from './crypto.ts'
import type { CorrelationKey } from './digest.ts'
import { type Check, listOf, matchingPlain, object, oneOf } from './shape.ts'
import { text } from './text.ts'

/**
 * Marks of values that stood in a text: short keyed digests by which equal values are found again, and which say nothing else to
 * whoever lacks the key (docs/VALUES.md).
 */
export interface ValueMarks {
  /** Id of the correlation key they were made with: its first 8 hex digits, as in keyed digests. */
  key: string
  /** `some`: there were more values, or more text, than was looked at. */
  kept: 'all' | 'some'
  /** Where they stood: of arguments the pointer to the outermost member, of a result empty. */
  places: { path: string; marks: string[] }[]
}

/** Per record. */
export const marksMax = 96

const mark: Check = matchingPlain(/^[A-Za-z0-9+/]{16}$/, '12 bytes in base64')

export const valueMarksShape = object({
  key: matchingPlain(/^[0-9a-f]{8}$/, '8 hex digits'),
  kept: oneOf(['all', 'some']),
  places: listOf(object({ path: text(128, 0), marks: listOf(mark, marksMax) }), marksMax),
})

const domain = new TextEncoder().encode('affidavit/v1 value\n')
const utf8 = new TextEncoder()
const markBytes = 12

/** The first 12 bytes of HMAC-SHA-256(key, "affidavit/v1 value\n" ‖ UTF-8 of the value), in base64. */
export function markValue(hmac: HmacSha256, { key }: CorrelationKey, value: string): string {
  return toBase64(hmac(key, domain, utf8.encode(value)).subarray(0, markBytes))
}
