import { VerifyError } from './error.ts'
import { hashBytes } from './hash.ts'

/** Hashes of a full tile, entries of a full bundle (tlog-tiles). */
export const tileWidth = 256

/** Tile level (0…63), or the entry bundles, which lie beside level 0. */
export type TileLevel = number | 'entries'

/** One resource of a tiled log: `width` hashes (or entries) from index × 256 on; 256 for a full one, else 1…255. */
export interface TileRef {
  readonly level: TileLevel
  readonly index: number
  readonly width: number
}

/** Path below the log's prefix: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, N as in `x001/x234/067`. */
export function tilePath({ level, index, width }: TileRef): string {
  const partial = width === tileWidth ? '' : `.p/${width}`
  return `tile/${level}/${tileIndexPath(index)}${partial}`
}

function tileIndexPath(index: number): string {
  const last = String(index % 1000).padStart(3, '0')
  let path = last
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return path
}

const pathPattern = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Inverse of tilePath; anything it would not write is refused. Throws VerifyError `bad_tile_path`. */
export function parseTilePath(path: string): TileRef {
  const refuse = () => new VerifyError('bad_tile_path', `not a tile path: ${path.slice(0, 200)}`, { path })
  const match = pathPattern.exec(path)
  if (match === null) throw refuse()
  const [, levelText = '', indexText = '', widthText] = match
  const level: TileLevel = levelText === 'entries' ? 'entries' : Number(levelText)
  const index = Number(indexText.replaceAll(/[x/]/g, ''))
  const width = widthText === undefined ? tileWidth : Number(widthText)
  const ref = { level, index, width }
  const inRange = (level === 'entries' || level <= 63) && Number.isSafeInteger(index)
  const whole = widthText === undefined || width < tileWidth
  // A leading x000 would be a second spelling of the same tile.
  if (!inRange || !whole || tilePath(ref) !== path) throw refuse()
  return ref
}

/** Number of complete hashes on a level of a tree of this size: floor(size / 256^level). */
export function levelWidth(level: TileLevel, size: number): number {
  return level === 'entries' ? size : Math.floor(size / tileWidth ** level)
}

/** Width of one tile in a tree of this size; 0 where the tree does not reach it. */
export function widthInTree(level: TileLevel, index: number, size: number): number {
  return Math.max(0, Math.min(tileWidth, levelWidth(level, size) - index * tileWidth))
}

/** A tile to write when a tree grows: `kept` hashes were in it before, the rest is `fresh` of that level's new hashes. */
export interface TileWrite extends TileRef {
  /** Width of the same tile before; 0 for a new one. Those bytes are read from its old, partial version. */
  readonly kept: number
  /** Slice [from, to) of Growth.levels[level], or of the new entries. */
  readonly from: number
  readonly to: number
}

/**
 * Every tile and bundle that a growth from size `from` to size `to` has to write, bundles first, then the levels from
 * the leaves up: the order in which a crash leaves nothing that refers to what is not there yet (DESIGN §4). The last
 * one of each level may be partial.
 */
export function tilesToWrite(from: number, to: number): TileWrite[] {
  const writes = writesOfLevel('entries', from, to)
  for (let level = 0; levelWidth(level, to) > 0; level++) writes.push(...writesOfLevel(level, from, to))
  return writes
}

function writesOfLevel(level: TileLevel, from: number, to: number): TileWrite[] {
  const start = levelWidth(level, from)
  const end = levelWidth(level, to)
  const writes: TileWrite[] = []
  for (let at = start; at < end; ) {
    const index = Math.floor(at / tileWidth)
    const stop = Math.min(end, (index + 1) * tileWidth)
    const kept = at - index * tileWidth
    writes.push({ level, index, width: stop - index * tileWidth, kept, from: at - start, to: stop - start })
    at = stop
  }
  return writes
}

/** Tiles on the right edge of a tree: what a process has to read to go on appending. Partial ones only. */
export function edgeTiles(size: number): TileRef[] {
  const edges: TileRef[] = []
  for (let level = 0; levelWidth(level, size) > 0; level++) {
    const width = levelWidth(level, size) % tileWidth
    if (width > 0) edges.push({ level, index: Math.floor(levelWidth(level, size) / tileWidth), width })
  }
  return edges
}

/** Hashes one after the other. */
export function encodeTile(hashes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(hashes.length * hashBytes)
  for (const [i, hash] of hashes.entries()) out.set(hash, i * hashBytes)
  return out
}

/** Splits without copying. Throws VerifyError `bad_tile` where the length is not exactly `width` hashes. */
export function decodeTile(bytes: Uint8Array, ref: TileRef): Uint8Array[] {
  if (bytes.length !== ref.width * hashBytes) throw badTile(bytes, ref)
  return Array.from({ length: ref.width }, (_, i) => bytes.subarray(i * hashBytes, (i + 1) * hashBytes))
}

export function badTile(bytes: Uint8Array, ref: TileRef): VerifyError {
  const expected = String(ref.width * hashBytes)
  const message = `${tilePath(ref)} has ${bytes.length} bytes, expected ${expected}`
  return new VerifyError('bad_tile', message, { path: tilePath(ref), bytes: String(bytes.length), expected })
}
