import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { parseNote } from '@affidavit/evidence/log/note'
import type { TileStore } from '../store/contract.ts'

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
