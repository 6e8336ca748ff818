import { close, constants, fdatasync, fstat, fsync, open, read, type Stats, stat, statSync, write } from 'node:fs'
import { link, mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * The system calls that durability is made of. Two implementations: this one, and the recording one of the power-loss
 * tests, which replays every prefix of what was called. Errors are Node's, with `code` as the kernel gave it.
 */

/** What makes a file this file: a path that was deleted and created again has another inode. */
export interface FileIdentity {
  dev: number
  ino: number
  /** Bytes. */
  size: number
  /** When it was last written to, milliseconds since 1970. */
  modifiedMs: number
}

export interface LayerFile {
  /** Writes all bytes at the position (pwrite, repeated while the kernel takes less). */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Fills `into` from the position; fewer bytes than its length only at the end of the file. Returns the number read. */
  read(into: Uint8Array, position: number): Promise<number>
  /** fdatasync: content, and the size where it changed. */
  syncContent(): Promise<void>
  /** fsync: content and metadata. */
  syncAll(): Promise<void>
  identity(): Promise<FileIdentity>
  close(): Promise<void>
}

/**
 * `create`: O_RDWR|O_CREAT|O_EXCL, mode 0600. `write`: O_RDWR of an existing file. `read`: O_RDONLY. `append`: like `write`,
 * for writes that are synced one by one: where the system can, write itself makes the bytes durable, and syncContent, which
 * is due all the same, has nothing left to do. It covers what was written through this very file and nothing else.
 */
export type OpenMode = 'create' | 'write' | 'append' | 'read'

export interface FileLayer {
  /** How many syncs of one file it is sensible to have in flight. */
  readonly parallelSyncs: number
  open(path: string, mode: OpenMode): Promise<LayerFile>
  /** undefined where nothing is at the path. */
  identify(path: string): Promise<FileIdentity | undefined>
  /** undefined where nothing is at the path. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /** Names in the directory; empty where it does not exist. */
  list(directory: string): Promise<string[]>
  /** Creates the directory and its parents, mode 0700. Returns the first one created, undefined where all were there. */
  makeDirectory(directory: string): Promise<string | undefined>
  rename(from: string, to: string): Promise<void>
  /** Throws EEXIST where `to` exists. */
  link(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes names in the directory durable: open(O_RDONLY), fsync, close. */
  syncDirectory(directory: string): Promise<void>
}

/** The code of a failed system call (`ENOSPC`), else undefined: then the error is no file system's answer. */
export function toSystemCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

const fileMode = 0o600
const directoryMode = 0o700

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void

/** Callback file functions cost half of what fs/promises does, and a commit consists of three of them. */
const call = <T>(start: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))))

const toIdentity = ({ dev, ino, size, mtimeMs }: Stats): FileIdentity => ({ dev, ino, size, modifiedMs: mtimeMs })

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    written += await call<number>((done) => write(fd, bytes, written, bytes.length - written, position + written, done))
  }
}

async function readFull(fd: number, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const got = await call<number>((done) => read(fd, into, filled, into.length - filled, position + filled, done))
    if (got === 0) break
    filled += got
  }
  return filled
}

/**
 * O_DSYNC: pwrite returns when its bytes are as durable as fdatasync makes them, errors of the write-back included, in one
 * trip through the thread pool instead of two. Linux alone: macOS leaves the drive's cache alone with it, and Windows has it not.
 */
const isDurableByWrite = process.platform === 'linux'
const nothingLeft = Promise.resolve()

function toAppendFile(fd: number): LayerFile {
  return isDurableByWrite ? { ...toFile(fd), syncContent: () => nothingLeft } : toFile(fd)
}

function toFile(fd: number): LayerFile {
  return {
    write: (bytes, position) => writeAll(fd, bytes, position),
    read: (into, position) => readFull(fd, into, position),
    syncContent: () => call<void>((done) => fdatasync(fd, (error) => done(error, undefined))),
    syncAll: () => call<void>((done) => fsync(fd, (error) => done(error, undefined))),
    identity: async () => toIdentity(await call<Stats>((done) => fstat(fd, done))),
    close: () => call<void>((done) => close(fd, (error) => done(error ?? null, undefined))),
  }
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The numbers behind 'wx+', 'r+' and 'r' are the platform's; Node knows them. */
const openFlags = {
  create: 'wx+',
  write: 'r+',
  append: isDurableByWrite ? constants.O_RDWR | constants.O_DSYNC : 'r+',
  read: 'r',
} as const

/** Windows cannot open directories for fsync; NTFS journals names itself. */
const syncsDirectories = process.platform !== 'win32'

/**
 * Parents first, one by one: Node's own recursion never ends where a parent exists and the kernel says ENOENT for the
 * child all the same, as it does in /proc.
 */
async function makeDirectory(directory: string): Promise<string | undefined> {
  const found = await unlessMissing(call<Stats>((done) => stat(directory, done)))
  if (found?.isDirectory() === true) return undefined
  const parent = dirname(directory)
  const first = parent === directory ? undefined : await makeDirectory(parent)
  try {
    await mkdir(directory, { mode: directoryMode })
  } catch (error) {
    if (toSystemCode(error) !== 'EEXIST' || found !== undefined) throw error
    return first
  }
  return first ?? directory
}

/** The operating system's files. */
export const systemLayer: FileLayer = {
  // Of the four threads that libuv does file work on, one stays free for writes while syncs are slow.
  parallelSyncs: 3,
  open: async (path, mode) => {
    const fd = await call<number>((done) => open(path, openFlags[mode], fileMode, done))
    return mode === 'append' ? toAppendFile(fd) : toFile(fd)
  },
  // Synchronous: a name on a local disk is in the kernel's memory, the more so while the file is open. It takes a microsecond
  // there, and twenty times that by way of the thread pool.
  identify: async (path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found === undefined ? undefined : toIdentity(found)
  },
  readFile: (path) => unlessMissing(readFile(path)),
  list: async (directory) => (await unlessMissing(readdir(directory))) ?? [],
  makeDirectory,
  rename,
  link,
  unlink,
  async syncDirectory(directory) {
    if (!syncsDirectories) return
    const fd = await call<number>((done) => open(directory, 'r', done))
    const file = toFile(fd)
    try {
      await file.syncAll()
    } finally {
      await file.close()
    }
  },
}
