import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { IndexError } from '../error.ts'
import { createSchema, indexVersion } from './schema.ts'
import { inTransaction } from './write.ts'

const busyTimeoutMs = 5_000

/**
 * For the one process that writes. An index that is missing, of another version, of another log or unreadable is
 * replaced by an empty one: it is derived, and following from leaf 0 brings everything back.
 */
export function openForWriting(file: string, origin: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (existsSync(file) && !isUsable(file, origin)) removeIndex(file)
  if (!existsSync(file)) createIndex(file, origin)
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  // Losing the last transactions in a crash is harmless here: the cursor is lost with them and they are read again.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF')
  return db
}

/** Under another name first: whoever finds the file finds its tables, also when follower and rebuild create it at once. */
function createIndex(file: string, origin: string): void {
  const temporary = `${file}.${randomUUID()}`
  closeSync(openSync(temporary, 'wx', 0o600))
  try {
    const db = new DatabaseSync(temporary)
    inTransaction(db, () => createSchema(db, origin))
    db.close()
    linkSync(temporary, file)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(temporary)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** For queries. Throws IndexError `index_missing` or `index_unreadable`. */
export function openForReading(file: string, origin: string): DatabaseSync {
  if (!existsSync(file)) throw new IndexError('index_missing', `there is no index at ${file}`)
  const db = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
  try {
    db.exec('PRAGMA trusted_schema = OFF')
    requireVersion(db, origin)
    return db
  } catch (error) {
    db.close()
    throw new IndexError('index_unreadable', `the index ${file} cannot be read: ${String(error)}`, { cause: error })
  }
}

export function removeIndex(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
}

function isUsable(file: string, origin: string): boolean {
  try {
    openForReading(file, origin).close()
    return true
  } catch (error) {
    if (error instanceof IndexError) return false
    throw error
  }
}

function requireVersion(db: DatabaseSync, origin: string): void {
  const row = db.prepare('SELECT version, origin FROM cursor').get()
  if (row?.version !== indexVersion) throw new Error(`version ${String(row?.version)}, expected ${indexVersion}`)
  if (row.origin !== origin) throw new Error(`made for ${String(row.origin)}, this home is ${origin}`)
}
