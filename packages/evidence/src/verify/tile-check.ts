import { equalBytes, hashBytes, type Sha256 } from '../log/hash.ts'
import { type TileRef, tilePath, tileWidth } from '../log/tile.ts'
import { appendLeaves, type CompactRange } from '../log/tree.ts'
import type { ProblemSink } from './problem.ts'

/** Reads a file below the log's folder; undefined where it is not there. What it returns is trusted for nothing. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>

/**
 * Stored hashes against recomputed ones. Which of the two is wrong shows only at the end, when one of them leads to the
 * signed root: so the tree of the stored leaves is built beside the other from the first difference on.
 */
export interface TileCheck {
  readonly sha256: Sha256
  readonly readFile: ReadFile
  readonly problems: ProblemSink
  /** Recomputed hashes of the last, partial tile per level from 1 on. */
  readonly pending: Uint8Array[][]
  readonly startsOfPending: number[]
  /** Leaves whose stored hash differs; the first `differencesMax`. */
  readonly leaves: number[]
  readonly tiles: { path: string; first: number; span: number }[]
  differences: number
  stored: CompactRange | undefined
}

const differencesMax = 1000

export function createTileCheck(source: Pick<TileCheck, 'sha256' | 'readFile' | 'problems'>): TileCheck {
  return { ...source, pending: [], startsOfPending: [], leaves: [], tiles: [], differences: 0, stored: undefined }
}

/** A tile of stored hashes in this version or, where that was removed, the full one (tlog-tiles). */
export async function readStoredTile(readFile: ReadFile, ref: TileRef): Promise<Uint8Array | undefined> {
  const bytes = (await readFile(tilePath(ref))) ?? (await readFile(tilePath({ ...ref, width: tileWidth })))
  return bytes === undefined || bytes.length === ref.width * hashBytes || bytes.length !== tileWidth * hashBytes
    ? bytes
    : bytes.subarray(0, ref.width * hashBytes)
}

/** One tile of level 0: as stored (undefined where missing) and as recomputed, with the tree up to it. */
export interface LeafTile {
  readonly ref: TileRef
  readonly stored: Uint8Array | undefined
  readonly recomputed: readonly Uint8Array[]
  readonly before: CompactRange
}

export function compareLeaves(check: TileCheck, { ref, stored, recomputed, before }: LeafTile): void {
  const hashes = isWhole(check, ref, stored) ? splitHashes(stored) : recomputed
  const differing = findDifferences(hashes, recomputed)
  if (differing.length > 0 && check.stored === undefined) check.stored = before
  check.differences += differing.length
  for (const at of differing) if (check.leaves.length < differencesMax) check.leaves.push(ref.index * tileWidth + at)
  if (check.stored !== undefined) check.stored = appendLeaves(check.sha256, check.stored, hashes).range
}

/** Takes the hashes that a growth completed on the upper levels, and compares every tile that becomes full. */
export async function compareUpper(check: TileCheck, levels: readonly (readonly Uint8Array[])[]): Promise<void> {
  for (const [level, hashes] of levels.entries()) {
    if (level === 0) continue
    for (const hash of hashes) {
      const pending = check.pending[level] ?? []
      pending.push(hash)
      check.pending[level] = pending
      if (pending.length === tileWidth) await closeTile(check, level)
    }
  }
}

/** Compares the partial tiles at the right edge. */
export async function compareEdge(check: TileCheck): Promise<void> {
  for (const [level, pending] of check.pending.entries())
    if (level > 0 && (pending?.length ?? 0) > 0) await closeTile(check, level)
}

async function closeTile(check: TileCheck, level: number): Promise<void> {
  const recomputed = check.pending[level] ?? []
  const index = check.startsOfPending[level] ?? 0
  const ref = { level, index, width: recomputed.length }
  check.pending[level] = []
  check.startsOfPending[level] = index + 1
  const stored = await readStoredTile(check.readFile, ref)
  if (!isWhole(check, ref, stored)) return
  const span = tileWidth ** level
  for (const at of findDifferences(splitHashes(stored), recomputed).slice(0, 1))
    check.tiles.push({ path: tilePath(ref), first: (index * tileWidth + at) * span, span })
}

function isWhole(check: TileCheck, ref: TileRef, stored: Uint8Array | undefined): stored is Uint8Array {
  const path = tilePath(ref)
  if (stored === undefined) check.problems.add('tile_missing', { path }, `${path} is missing`)
  else if (stored.length !== ref.width * hashBytes)
    check.problems.add(
      'tile_altered',
      { path },
      `${path} has ${stored.length} bytes, expected ${ref.width * hashBytes}`,
    )
  return stored !== undefined && stored.length === ref.width * hashBytes
}

function findDifferences(stored: readonly Uint8Array[], recomputed: readonly Uint8Array[]): number[] {
  const differing: number[] = []
  for (const [i, hash] of recomputed.entries()) if (!equalBytes(stored[i] ?? nothing, hash)) differing.push(i)
  return differing
}

const nothing = new Uint8Array()

export function splitHashes(tile: Uint8Array): Uint8Array[] {
  return Array.from({ length: tile.length / hashBytes }, (_, i) => tile.subarray(i * hashBytes, (i + 1) * hashBytes))
}

/** What differed, judged by which of the two trees is the signed one. */
export function judgeTiles(
  check: TileCheck,
  isSigned: (range: CompactRange) => boolean,
  recomputed: CompactRange,
): void {
  const { problems, stored } = check
  const entriesAreRight = isSigned(recomputed)
  const tilesAreRight = !entriesAreRight && stored !== undefined && isSigned(stored)
  for (const index of check.leaves) {
    const path = tilePath({ level: 0, index: Math.floor(index / tileWidth), width: tileWidth })
    if (entriesAreRight)
      problems.add('tile_altered', { path }, `stored hash of entry ${index} is not that of the entry`)
    else
      problems.add(
        'entry_altered',
        { index },
        `entry ${index} is not the one whose hash is stored and ${tilesAreRight ? 'signed' : 'was written'}`,
      )
  }
  for (const { path, first, span } of check.tiles) {
    const where = `${path} differs from the hash of entries ${first} to ${first + span - 1}`
    if (entriesAreRight) problems.add('tile_altered', { path }, where)
    else if (check.differences === 0) problems.add('entry_altered', { index: first, path }, where)
  }
}
