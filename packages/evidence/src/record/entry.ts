import { RecordError } from './error.ts'

/** Limit of an entry, set by the 16-bit length prefix of tlog-tiles entry bundles. */
export const entryBytesMax = 65_535
const newline = 0x0a

/** Entry = header line as captured, LF, envelope line. Both lines are canonical JSON, hence free of LF. */
export function encodeEntry(header: Uint8Array, envelope: Uint8Array): Uint8Array {
  const length = header.length + 1 + envelope.length
  if (length > entryBytesMax)
    throw new RecordError('too_large', 'entry', `entry of ${length} bytes, at most ${entryBytesMax}`)
  const entry = new Uint8Array(length)
  entry.set(header)
  entry[header.length] = newline
  entry.set(envelope, header.length + 1)
  return entry
}

/** Splits without copying. Throws RecordError `bad_entry` where there is not exactly one LF. */
export function splitEntry(entry: Uint8Array): { header: Uint8Array; envelope: Uint8Array } {
  const at = entry.indexOf(newline)
  if (at < 0 || entry.indexOf(newline, at + 1) >= 0) throw new RecordError('bad_entry', 'entry', 'expected two lines')
  return { header: entry.subarray(0, at), envelope: entry.subarray(at + 1) }
}
