import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { type FileLayer, toSystemCode } from './layer.ts'

/** Whole files that survive power loss: there, complete, or not there at all. */

const temporaryMark = '.tmp~'

/** Files under this name are nobody's: what a crash left behind. Readers of a directory skip them. */
export const isTemporary = (name: string) => name.includes(temporaryMark)

/** A name beside the path that no one else uses. */
export const toTemporary = (path: string) =>
  join(dirname(path), `${basename(path)}${temporaryMark}${randomBytes(6).toString('hex')}`)

/** Removes a file that nobody needs, where the file system lets us. */
export async function tryUnlink(layer: FileLayer, path: string): Promise<void> {
  try {
    await layer.unlink(path)
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
  }
}

/** Removes what crashes left in the directory: temporary files that nobody has written to for this long. */
export async function sweepTemporaries(layer: FileLayer, directory: string, idleMs: number): Promise<void> {
  for (const name of (await layer.list(directory)).filter(isTemporary)) {
    const path = join(directory, name)
    const there = await layer.identify(path)
    if (there !== undefined && Date.now() - there.modifiedMs > idleMs) await tryUnlink(layer, path)
  }
}

/** open(O_CREAT|O_EXCL), write, fsync, close, at a temporary name. A crash leaves a temporary file, which nobody reads. */
async function writeTemporary(layer: FileLayer, path: string, bytes: Uint8Array): Promise<string> {
  const temporary = toTemporary(path)
  const file = await layer.open(temporary, 'create')
  try {
    await file.write(bytes, 0)
    await file.syncAll()
  } catch (error) {
    await layer.unlink(temporary)
    throw error
  } finally {
    await file.close()
  }
  return temporary
}

/**
 * Creates the file with exactly these bytes unless something is at the path already.
 * Guarantee: when it resolves, the file at the path is durable, whoever created it; of several that race, one creates.
 * System calls: open, write, fsync, close (temporary); link; unlink; fsync of the directory.
 */
export async function createOnce(layer: FileLayer, path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
  const temporary = await writeTemporary(layer, path, bytes)
  const result = await linkOnce(layer, temporary, path)
  // A crash before this line leaves the temporary name beside the file: two names of one inode, harmless.
  await layer.unlink(temporary)
  // The winner of a race may not have come this far, so the loser makes the name durable too.
  await layer.syncDirectory(dirname(path))
  return result
}

async function linkOnce(layer: FileLayer, temporary: string, path: string): Promise<'created' | 'exists'> {
  try {
    await layer.link(temporary, path)
    return 'created'
  } catch (error) {
    if (toSystemCode(error) === 'EEXIST') return 'exists'
    await layer.unlink(temporary)
    throw error
  }
}

/**
 * Puts these bytes at the path.
 * Guarantee: at every moment, a crash included, the path holds the old content or the new one, whole; new when resolved.
 * System calls: open, write, fsync, close (temporary); rename; fsync of the directory.
 */
export async function replace(layer: FileLayer, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(layer, path, bytes)
  await layer.rename(temporary, path)
  await layer.syncDirectory(dirname(path))
}

/** Makes the names in a directory durable. System calls: open, fsync, close. Does nothing on Windows (NTFS journals names). */
export async function syncDirectory(layer: FileLayer, directory: string): Promise<void> {
  await layer.syncDirectory(directory)
}

/**
 * Creates the directory and its parents with mode 0700. Guarantee: they are durable when it resolves.
 * System calls: mkdir each; fsync of the parent of every directory that was created.
 */
export async function createDirectory(layer: FileLayer, directory: string): Promise<void> {
  const first = await layer.makeDirectory(directory)
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) await layer.syncDirectory(dirname(made))
}
