import { dirname } from 'node:path'
import { type FileIdentity, type FileLayer, type LayerFile, toSystemCode } from './layer.ts'
import { toTemporary, tryUnlink } from './write.ts'

/**
 * Why an append file refused. `full` where space could not be allocated ahead leaves the file usable; every other
 * failure poisons it: what the disk holds is then unknown, and no later sync can make it known (a failed fsync may drop
 * the pages it could not write and succeed the next time).
 */
export const appendErrorCodes = ['append_full', 'append_read_only', 'append_replaced', 'append_io'] as const
export type AppendErrorCode = (typeof appendErrorCodes)[number]

export class AppendError extends Error {
  override readonly name = 'AppendError'
  readonly code: AppendErrorCode
  readonly retry = false
  readonly path: string

  constructor(code: AppendErrorCode, path: string, cause: unknown) {
    super(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.code = code
    this.path = path
  }
}

const codesOf: Record<string, AppendErrorCode> = {
  ENOSPC: 'append_full',
  EDQUOT: 'append_full',
  EFBIG: 'append_full',
  EROFS: 'append_read_only',
  EACCES: 'append_read_only',
  EPERM: 'append_read_only',
  ENOENT: 'append_replaced',
  ESTALE: 'append_replaced',
}

/** The error for a failed system call on the path. What is no system call's answer is a defect and comes back as it is. */
export function toAppendError(path: string, error: unknown): unknown {
  const code = toSystemCode(error)
  return code === undefined ? error : new AppendError(codesOf[code] ?? 'append_io', path, error)
}

const zeros = new Uint8Array(256 * 1024)

async function writeZeros(file: LayerFile, from: number, to: number, signal?: AbortSignal): Promise<void> {
  for (let at = from; at < to; at += zeros.length) {
    signal?.throwIfAborted()
    await file.write(zeros.subarray(0, Math.min(zeros.length, to - at)), at)
  }
}

/** Space on the disk that has no name yet and will become an append file, or be given back. */
export interface AllocatedFile {
  /**
   * Writes the file's start and gives it its name. Guarantee when it resolves: the file is durable under its name with
   * `first` at its start; a crash before leaves at most a temporary file, so no reader ever meets a half-written start.
   * System calls: pwrite, fsync; open; rename; fsync of the directory. Where it rejects, the space is given back.
   */
  publish(first: Uint8Array, onReady: () => void): Promise<AppendFile>
  discard(): Promise<void>
}

/**
 * Allocates an append file by writing zeros. Rejects with AppendError `append_full` where there is no space; then nothing
 * is left behind; likewise with the signal's reason once it is aborted. System calls: open, pwrite….
 */
export async function allocateAppendFile(
  layer: FileLayer,
  path: string,
  allocateBytes: number,
  signal?: AbortSignal,
): Promise<AllocatedFile> {
  const temporary = toTemporary(path)
  const opened: LayerFile[] = []
  const discard = async () => {
    for (const file of opened.splice(0)) await file.close()
    // Where even this fails, the temporary file stays, and nobody reads it.
    await tryUnlink(layer, temporary)
  }
  const orDiscard = async <T>(attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt()
    } catch (error) {
      await discard()
      throw toAppendError(path, error)
    }
  }
  const ahead = await orDiscard(async () => {
    const created = await layer.open(temporary, 'create')
    opened.push(created)
    await writeZeros(created, 0, allocateBytes, signal)
    return created
  })
  const publish = async (first: Uint8Array, onReady: () => void) => {
    if (first.length > allocateBytes) throw new RangeError(`${path}: ${first.length} bytes in ${allocateBytes}`)
    await ahead.write(first, 0)
    await ahead.syncAll()
    const file = await layer.open(temporary, 'append')
    opened.push(file)
    await layer.rename(temporary, path)
    await layer.syncDirectory(dirname(path))
    const identity = await file.identity()
    return new AppendFile({ layer, path, identity, file, ahead, end: first.length, onReady })
  }
  return { publish: (first, onReady) => orDiscard(() => publish(first, onReady)), discard }
}

interface AppendFileState {
  layer: FileLayer
  path: string
  identity: FileIdentity
  file: LayerFile
  ahead: LayerFile
  end: number
  onReady: () => void
}

/**
 * A file that only grows, inside space that was written with zeros ahead: an append overwrites allocated blocks, so it
 * needs no metadata and cannot run out of space (file systems that copy on write, such as btrfs and ZFS, promise neither).
 *
 * Several appends may be in flight. Each has a descriptor of its own, because the kernel reports a failed write-back once
 * per open file: on a shared one, another append's sync could collect the error of this one's pages.
 */
