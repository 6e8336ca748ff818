import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import { IndexError } from '../error.ts'
import {
  type ColumnRule,
  completedColumns,
  type IndexedEntry,
  recordColumns,
  requestedColumns,
  type Value,
} from './columns.ts'

/** Statements of the one process that writes the index. */
export interface IndexWriter {
  /** Entries of consecutive leaves from the cursor on; they and the cursor become visible together or not at all. */
  apply(entries: readonly IndexedEntry[]): void
  size(): number
}

export function createWriter(db: DatabaseSync): IndexWriter {
  const requested = insertInto(db, 'calls', requestedColumns)
  const record = insertInto(db, 'records', recordColumns)
  const completed = db.prepare(
    `UPDATE calls SET ${completedColumns.map(({ name }) => `${name} = ?`).join(', ')}
     WHERE leaf = (SELECT leaf FROM calls WHERE callId = ? AND headerHash = ? AND completedLeaf IS NULL ORDER BY leaf LIMIT 1)`,
  )
  const advance = db.prepare('UPDATE cursor SET size = ? WHERE one = 1 AND size = ?')
  const applyOne = (entry: IndexedEntry) => {
    if (isRequested(entry)) requested.run(...valuesOf(requestedColumns, entry))
    else if (!isCompleted(entry) || !complete(completed, entry)) record.run(...valuesOf(recordColumns, entry))
  }
  return {
    apply: (entries) =>
      inTransaction(db, () => {
        for (const entry of entries) applyOne(entry)
        moveCursor(advance, entries)
      }),
    size: () => readSize(db),
  }
}

/** Position of the index: leaves below it are in its rows. */
export function readSize(db: DatabaseSync): number {
  return Number(db.prepare('SELECT size FROM cursor').get()?.size ?? 0)
}

export function valuesOf<H extends IndexedEntry['header']>(
  columns: readonly ColumnRule<H>[],
  entry: IndexedEntry<H>,
): Value[] {
  return columns.map(({ value }) => value(entry))
}

export function isRequested(entry: IndexedEntry): entry is IndexedEntry<RequestedHeader> {
  return 'stage' in entry.header && entry.header.stage === 'requested'
}

export function isCompleted(entry: IndexedEntry): entry is IndexedEntry<CompletedHeader> {
  return 'stage' in entry.header && entry.header.stage === 'completed'
}

/** False where no open call of this id and header hash is there: the record then stands for itself. */
function complete(statement: StatementSync, entry: IndexedEntry<CompletedHeader>): boolean {
  const { callId, requestedHash } = entry.header
  const key = [callId, Buffer.from(requestedHash, 'base64')]
  return Number(statement.run(...valuesOf(completedColumns, entry), ...key).changes) === 1
}

function insertInto<H extends IndexedEntry['header']>(
  db: DatabaseSync,
  table: string,
  columns: readonly ColumnRule<H>[],
) {
  const names = columns.map(({ name }) => name)
  return db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
}

/** Moves only from where the batch began: two writers by mistake end in an error, never in doubled rows. */
function moveCursor(advance: StatementSync, entries: readonly IndexedEntry[]): void {
  const first = entries[0]?.leaf
  if (first === undefined) return
  if (Number(advance.run(first + entries.length, first).changes) !== 1) {
    throw new IndexError('index_moved', `the index is not at leaf ${first}: another process writes it`)
  }
}

/** IMMEDIATE takes the write lock at once, so that a batch cannot fail half way for being late. */
export function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    // A failed COMMIT may have rolled back itself; rolling back twice would hide the first error.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
