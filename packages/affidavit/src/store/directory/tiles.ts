import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FileLayer, toSystemCode } from '@affidavit/sensor/durable/layer'
import { createDirectory, isTemporary, replace, syncDirectory, toTemporary } from '@affidavit/sensor/durable/write'
import type { TileFile, TileStore } from '../contract.ts'

/** A plain tlog-tiles directory that any tool can read. `directory` is the log's, e.g. `<home>/log`. */
export function createDirectoryTiles(layer: FileLayer, directory: string): TileStore {
  const toPath = (path: string) => join(directory, path)
  return {
    read: (path) => layer.readFile(toPath(path)),
    write: (files) =>
      writeAll(
        layer,
        files.map(({ path, bytes }) => ({ path: toPath(path), bytes })),
      ),
    remove: (paths) => removeAll(layer, paths.map(toPath)),
    list: (path) => listAndSweep(layer, toPath(path)),
    publish: async (checkpoint) => {
      await createDirectory(layer, directory)
      await replace(layer, toPath('checkpoint'), checkpoint)
    },
    readCheckpoint: () => layer.readFile(toPath('checkpoint')),
  }
}

/**
 * Writes and syncs all contents, renames, then syncs every directory once: as durable as one `replace` per file, with
 * one directory sync instead of many. A crash before the renames leaves temporary files, one among them leaves some
 * files new and the others as they were; nothing refers to any of them before the caller commits.
 */
async function writeAll(layer: FileLayer, files: readonly TileFile[]): Promise<void> {
  const directories = new Set(files.map(({ path }) => dirname(path)))
  await Promise.all([...directories].map((path) => createDirectory(layer, path)))
  const written = await Promise.all(files.map((file) => writeTemporary(layer, file)))
  // One after the other and in the caller's order: bundles, then tiles from the leaves up.
  for (const { from, to } of written) await layer.rename(from, to)
  await Promise.all([...directories].map((path) => syncDirectory(layer, path)))
}

async function writeTemporary(layer: FileLayer, { path, bytes }: TileFile): Promise<{ from: string; to: string }> {
  const from = toTemporary(path)
  const file = await layer.open(from, 'create')
  try {
    await file.write(bytes, 0)
    await file.syncAll()
  } finally {
    await file.close()
  }
  return { from, to: path }
}

async function removeAll(layer: FileLayer, paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => unlessCode(['ENOENT'], layer.unlink(path))))
  const partials = new Set(paths.map(dirname).filter((path) => path.endsWith('.p')))
  // A directory that is not empty still serves older checkpoints.
  for (const path of partials) await unlessCode(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path))
}

async function listAndSweep(layer: FileLayer, directory: string): Promise<string[]> {
  const names = await layer.list(directory)
  // Only the one process that sequences writes here, and it lists before it writes: these are a crashed run's.
  await removeAll(
    layer,
    names.filter(isTemporary).map((name) => join(directory, name)),
  )
  return names.filter((name) => !isTemporary(name))
}

async function unlessCode(codes: readonly string[], result: Promise<void>): Promise<void> {
  try {
    await result
  } catch (error) {
    if (!codes.includes(toSystemCode(error) ?? '')) throw error
  }
}
