import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../error.ts'
import { schema, schemaVersion } from './schema.ts'

const busyTimeoutMs = 5000

/**
 * Opens the database to write, creating it where it is missing. One process at a time does this (the collector's lock
 * sees to it). A commit is durable when it returns: WAL with synchronous=FULL syncs the log before it answers. Deleted
 * rows are overwritten, because deleting a wrap key has to destroy it.
 */
export function openToWrite(path: string, emptyRoot: Uint8Array): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // SQLite gives its side files the mode of the database, and the database the mode of whoever made it first.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON')
  db.exec('PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-32768')
  if (readVersion(db) === 0) createTables(db, emptyRoot)
  requireVersion(db, path)
  return db
}

/**
 * Opens the database to read beside the collector. Throws StoreError `store_missing` or `store_version`. The first
 * collector makes the file before its tables: whoever looks in between finds no store yet, not a foreign one.
 */
export function openToRead(path: string): DatabaseSync {
  if (!existsSync(path)) throw missing(path)
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  if (isEmpty(db)) {
    db.close()
    throw missing(path)
  }
  requireVersion(db, path)
  return db
}

function missing(path: string): StoreError {
  return new StoreError('store_missing', `no store at ${path}: nothing was collected in this home folder yet`)
}

/** One statement, hence one view: version and tables appear in one transaction, so this is true before it only. */
function isEmpty(db: DatabaseSync): boolean {
  const row = db
    .prepare('SELECT user_version AS version, (SELECT count(*) FROM sqlite_schema) AS n FROM pragma_user_version')
    .get()
  return row?.version === 0 && row.n === 0
}

/** In one transaction: a crash leaves a database without tables, which the next start takes for a new one. */
function createTables(db: DatabaseSync, emptyRoot: Uint8Array): void {
  db.exec('BEGIN IMMEDIATE')
  db.exec(schema)
  db.prepare('INSERT INTO tree (id, size, root) VALUES (1, 0, ?)').run(emptyRoot)
  db.exec(`PRAGMA user_version=${schemaVersion}`)
  db.exec('COMMIT')
}

function readVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}

function requireVersion(db: DatabaseSync, path: string): void {
  const version = readVersion(db)
  if (version === schemaVersion) return
  db.close()
  throw new StoreError(
    'store_version',
    `${path} has schema version ${version}, this program knows ${schemaVersion}: use the affidavit version that wrote it`,
  )
}
