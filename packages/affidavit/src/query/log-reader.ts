import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { parseNote } from '@affidavit/evidence/log/note'
import type { TileStore } from '../store/contract.ts'
import { StoreError } from '../store/error.ts'

/** What the read side needs of a log. */
export type LogTiles = Pick<TileStore, 'read' | 'readCheckpoint'>

export interface Published {
  origin: string
  size: number
  /** The signed note as it lies there. */
  bytes: Uint8Array
}

/**
 * Where the log says it is; signatures are for verification to judge. Undefined before the first checkpoint. Throws
 * VerifyError `bad_note` or `bad_checkpoint`.
 */
export async function readPublished(tiles: LogTiles): Promise<Published | undefined> {
  const bytes = await tiles.readCheckpoint()
  if (bytes === undefined) return undefined
  const { origin, size } = parseCheckpoint(parseNote(bytes).text, 'own')
  return { origin, size: Number(size), bytes }
}

/**
 * Reads at the published size. The log may grow meanwhile and replace its last, partial tiles: then a piece is missing
 * at the old size, and the work is done again at the new one. Throws what the work throws on a log that stands still.
 */
export async function readAtPublished<T>(tiles: LogTiles, work: (published: Published) => Promise<T>): Promise<T> {
  let published = await requirePublished(tiles)
  for (;;) {
    try {
      return await work(published)
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'tile_missing')) throw error
      const now = await requirePublished(tiles)
      if (now.size === published.size) throw error
      published = now
    }
  }
}

async function requirePublished(tiles: LogTiles): Promise<Published> {
  const published = await readPublished(tiles)
  if (published === undefined)
    throw new StoreError('tile_missing', 'log/checkpoint is missing: nothing is published yet')
  return published
}
