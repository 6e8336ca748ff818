import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { IndexError } from '../error.ts'
import { createSchema, indexVersion } from './schema.ts'
import { inTransaction } from './write.ts'

const busyTimeoutMs = 5_000

/**
 * To write. An index that is missing, of another version, of another log or unreadable is replaced by an empty one: it is
 * derived, and following from leaf 0 brings everything back.
 */
export function openForWriting(file: string, origin: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (!existsSync(file)) createIndex(file, origin)
  // Judged again inside: another process may be replacing it at this moment.
  if (!isUsable(file, origin)) clearIndex(file, origin, (db) => !isCurrent(db, origin))
  return open(file)
}

/**
 * Empties the index in one transaction of the database itself, so that others who have it open (the follower) see it empty
 * and go on; a crash leaves it as it was. Only a file that SQLite finds damaged is replaced: unlinking the `-wal` of a
 * database that somebody writes lets his commits succeed into nowhere.
 */
export function clearIndex(file: string, origin: string, isUnwanted: (db: DatabaseSync) => boolean = () => true): void {
  if (existsSync(file) && emptyInPlace(file, origin, isUnwanted)) return
  removeIndex(file)
  createIndex(file, origin)
}

function emptyInPlace(file: string, origin: string, isUnwanted: (db: DatabaseSync) => boolean): boolean {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  try {
    if (db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check !== 'ok') return false
    inTransaction(db, () => {
      if (!isUnwanted(db)) return
      dropAll(db)
      createSchema(db, origin)
    })
    return true
  } catch (error) {
    if (isDamaged(error)) return false
    throw error
  } finally {
    db.close()
  }
}

/** Whatever is in there: an index that was edited may have tables, views and triggers of its own. */
function dropAll(db: DatabaseSync): void {
  const objects = db.prepare(
    "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') OR type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY type = 'table'",
  )
  for (const { type, name } of objects.all()) db.exec(`DROP ${String(type)} "${String(name).replaceAll('"', '""')}"`)
}

/** SQLITE_ERROR, SQLITE_CORRUPT and SQLITE_NOTADB, without their extended bits: what is in the file is at fault. */
function isDamaged(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && [1, 11, 26].includes(Number(error.errcode) & 0xff)
}

function open(file: string): DatabaseSync {
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
    // Not left to those who open it: two that switch at once would lock each other out.
    db.exec('PRAGMA journal_mode = WAL')
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

/** Side files first: once the main file is gone somebody else may make a new one, whose side files are not ours to take. */
function removeIndex(file: string): void {
  for (const suffix of ['-wal', '-shm', '']) rmSync(`${file}${suffix}`, { force: true })
}

function isCurrent(db: DatabaseSync, origin: string): boolean {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'cursor'").get() === undefined)
    return false
  const row = db.prepare('SELECT * FROM cursor').get()
  return row?.version === indexVersion && row.origin === origin
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
