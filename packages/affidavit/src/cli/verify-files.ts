import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { VerifyError } from '@affidavit/evidence/log/error'
import { parseTilePath, type TileRef, tilePath, tileWidth, widthInTree } from '@affidavit/evidence/log/tile'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { isTemporary } from '@affidavit/sensor/durable/write'
import { readPublished } from '../query/log-reader.ts'
import { createDirectoryTiles } from '../store/directory/tiles.ts'

/** Files of a log folder as they were when its checkpoint was read. */
export interface LogFiles {
  readFile(path: string): Promise<Uint8Array | undefined>
  listFiles(): AsyncGenerator<string>
}

/**
 * Reads below `directory`, with the checkpoint as given. A collector may be at work: then a partial tile can have made way
 * for a longer one since, whose beginning it is.
 */
export function openLogFiles(directory: string, checkpoint: Uint8Array | undefined): LogFiles {
  const read = (path: string) => systemLayer.readFile(join(directory, path))
  return {
    readFile: async (path) => {
      if (path === 'checkpoint') return checkpoint
      return (await read(path)) ?? (await readGrown(directory, read, path))
    },
    listFiles: () => listFiles(directory, directory),
  }
}

async function* listFiles(root: string, directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* listFiles(root, path)
    else if (!isTemporary(entry.name)) yield relative(root, path).split(sep).join('/')
  }
}

type Read = (path: string) => Promise<Uint8Array | undefined>

/** Undefined where the log did not grow: then the file is simply missing. */
async function readGrown(directory: string, read: Read, path: string): Promise<Uint8Array | undefined> {
  const ref = toRef(path)
  if (ref === undefined || ref.width === tileWidth) return undefined
  const published = await tryReadPublished(directory)
  const width = published === undefined ? 0 : widthInTree(ref.level, ref.index, published)
  if (width <= ref.width) return undefined
  const grown = await read(tilePath({ ...ref, width }))
  return grown === undefined ? undefined : cut(grown, ref)
}

async function tryReadPublished(directory: string): Promise<number | undefined> {
  try {
    return (await readPublished(createDirectoryTiles(systemLayer, directory)))?.size
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** The first `width` hashes, or entries, each behind its length in two bytes. */
function cut(bytes: Uint8Array, { level, width }: TileRef): Uint8Array {
  if (level !== 'entries') return bytes.subarray(0, width * 32)
  let at = 0
  for (let count = 0; count < width && at + 1 < bytes.length; count++)
    at += 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  return bytes.subarray(0, at)
}

function toRef(path: string): TileRef | undefined {
  try {
    return parseTilePath(path)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}
