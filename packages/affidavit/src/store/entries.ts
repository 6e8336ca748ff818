import { decodeBundle } from '@affidavit/evidence/log/bundle'
import { type TileRef, tilePath, tileWidth, widthInTree } from '@affidavit/evidence/log/tile'
import type { TileStore } from './contract.ts'
import { StoreError } from './error.ts'

/**
 * A tile or bundle of a tree, in the version of the given width or, where that was removed, the full one that replaced
 * it (tlog-tiles). Throws StoreError `tile_missing`.
 */
export async function readTileOf(tiles: Pick<TileStore, 'read'>, ref: TileRef): Promise<Uint8Array> {
  const bytes = (await tiles.read(tilePath(ref))) ?? (await tiles.read(tilePath({ ...ref, width: tileWidth })))
  if (bytes !== undefined) return bytes
  throw new StoreError('tile_missing', `log/${tilePath(ref)} is missing: restore it from a copy of the log`)
}

/** Entries of one bundle in a tree of this size. Throws StoreError `tile_missing`, VerifyError `bad_bundle`. */
export async function readBundle(
  tiles: Pick<TileStore, 'read'>,
  index: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  const width = widthInTree('entries', index, size)
  const partial = await tiles.read(tilePath({ level: 'entries', index, width }))
  if (partial !== undefined) return decodeBundle(partial, width)
  const full = await readTileOf(tiles, { level: 'entries', index, width: tileWidth })
  return decodeBundle(full, tileWidth).slice(0, width)
}

export interface IndexedEntry {
  leaf: number
  entry: Uint8Array
}

/** Entries of the leaves in [from, to) of a tree of at least `to` leaves, ascending. What they say is not verified here. */
export async function* iterateEntries(
  tiles: Pick<TileStore, 'read'>,
  span: { from: number; to: number },
  size: number,
): AsyncGenerator<IndexedEntry> {
  for (let leaf = span.from; leaf < span.to; ) {
    const index = Math.floor(leaf / tileWidth)
    const entries = await readBundle(tiles, index, size)
    for (const entry of entries.slice(leaf - index * tileWidth, span.to - index * tileWidth)) {
      yield { leaf, entry }
      leaf += 1
    }
  }
}
