import { encodeBundle } from '@affidavit/evidence/log/bundle'
import { equalBytes, hashLeaf } from '@affidavit/evidence/log/hash'
import { readRange } from '@affidavit/evidence/log/proof'
import {
  decodeTile, edgeTiles, encodeTile, type TileLevel, type TileWrite, tilePath, tilesToWrite, tileWidth,
} from '@affidavit/evidence/log/tile' // biome-ignore format: one list
import { appendLeaves, type CompactRange, emptyRange, rootOfRange } from '@affidavit/evidence/log/tree'
import type { Sha256 } from '@affidavit/evidence/record/crypto'
import type { TileFile, TileStore, TreeState } from '../store/contract.ts'
import { readBundle, readTileOf } from '../store/entries.ts'
import { CollectError } from './error.ts'

/** The right edge of the tree: what appending needs of everything written so far. Some 250 entries and as many hashes per level. */
export interface TreeEdge {
  range: CompactRange
  /** Contents of the last tile of each level, where it is partial: hashes, or entries for `entries`. */
  partial: ReadonlyMap<TileLevel, readonly Uint8Array[]>
}

export interface Growth {
  edge: TreeEdge
  tree: TreeState
  /** Every file that this growth changes, in the order in which they may appear. */
  files: TileFile[]
}

/** Appends entries. Pure: nothing is written here, and the old edge stays as it is. */
export function growTree(sha256: Sha256, edge: TreeEdge, entries: readonly Uint8Array[]): Growth {
  const leaves = entries.map((entry) => hashLeaf(sha256, entry))
  const { range, root, levels } = appendLeaves(sha256, edge.range, leaves)
  const partial = new Map<TileLevel, readonly Uint8Array[]>()
  const files = tilesToWrite(edge.range.size, range.size).map((write) => {
    const fresh = write.level === 'entries' ? entries : (levels[write.level] ?? [])
    const content = completeTile(edge, write, fresh)
    if (content.length < tileWidth) partial.set(write.level, content)
    return { path: tilePath(write), bytes: write.level === 'entries' ? encodeBundle(content) : encodeTile(content) }
  })
  // A level that this growth did not touch keeps its partial tile.
  for (const [level, content] of edge.partial) {
    const touched = level === 'entries' || (levels[level]?.length ?? 0) > 0
    if (!touched) partial.set(level, content)
  }
  return { edge: { range, partial }, tree: { size: range.size, root }, files }
}

function completeTile(edge: TreeEdge, write: TileWrite, fresh: readonly Uint8Array[]): readonly Uint8Array[] {
  const kept = write.kept === 0 ? [] : (edge.partial.get(write.level) ?? [])
  return [...kept, ...fresh.slice(write.from, write.to)]
}

/**
 * Reads the edge back from the tiles and holds it to the committed tree state, entries included: tiles are not trusted,
 * and whatever is appended to a wrong edge would be signed. Throws CollectError `tree_corrupt`, StoreError `tile_missing`,
 * VerifyError.
 */
export async function readEdge(sha256: Sha256, tiles: TileStore, tree: TreeState): Promise<TreeEdge> {
  const readTile = async (ref: { level: TileLevel; index: number; width: number }) => readTileOf(tiles, ref)
  const range = tree.size === 0 ? emptyRange : await readRange({ sha256, readTile }, tree.size)
  if (!equalBytes(rootOfRange(sha256, range), tree.root)) throw corrupt(tree, 'their root is not the committed one')
  const partial = new Map<TileLevel, readonly Uint8Array[]>()
  for (const ref of edgeTiles(tree.size)) {
    const bytes = await readTile(ref)
    partial.set(ref.level, decodeTile(bytes.subarray(0, ref.width * 32), ref))
  }
  if (tree.size % tileWidth !== 0)
    partial.set('entries', await readBundle(tiles, Math.floor(tree.size / tileWidth), tree.size))
  requireSameEntries(sha256, tree, partial)
  return { range, partial }
}

function requireSameEntries(sha256: Sha256, tree: TreeState, partial: TreeEdge['partial']): void {
  const entries = partial.get('entries') ?? []
  const leaves = partial.get(0) ?? []
  const same = entries.every((entry, i) => equalBytes(hashLeaf(sha256, entry), leaves[i] ?? new Uint8Array()))
  if (!same || entries.length !== leaves.length) throw corrupt(tree, 'the last entries are not those of the tree')
}

function corrupt(tree: TreeState, why: string): CollectError {
  return new CollectError(
    'tree_corrupt',
    `the files under log/ do not belong to the committed tree of size ${tree.size}: ${why}; restore log/ from a backup and run 'affidavit verify'`,
  )
}
