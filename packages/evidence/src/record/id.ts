import { RecordError } from './error.ts'
import type { Uuid } from './header.ts'
import { type Check, matching, matchingPlain } from './shape.ts'

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
export const uuidV7Pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Any version: the kernel's boot id is of version 4. */
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const uuidV7: Check = matchingPlain(uuidV7Pattern, 'a UUID of version 7, lower case')
export const uuid: Check = matchingPlain(uuidPattern, 'a UUID, lower case')
export const sensorId: Check = matchingPlain(/^[0-9a-f]{16}$/, '16 hex digits')
/** Tenants and epochs are path segments and parts of a log's origin. */
export const place: Check = matchingPlain(
  /^[a-z0-9][a-z0-9._-]{0,63}$/,
  'lower-case letters, digits, . _ and -, at most 64',
)
/** A signed note's key name: no white space, no plus sign (C2SP signed-note). */
export const origin: Check = matching(/^[!-*,-~]{1,255}$/, 'printable ASCII without + and space, at most 255')
/** W3C Trace Context: all zeros mean "invalid". */
export const traceId: Check = matchingPlain(/^(?!0{32})[0-9a-f]{32}$/, '32 hex digits, not all zero')
export const spanId: Check = matchingPlain(/^(?!0{16})[0-9a-f]{16}$/, '16 hex digits, not all zero')

/**
 * UUID version 7 (RFC 9562 §5.7) from a time in milliseconds since 1970 and 16 random bytes, of which the last 10 are
 * used. Ids of the same millisecond are in no order. Throws RecordError `bad_value`.
 */
export function formatUuidV7(unixMs: number, random: Uint8Array): Uuid {
  if (random.length !== 16) throw new RecordError('bad_value', 'uuid', 'expected 16 random bytes')
  if (!Number.isInteger(unixMs) || unixMs < 0 || unixMs >= 2 ** 48)
    throw new RecordError('bad_value', 'uuid', 'the time does not fit 48 bits')
  const time = unixMs.toString(16).padStart(12, '0')
  const digits = (at: number) => hex[random[at] ?? 0]
  const version = `7${hex[(random[6] ?? 0) & 0x0f]?.slice(1)}${digits(7)}`
  const variant = `${hex[((random[8] ?? 0) & 0x3f) | 0x80]}${digits(9)}`
  const node = `${digits(10)}${digits(11)}${digits(12)}${digits(13)}${digits(14)}${digits(15)}`
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${node}`
}

export function isUuidV7(value: unknown): value is Uuid {
  return uuidV7(value) === undefined
}

/** Milliseconds since 1970 at which the id was made. Throws RecordError `bad_value`. */
export function timeOfUuidV7(id: Uuid): number {
  if (!isUuidV7(id)) throw new RecordError('bad_value', 'uuid', 'expected a UUID of version 7')
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}
