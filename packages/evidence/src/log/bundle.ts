import { VerifyError } from './error.ts'
import { tileWidth } from './tile.ts'

/** Limit of one entry, set by the 16-bit length prefix of entry bundles (tlog-tiles). */
export const bundleEntryBytesMax = 65_535

/** Entries one after the other, each behind its length as a big-endian uint16 (tlog-tiles). Throws VerifyError `bad_bundle`. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const length = entries.reduce((sum, entry) => sum + 2 + entry.length, 0)
  const out = new Uint8Array(length)
  let at = 0
  for (const entry of entries) {
    if (entry.length > bundleEntryBytesMax)
      throw new VerifyError('bad_bundle', `entry of ${entry.length} bytes, at most ${bundleEntryBytesMax}`)
    out[at] = entry.length >>> 8
    out[at + 1] = entry.length & 0xff
    out.set(entry, at + 2)
    at += 2 + entry.length
  }
  return out
}

/**
 * Splits without copying. Throws VerifyError `bad_bundle` unless the bytes are exactly `count` entries (1…256), which
 * the caller knows from the tree size: a bundle does not say itself how many it should hold.
 */
export function decodeBundle(bytes: Uint8Array, count: number): Uint8Array[] {
  if (count < 1 || count > tileWidth) throw new VerifyError('bad_bundle', `a bundle has no ${count} entries`)
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    if (entries.length === count) throw badBundle(at, `more than ${count} entries`)
    if (at + 2 > bytes.length) throw badBundle(at, 'length prefix is cut')
    const end = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
    if (end > bytes.length) throw badBundle(at, 'entry is cut')
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  if (entries.length < count) throw badBundle(at, `${entries.length} entries, expected ${count}`)
  return entries
}

function badBundle(at: number, why: string): VerifyError {
  return new VerifyError('bad_bundle', `entry bundle is malformed at byte ${at}: ${why}`, { at: String(at), why })
}