export class AppendFile {
  readonly path: string
  readonly #layer: FileLayer
  readonly #identity: FileIdentity
  readonly #onReady: () => void
  readonly #idle: LayerFile[]
  /** Zeros are written and synced through this one; see above. */
  readonly #ahead: LayerFile
  #descriptors = 1
  #inFlight = 0
  #end: number
  #allocated: number
  #last: Promise<void> = Promise.resolve()
  #opening: Promise<void> = Promise.resolve()
  #extending: Promise<void> = Promise.resolve()
  #failure: unknown
  #closed: Promise<void> | undefined

  constructor(state: AppendFileState) {
    this.path = state.path
    this.#layer = state.layer
    this.#identity = state.identity
    this.#onReady = state.onReady
    this.#idle = [state.file]
    this.#ahead = state.ahead
    this.#end = state.end
    this.#allocated = state.identity.size
  }

  /** Where the next append goes, in bytes from the start. */
  get end(): number {
    return this.#end
  }

  /** Bytes that are allocated and durably zero or written. */
  get allocated(): number {
    return this.#allocated
  }

  /** Appends that have not settled. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Whether append may be called now. */
  get ready(): boolean {
    return this.#idle.length > 0
  }

  /**
   * Writes the bytes behind all that was appended before. Guarantee when it resolves: these bytes and all before them are
   * durable, and the file at the path is still this file. When it rejects, the file is poisoned.
   * System calls: pwrite and fdatasync (on Linux in one, O_DSYNC), then stat of the path.
   */
  append(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const file = this.#idle.pop()
    if (file === undefined || this.#end + bytes.length > this.#allocated)
      return Promise.reject(new RangeError(`${this.path}: append without a free descriptor or beyond allocated space`))
    if (this.#idle.length === 0 && this.#descriptors < this.#layer.parallelSyncs)
      this.#opening = Promise.all([this.#opening, this.#openAnother()]).then(() => undefined)
    const position = this.#end
    this.#end += bytes.length
    this.#last = this.#commit(file, bytes, position, this.#last)
    return this.#last
  }

  async #commit(file: LayerFile, bytes: Uint8Array, position: number, before: Promise<void>): Promise<void> {
    this.#inFlight += 1
    try {
      await file.write(bytes, position)
      await file.syncContent()
      await this.#verifyPlace()
    } catch (error) {
      this.#poison(error)
    }
    this.#idle.push(file)
    // Acknowledged in order: what lies behind a hole would be unreachable after a crash.
    await Promise.allSettled([before])
    this.#inFlight -= 1
    if (this.#failure !== undefined) throw this.#failure
  }

  /** A deleted or replaced file takes writes and syncs as if nothing had happened; only its name tells. */
  async #verifyPlace(): Promise<void> {
    const there = await this.#layer.identify(this.path)
    const same = there?.dev === this.#identity.dev && there.ino === this.#identity.ino
    if (there !== undefined && same && there.size >= this.#allocated) return
    const why = there === undefined ? 'was deleted' : same ? 'was cut' : 'was replaced by another file'
    throw new AppendError('append_replaced', this.path, new Error(`${why} while it was in use`))
  }

  /**
   * Allocates more space by writing zeros. Guarantee when it resolves: the space is durably allocated. Rejects with
   * `append_full` where there is none, and with the signal's reason once it is aborted; the file stays usable. One call
   * at a time. System calls: pwrite…, fdatasync.
   */
  extend(byBytes: number, signal?: AbortSignal): Promise<void> {
    this.#extending = this.#extend(this.#allocated + byBytes, signal)
    return this.#extending
  }

  async #extend(to: number, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await writeZeros(this.#ahead, this.#allocated, to, signal)
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      const refused = toAppendError(this.path, error)
      // No byte that anyone relies on was touched: zeros that were written stay zeros.
      if (refused instanceof AppendError && refused.code === 'append_full') throw refused
      throw this.#poison(refused)
    }
    try {
      await this.#ahead.syncContent()
    } catch (error) {
      throw this.#poison(error)
    }
    this.#allocated = to
  }

  async #openAnother(): Promise<void> {
    this.#descriptors += 1
    try {
      const file = await this.#layer.open(this.path, 'append')
      const { dev, ino } = await file.identity()
      if (dev === this.#identity.dev && ino === this.#identity.ino) {
        this.#idle.push(file)
        return this.#onReady()
      }
      await file.close()
      this.#poison(new AppendError('append_replaced', this.path, new Error('was replaced by another file')))
    } catch (error) {
      // One descriptor is enough to go on with (EMFILE); if the file is gone, the next append says so.
      if (toSystemCode(error) === undefined) this.#poison(error)
      this.#descriptors -= 1
    }
  }

  #poison(error: unknown): unknown {
    this.#failure ??= toAppendError(this.path, error)
    return this.#failure
  }

  /** Waits for what is in flight and closes. Adds no guarantee to what append gave. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#last, this.#opening, this.#extending])
    this.#failure ??= new AppendError('append_io', this.path, new Error('is closed'))
    for (const file of [...this.#idle.splice(0), this.#ahead]) await file.close()
  }
}
