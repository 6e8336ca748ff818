import { encodeBundle } from '../bundle.ts'
import { hashLeaf } from '../hash.ts'
import { decodeTile, encodeTile, type TileRef, type TileWrite, tilePath, tilesToWrite } from '../tile.ts'
import { appendLeaves, type CompactRange, emptyRange, type Growth } from '../tree.ts'
import { sha256 } from './shared.ts'

/** A tiled log in memory, written the way a writer on disk does: every version of every tile stays. */
export interface TiledLog {
  readonly files: Map<string, Uint8Array>
  readonly entries: Uint8Array[]
  range: CompactRange
}

export const emptyLog = (): TiledLog => ({ files: new Map(), entries: [], range: emptyRange })

export function grow(log: TiledLog, entries: readonly Uint8Array[]): Growth {
  const from = log.range.size
  const growth = appendLeaves(
    sha256,
    log.range,
    entries.map((entry) => hashLeaf(sha256, entry)),
  )
  log.entries.push(...entries)
  for (const write of tilesToWrite(from, growth.range.size))
    log.files.set(tilePath(write), contentOf(log, growth, write))
  log.range = growth.range
  return growth
}

function contentOf(log: TiledLog, growth: Growth, write: TileWrite): Uint8Array {
  if (write.level === 'entries') {
    const start = write.index * 256
    return encodeBundle(log.entries.slice(start, start + write.width))
  }
  const fresh = (growth.levels[write.level] ?? []).slice(write.from, write.to)
  if (write.kept === 0) return encodeTile(fresh)
  const old = { ...write, width: write.kept }
  return encodeTile([...decodeTile(read(log, old), old), ...fresh])
}

export function read(log: TiledLog, ref: TileRef): Uint8Array {
  const bytes = log.files.get(tilePath(ref))
  if (bytes === undefined) throw new Error(`${tilePath(ref)} was never written`)
  return bytes
}

export const source = (log: TiledLog) => ({ sha256, readTile: (ref: TileRef) => read(log, ref) })
