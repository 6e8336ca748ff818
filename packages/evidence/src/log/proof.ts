import { VerifyError } from './error.ts'
import { hashBytes, hashNode, requireHash, type Sha256 } from './hash.ts'
import { badTile, type TileRef, tilePath, tileWidth, widthInTree } from './tile.ts'
import { type CompactRange, joinSubtrees, rootOfRange, tileHeight, toRange } from './tree.ts'

/**
 * Reads a tile of hashes (never a bundle). At least `width` × 32 bytes: a longer version of the same tile serves as
 * well, since tiles only grow. What it returns is not trusted here; a proof built from wrong tiles does not verify.
 */
export type ReadTile = (ref: TileRef) => Uint8Array | Promise<Uint8Array>

export interface ProofSource {
  readonly sha256: Sha256
  readonly readTile: ReadTile
}

/** Leaves [from, to). */
interface Span {
  readonly from: number
  readonly to: number
}

/**
 * PATH(index, D[size]) of RFC 9162 §2.1.3.1, from the leaf's sibling up to the root's child. Reads at most two tiles per
 * tile level. Throws VerifyError `bad_index` or `bad_tile`, and what readTile throws.
 */
export async function inclusionProof(source: ProofSource, index: number, size: number): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new VerifyError('bad_index', `no entry ${index} in a tree of size ${size}`)
  return hashSpans(source, inclusionSpans(index, size), size)
}

/**
 * PROOF(oldSize, D[size]) of RFC 9162 §2.1.4.1; empty for equal sizes. Throws VerifyError `empty_tree` from size 0: such
 * a proof would prove nothing.
 */
export async function consistencyProof(source: ProofSource, oldSize: number, size: number): Promise<Uint8Array[]> {
  if (oldSize === 0) throw new VerifyError('empty_tree', 'no consistency proof exists from an empty tree')
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > size)
    throw new VerifyError('bad_size', `no consistency proof from size ${oldSize} to ${size}`)
  return hashSpans(source, consistencySpans(oldSize, size), size)
}

/** Frontier of the tree at `size`, read from its tiles: what an append starts from. */
export async function readRange(source: ProofSource, size: number): Promise<CompactRange> {
  const pieces = perfectPieces({ from: 0, to: size })
  return toRange(size, await hashSpans(source, pieces, size))
}

/** Root of the tree at `size`, recomputed from the tiles on its right edge. */
export async function readRoot(source: ProofSource, size: number): Promise<Uint8Array> {
  return rootOfRange(source.sha256, await readRange(source, size))
}

function inclusionSpans(index: number, size: number): Span[] {
  const spans: Span[] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const split = from + largestPowerBelow(to - from)
    spans.push(index < split ? { from: split, to } : { from, to: split })
    if (index < split) to = split
    else from = split
  }
  return spans.reverse()
}

function consistencySpans(oldSize: number, size: number): Span[] {
  const spans: Span[] = []
  let from = 0
  let to = size
  while (oldSize !== to) {
    const split = from + largestPowerBelow(to - from)
    spans.push(oldSize <= split ? { from: split, to } : { from, to: split })
    if (oldSize <= split) to = split
    else from = split
  }
  // The old tree as a whole is left out: the verifier brings its root.
  if (from > 0) spans.push({ from, to })
  return spans.reverse()
}

async function hashSpans({ sha256, readTile }: ProofSource, spans: readonly Span[], size: number) {
  const tiles = new Map<string, Promise<Uint8Array>>()
  for (const piece of spans.flatMap(perfectPieces)) {
    const { ref } = locate(piece, size)
    const path = tilePath(ref)
    if (!tiles.has(path)) tiles.set(path, readChecked(readTile, ref))
  }
  const bytes = new Map<string, Uint8Array>()
  for (const [path, tile] of await Promise.all([...tiles].map(async ([path, tile]) => [path, await tile] as const)))
    bytes.set(path, tile)
  const hashPiece = (piece: Span) => {
    const { ref, first, count } = locate(piece, size)
    const tile = bytes.get(tilePath(ref)) ?? new Uint8Array()
    return hashPerfect(sha256, tile.subarray(first * hashBytes, (first + count) * hashBytes))
  }
  return spans.map((span) => joinSubtrees(sha256, perfectPieces(span).map(hashPiece)))
}

async function readChecked(readTile: ReadTile, ref: TileRef): Promise<Uint8Array> {
  const bytes = await readTile(ref)
  if (bytes.length < ref.width * hashBytes || bytes.length % hashBytes !== 0) throw badTile(bytes, ref)
  return bytes
}

/** Splits leaves into subtrees of a power of two, as RFC 9162 splits a tree: the largest first. */
function perfectPieces({ from, to }: Span): Span[] {
  const pieces: Span[] = []
  for (let at = from; at < to; ) {
    const end = at + largestPowerUpTo(to - at)
    pieces.push({ from: at, to: end })
    at = end
  }
  return pieces
}

/** Where the hashes of a perfect subtree lie: `count` of them from `first` on, within one tile. */
function locate({ from, to }: Span, size: number): { ref: TileRef; first: number; count: number } {
  const height = Math.round(Math.log2(to - from))
  const level = Math.floor(height / tileHeight)
  const at = from / tileWidth ** level
  const index = Math.floor(at / tileWidth)
  const ref = { level, index, width: widthInTree(level, index, size) }
  return { ref, first: at - index * tileWidth, count: 2 ** (height % tileHeight) }
}

/** Root over 2^n concatenated hashes. */
function hashPerfect(sha256: Sha256, hashes: Uint8Array): Uint8Array {
  if (hashes.length <= hashBytes) return requireHash(hashes, 'tile hash').slice()
  const middle = hashes.length / 2
  return hashNode(sha256, hashPerfect(sha256, hashes.subarray(0, middle)), hashPerfect(sha256, hashes.subarray(middle)))
}

/** Largest power of two smaller than n (n ≥ 2), RFC 9162 §2.1.1. */
function largestPowerBelow(n: number): number {
  const power = largestPowerUpTo(n)
  return power === n ? power / 2 : power
}

function largestPowerUpTo(n: number): number {
  let power = 1
  while (power * 2 <= n) power *= 2
  return power
}
