import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Somebody else wrote the file between our reading and our writing. Nothing was changed; to be tried again. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError'
  readonly code = 'AFD_FILE_CHANGED'
  readonly retry = true
  readonly path: string

  constructor(path: string) {
    super(`${path} was changed by another program meanwhile`)
    this.path = path
  }
}

/**
 * Puts other content into a file of somebody else's. Symbolic links are followed and stay, so that a file which a dotfile
 * manager links is changed where it lies; mode and owner stay. A crash at any point leaves the old content or the new one,
 * and perhaps a file `.NAME.affidavit-…` beside it, which nobody reads.
 * Throws FileChangedError where the file no longer holds `expected`, and the system's errors.
 */
export async function replaceFile(path: string, expected: Uint8Array, content: Uint8Array): Promise<void> {
  const target = await realpath(path)
  // A rename needs no right to the file itself, but one who made it read-only meant it.
  await access(target, constants.W_OK)
  const temporary = join(dirname(target), `.${basename(target)}.affidavit-${randomBytes(6).toString('hex')}`)
  try {
    await writeLike(target, temporary, content)
    // The last moment to look. A program that writes between this line and the next loses its change, as it would in any editor.
    if (!Buffer.from(expected).equals(await readFile(target))) throw new FileChangedError(path)
    await rename(temporary, target)
  } catch (error) {
    await unlink(temporary).catch((gone: NodeJS.ErrnoException) => {
      if (gone.code !== 'ENOENT') throw error
    })
    throw error
  }
  await syncFolder(dirname(target))
}

async function writeLike(target: string, temporary: string, content: Uint8Array): Promise<void> {
  const { mode, uid, gid } = await stat(target)
  // Nobody but us until the mode is known to be right.
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    // Only root can give a file away, and only root edits what belongs to another user.
    if (process.getuid?.() === 0) await file.chown(uid, gid)
    await file.chmod(mode & 0o7777)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Windows cannot open folders; NTFS journals names itself. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
