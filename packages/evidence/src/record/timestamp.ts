import { RecordError } from './error.ts'
import type { Timestamp } from './header.ts'
import { type Check, matchingPlain } from './shape.ts'

/** Calendar days that exist, leap years included: days up to 28 or by month, or 29 February of a leap year. */
const day =
  '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))' +
  '|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)'

/** RFC 3339, UTC as `Z`, exactly three digits of a second. No leap seconds: no clock we read shows them. */
export const timestampPattern = new RegExp(`^${day}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$`)

export const timestamp: Check = matchingPlain(timestampPattern, 'a time such as 2026-11-20T11:03:40.123Z')

let last = { unixMs: Number.NaN, text: '' }

/** From milliseconds since 1970. Throws RecordError `bad_value` outside the years 0 to 9999. */
export function formatTimestamp(unixMs: number): Timestamp {
  // Under load most times are that of the record before.
  if (unixMs === last.unixMs) return last.text
  const date = new Date(unixMs)
  const formatted = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  if (!timestampPattern.test(formatted)) throw new RecordError('bad_value', 'time', 'no year of four digits')
  last = { unixMs, text: formatted }
  return formatted
}

/** Milliseconds since 1970. Throws RecordError `bad_value`. */
export function parseTimestamp(text: string): number {
  if (!timestampPattern.test(text))
    throw new RecordError('bad_value', 'time', 'expected a time in UTC with milliseconds')
  return Date.parse(text)
}
