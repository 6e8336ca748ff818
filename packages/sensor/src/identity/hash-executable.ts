import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { formatHash } from '@affidavit/evidence/record/digest'
import type { Hash } from '@affidavit/evidence/record/header'
import { type FileMark, formatMark, toMark } from './executable.ts'
import { systemCodeOf } from './proc-stat.ts'

/**
 * Hashes of files that were read before, by their marks (formatMark). Whoever can write to it, or to a file and its times,
 * can make a hash of it that the bytes do not have: it saves time and proves nothing.
 */
export interface HashMemory {
  /** Never throws: what cannot be read is hashed again. */
  load(): ReadonlyMap<string, Hash>
  /** Never rejects: what cannot be kept is hashed again. */
  save(hashes: ReadonlyMap<string, Hash>): Promise<void>
}

/** Small enough that a call which arrives meanwhile waits a fraction of a millisecond. */
const pieceBytes = 256 * 1024
/** No executable is that large; a file that never ends must not keep us busy. */
const executableBytesMax = 4 * 1024 * 1024 * 1024

/**
 * SHA-256 of the bytes that process `pid` runs, of which `mark` was seen before. A sentence of why not, where they are not
 * that file's any more, or change while they are read, or cannot be read.
 */
export async function hashExecutable(pid: number, mark: FileMark): Promise<Hash | { missing: string }> {
  if (mark.size > executableBytesMax) return { missing: 'its executable is too large to be hashed' }
  const opened = await openRunning(pid)
  if (typeof opened === 'string') return { missing: `its executable cannot be opened (${opened})` }
  try {
    // Another file here is another process under the same pid.
    if (!isMarked(await opened.stat(), mark))
      return { missing: 'it had ended, or ran another file, before its executable was hashed' }
    const hash = await hashFile(opened)
    return isMarked(await opened.stat(), mark) ? hash : { missing: 'its executable changed while it was hashed' }
  } finally {
    await opened.close()
  }
}

/** Like hashExecutable, but not again for a file that the memory knows. */
export async function hashOnce(pid: number, mark: FileMark, memory: HashMemory): Promise<Hash | { missing: string }> {
  const name = formatMark(mark)
  const known = memory.load().get(name)
  if (known !== undefined) return known
  const hash = await hashExecutable(pid, mark)
  if (typeof hash === 'string') await memory.save(new Map([[name, hash]]))
  return hash
}

function isMarked(stats: Parameters<typeof toMark>[0], mark: FileMark): boolean {
  return formatMark(toMark(stats)) === formatMark(mark)
}

async function openRunning(pid: number): Promise<FileHandle | string> {
  try {
    return await open(`/proc/${pid}/exe`, 'r')
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    return code
  }
}

async function hashFile(file: FileHandle): Promise<Hash> {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, pieceBytes, null)
    if (bytesRead === 0) return formatHash(hash.digest())
    hash.update(piece.subarray(0, bytesRead))
    // Between two pieces, whatever else waits has its turn.
    await turn()
  }
}
