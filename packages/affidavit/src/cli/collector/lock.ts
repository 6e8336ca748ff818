import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Lock {
  release(): void
}

const sqliteBusy = 5

/**
 * One collector per home: an exclusive transaction on a database of its own, which the kernel releases when the process
 * dies, however it dies. Nothing else in this process may open and close that file: POSIX drops the lock of the whole
 * process with any of its descriptors. Undefined where another process holds it.
 */
export function acquireLock(path: string): Lock | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined
    throw error
  }
  return { release: () => db.close() }
}
