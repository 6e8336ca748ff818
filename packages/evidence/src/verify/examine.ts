import { decodeBundle } from '../log/bundle.ts'
import { VerifyError } from '../log/error.ts'
import { tileWidth } from '../log/tile.ts'
import type { Sha256 } from '../record/crypto.ts'
import { splitEntry } from '../record/entry.ts'
import type { Envelope } from '../record/envelope.ts'
import { parseEnvelope } from '../record/envelope-bytes.ts'
import { RecordError } from '../record/error.ts'
import { hashHeader } from '../record/hash.ts'
import type { Header } from '../record/header.ts'
import { parseHeader } from '../record/header-bytes.ts'

/** An entry as far as it can be judged alone. */
export type ExaminedEntry =
  | { readonly header: Header; readonly headerHash: Uint8Array; readonly envelope: Envelope }
  | { readonly error: RecordError }

export interface ExaminedBundle {
  readonly entries: readonly ExaminedEntry[]
}

/**
 * Parses one bundle, for whoever needs whole headers (verifyLog reads links, link.ts). Throws VerifyError `bad_bundle`; an
 * entry that does not parse is returned with its error.
 */
export function examineBundle(sha256: Sha256, bytes: Uint8Array, count: number): ExaminedBundle {
  return { entries: decodeEntries(bytes, count).map((entry) => examineEntry(sha256, entry)) }
}

export function examineEntry(sha256: Sha256, entry: Uint8Array): ExaminedEntry {
  try {
    const lines = splitEntry(entry)
    const header = parseHeader(lines.header)
    return { header, headerHash: hashHeader(sha256, lines.header), envelope: parseEnvelope(lines.envelope) }
  } catch (error) {
    if (error instanceof RecordError) return { error }
    throw error
  }
}

/** The full bundle serves where the partial one is gone: bundles only grow (tlog-tiles, "Partial Tiles"). */
export function decodeEntries(bytes: Uint8Array, count: number): Uint8Array[] {
  try {
    return decodeBundle(bytes, count)
  } catch (error) {
    const isLonger = error instanceof VerifyError && error.code === 'bad_bundle' && count < tileWidth
    if (!isLonger) throw error
    return decodeBundle(bytes, tileWidth).slice(0, count)
  }
}
