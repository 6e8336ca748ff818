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
  valueMarkRows,
} from './columns.ts'
import { createJoiner, type Joiner } from './join.ts'

/** Statements of the one process that writes the index. */
export interface IndexWriter {
  /** Entries of consecutive leaves from the cursor on; they and the cursor become visible together or not at all. */
  apply(entries: readonly IndexedEntry[]): void
  size(): number
}

export function createWriter(db: DatabaseSync): IndexWriter {
  const requested = insertInto(db, 'calls', requestedColumns)
  const record = insertInto(db, 'records', recordColumns)
  const joiner = createJoiner(db)
  const complete = createCompleter(db, joiner)
  const advance = db.prepare('UPDATE cursor SET size = ? WHERE one = 1 AND size = ?')
  const applyOne = (entry: IndexedEntry) => {
    if (isRequested(entry)) {
      requested.run(...valuesOf(requestedColumns, entry))
      joiner.open(entry)
    } else if (!isCompleted(entry) || complete(entry) === 'no call') record.run(...valuesOf(recordColumns, entry))
  }
  return {
    apply: (entries) =>
      inTransaction(db, () => {
        moveCursor(advance, entries)
        for (const entry of entries) applyOne(entry)
        joiner.settle()
      }),
    size: () => readSize(db),
  }
}

/** What a `completed` record that lost its place to a later one is called among the other records. */
export const supersededEvent = 'superseded'

/**
 * Joins by id and header hash. The collector writes outcome `unknown` for a call whose sensor died; should the sensor's own
 * word still arrive, it wins, and the collector's moves to `records`.
 */
function createCompleter(
  db: DatabaseSync,
  joiner: Joiner,
): (entry: IndexedEntry<CompletedHeader>) => 'completed' | 'no call' {
  const assignments = completedColumns.map(({ name }) => `${name} = ?`).join(', ')
  const place = `SELECT leaf FROM calls WHERE callId = ? AND headerHash = ? AND (completedLeaf IS NULL OR (
    outcome = 'unknown' AND completedStreamId <> streamId AND streamId = ?)) ORDER BY leaf LIMIT 1`
  const find = db.prepare(place)
  const complete = db.prepare(`UPDATE calls SET ${assignments} WHERE leaf = ?`)
  const keep = db.prepare(
    `INSERT INTO records (leaf, kind, stage, streamId, seq, time, observedTime, server, callId, event, detail)
     SELECT completedLeaf, kind, 'completed', completedStreamId, completedSeq, completedTime, completedObservedTime, NULL,
       callId, '${supersededEvent}', '{}' FROM calls WHERE completedLeaf IS NOT NULL AND leaf = ?`,
  )
  const mark = db.prepare('INSERT INTO valueMarks (mark, side, leaf) VALUES (?, ?, ?)')
  return (entry) => {
    const { callId, requestedHash, streamId } = entry.header
    const leaf = find.get(callId, Buffer.from(requestedHash, 'base64'), streamId)?.leaf
    if (typeof leaf !== 'number') return 'no call'
    keep.run(leaf)
    complete.run(...valuesOf(completedColumns, entry), leaf)
    for (const row of valueMarkRows(entry)) mark.run(row.mark, row.side, row.leaf)
    joiner.end(leaf, entry)
    return 'completed'
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

function insertInto<H extends IndexedEntry['header']>(
  db: DatabaseSync,
  table: string,
  columns: readonly ColumnRule<H>[],
) {
  const names = columns.map(({ name }) => name)
  return db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
}

/**
 * Moves only from where the batch began, and before any row is written: of two writers at once (follower and rebuild) the
 * later one is told `index_moved` and looks again, instead of meeting rows that are there already.
 */
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
