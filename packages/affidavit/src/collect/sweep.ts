import { posix } from 'node:path'
import { levelWidth, type TileLevel, tilePath, tileWidth, widthInTree } from '@affidavit/evidence/log/tile'
import type { TileStore } from '../store/contract.ts'

/** No step writes further than this from the edge (sequencer.ts bounds its steps to far fewer entries). */
const reachEntries = 64 * tileWidth
/** The eighth level of tiles would need more entries than a number can count. */
const levels: readonly TileLevel[] = ['entries', 0, 1, 2, 3, 4, 5, 6]

/**
 * Removes partial tiles whose full one is there, as far as they became full since the tree had size `since`. The happy
 * path calls it after each publication; recovery calls it through sweepEdge.
 */
export async function sweepPartials(tiles: TileStore, since: number, size: number): Promise<void> {
  for (const level of levels) {
    const from = Math.floor(levelWidth(level, since) / tileWidth)
    const to = Math.floor(levelWidth(level, size) / tileWidth)
    for (let index = from; index < to; index++) await sweepPartialsOf(tiles, { level, index, width: 0 })
  }
}

/**
 * At start: removes what a crashed step wrote for a tree that was never committed, and the partial tiles that a crash
 * after a publication left. Uncommitted tiles would otherwise answer readers that fall back from a partial tile to a
 * full one.
 */
export async function sweepEdge(tiles: TileStore, size: number): Promise<void> {
  await sweepPartials(tiles, Math.max(0, size - reachEntries), size)
  for (const level of levels) {
    const edge = Math.floor(levelWidth(level, size) / tileWidth)
    const end = Math.floor(levelWidth(level, size + reachEntries) / tileWidth)
    for (let index = edge; index <= end; index++) {
      const width = widthInTree(level, index, size)
      await removeIfThere(tiles, tilePath({ level, index, width: tileWidth }))
      await sweepPartialsOf(tiles, { level, index, width })
    }
  }
}

/** Removes the partial versions of a tile that are wider than `width`. */
async function sweepPartialsOf(tiles: TileStore, tile: { level: TileLevel; index: number; width: number }) {
  const directory = `${tilePath({ ...tile, width: tileWidth })}.p`
  const names = await tiles.list(directory)
  const stale = names.filter((name) => /^[0-9]{1,3}$/.test(name) && Number(name) > tile.width)
  if (stale.length > 0) await tiles.remove(stale.map((name) => `${directory}/${name}`))
}

async function removeIfThere(tiles: TileStore, path: string): Promise<void> {
  const names = await tiles.list(posix.dirname(path))
  if (names.includes(posix.basename(path))) await tiles.remove([path])
}
