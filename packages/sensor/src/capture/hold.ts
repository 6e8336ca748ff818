import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pieces } from './pieces.ts'

const readBytes = 256 * 1024

/** A line could not be held: the temporary file could not be made, written or read. Nothing of the line has gone on. */
export class HoldError extends Error {
  override readonly name = 'HoldError'
  readonly code = 'AFD_HOLD_FAILED'
  readonly retry = true
}

/**
 * Bytes that must not go on yet: in memory up to memoryBytesMax, above that in a temporary file. The file is unlinked as
 * soon as it is open and holds only AES-256-CTR text under a key that never leaves this object, so a crash here leaves
 * neither a name nor a readable byte. (Windows cannot unlink an open file; there the name goes at close.)
 */
export class HeldBytes {
  #memoryBytesMax: number
  readonly #parts = new Pieces()
  #length = 0
  #file: Promise<SpillFile> | undefined

  constructor(memoryBytesMax: number) {
    this.#memoryBytesMax = memoryBytesMax
  }

  get length(): number {
    return this.#length
  }

  /** Returns a promise where the caller must wait before the next append. Rejects with HoldError. */
  append(bytes: Uint8Array): Promise<void> | undefined {
    this.#length += bytes.length
    if (this.#file === undefined && this.#length <= this.#memoryBytesMax) {
      this.#parts.push(bytes)
      return undefined
    }
    return this.#spill(bytes)
  }

  /** All bytes in one piece, or undefined where they are in the file. */
  inMemory(): Uint8Array | undefined {
    if (this.#file !== undefined) return undefined
    return this.#parts.whole()
  }

  /** The bytes [from, to) in pieces. Rejects with HoldError. */
  async *pieces(from: number, to: number): AsyncGenerator<Uint8Array> {
    const whole = this.inMemory()
    if (whole !== undefined) yield whole.subarray(from, to)
    else if (this.#file !== undefined) yield* (await this.#file).read(from, to)
  }

  async close(): Promise<void> {
    this.#parts.take()
    if (this.#file === undefined) return
    const [opened] = await Promise.allSettled([this.#file])
    // Why there is none, whoever appended has heard.
    if (opened.status === 'fulfilled') await opened.value.close()
  }

  async #spill(bytes: Uint8Array): Promise<void> {
    this.#file ??= openSpillFile()
    const file = await this.#file
    this.#parts.push(bytes)
    for (const part of this.#parts.take()) await file.append(part)
  }
}

interface SpillFile {
  append(bytes: Uint8Array): Promise<void>
  read(from: number, to: number): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

async function openSpillFile(): Promise<SpillFile> {
  const path = join(tmpdir(), `affidavit-${randomBytes(12).toString('hex')}`)
  const file = await held(open(path, 'wx+', 0o600))
  if (process.platform !== 'win32') await held(unlink(path))
  const key = randomBytes(32)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-ctr', key, iv)
  let length = 0
  return {
    async append(bytes) {
      const sealed = cipher.update(bytes)
      await held(writeAll(file, sealed, length))
      length += sealed.length
    },
    read: (from, to) => readSealed(file, createDecipheriv('aes-256-ctr', key, iv), { from, to }),
    async close() {
      await held(file.close())
      if (process.platform === 'win32') await held(unlink(path))
    },
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at)
    at += bytesWritten
  }
}

async function* readSealed(
  file: FileHandle,
  decipher: ReturnType<typeof createDecipheriv>,
  { from, to }: { from: number; to: number },
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < to; ) {
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, to - at))
    const { bytesRead } = await held(file.read(buffer, 0, buffer.length, at))
    if (bytesRead === 0) throw new HoldError(`temporary file ends at ${at}, expected ${to} bytes`)
    const plain = decipher.update(buffer.subarray(0, bytesRead))
    if (at + bytesRead > from) yield plain.subarray(Math.max(0, from - at))
    at += bytesRead
  }
}

/** Names what failed without the path, which says nothing to anybody: the file has no name any more. */
async function held<T>(step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new HoldError(`temporary file in ${tmpdir()} failed with ${code}; free space there or set TMPDIR`)
  }
}
