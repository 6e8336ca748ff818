import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { readActor } from '../query/actor.ts'
import {
  type ColumnRule, completedColumns, type IndexedEntry, recordColumns, requestedColumns, type Value,
} from '../query/sqlite/columns.ts' // biome-ignore format: one list
import { createSchema } from '../query/sqlite/schema.ts'
import { isCompleted, isRequested, readSize, supersededEvent } from '../query/sqlite/write.ts'
import type { Leaf, LeafCheck } from './verify-contents.ts'
import { describeDamage, listSchema } from './verify-database.ts'

type Row = Record<string, SQLOutputValue>

/** Without the key to the bodies nobody can say who acted: then those columns are not compared. */
const unknownActor: IndexedEntry['actor'] = {}
const actorColumns = new Set(['agent', 'agentId', 'agentVersion', 'user', 'userId'])
const withoutActor = requestedColumns.filter(({ name }) => !actorColumns.has(name))

export interface IndexCheck extends LeafCheck {
  /** Leaves that the index has read; undefined where there is none. */
  size: number | undefined
  close(): void
}

const path = 'index/index.db'

/**
 * Holds the index to the log, row by row as the log goes by: every leaf in its place, every column what the entry and its
 * body say, no row without a leaf. An index that lags is judged as far as it has come.
 */
export function createIndexCheck(file: string, origin: string, problems: ProblemSink): IndexCheck {
  const opened = openIndex(file, origin, problems)
  if (opened === undefined)
    return { size: undefined, follow: () => undefined, end: () => undefined, close: () => undefined }
  const { db, size } = opened
  const comparison = createComparison(db, size)
  let different = false
  const report = (leaf: number | undefined, why: string) => {
    if (!different) {
      const place = { path, ...(leaf === undefined ? {} : { index: leaf }) }
      problems.add(
        'index_disagrees',
        place,
        `${path}: ${why}; the log itself is judged apart: run 'affidavit index rebuild'`,
      )
    }
    different = true
  }
  return {
    size,
    follow: ({ leaves }) => {
      for (const leaf of leaves) {
        if (different || leaf.leaf >= size) return
        const why = comparison.follow(toEntry(leaf))
        if (why !== undefined) report(leaf.leaf, why)
      }
    },
    end: (reached) => {
      const why = different || reached < size ? undefined : comparison.end()
      if (why !== undefined) report(undefined, why)
      if (reached < size && !different) report(undefined, `it has read ${size} entries, the log has ${reached}`)
    },
    close: () => db.close(),
  }
}

function openIndex(
  file: string,
  origin: string,
  problems: ProblemSink,
): { db: DatabaseSync; size: number } | undefined {
  if (!existsSync(file)) return undefined
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const why = findDamage(db, origin)
  if (why === undefined) return { db, size: readSize(db) }
  problems.add('index_disagrees', { path }, `${path}: ${why}; run 'affidavit index rebuild'`)
  db.close()
  return undefined
}

function findDamage(db: DatabaseSync, origin: string): string | undefined {
  const damage = describeDamage(db)
  if (damage !== undefined) return damage
  const expected = new DatabaseSync(':memory:')
  createSchema(expected, origin)
  const cursor = 'SELECT one, version, origin FROM cursor'
  const [fresh, found] = [expected, db].map((one) => JSON.stringify([listSchema(one)]))
  if (fresh !== found) return 'its tables are not those that this version makes'
  const [freshCursor, foundCursor] = [expected, db].map((one) => JSON.stringify(one.prepare(cursor).all()))
  expected.close()
  return freshCursor === foundCursor ? undefined : 'it was made for another log or version'
}

/** Both tables are read once, in the order of the leaves. */
function createComparison(db: DatabaseSync, size: number) {
  const calls = createReader(db, 'calls')
  const records = createReader(db, 'records')
  /** Rows of calls whose `completed` record has not gone by, by its leaf. */
  const pending = new Map<number, Row>()
  /** Calls whose first outcome gave way to a later one, by id: until that one has gone by. */
  const superseded = new Set<string>()
  const followRequested = (entry: IndexedEntry): string | undefined => {
    if (!isRequested(entry)) return undefined
    const row = calls.take(entry.leaf)
    if (row === undefined) return `entry ${entry.leaf} is not among its calls`
    const { completedLeaf, outcome } = row
    if (typeof completedLeaf === 'number' && completedLeaf < size) pending.set(completedLeaf, row)
    else if (outcome !== null) return `it gives call ${entry.header.callId} an outcome that the log has not`
    return compare(entry.actor === unknownActor ? withoutActor : requestedColumns, entry, row)
  }
  const followCompleted = (entry: IndexedEntry): string | undefined => {
    if (!isCompleted(entry)) return undefined
    const row = pending.get(entry.leaf)
    pending.delete(entry.leaf)
    superseded.delete(entry.header.callId)
    const isOwn =
      row?.callId === entry.header.callId && isSame(row.headerHash, Buffer.from(entry.header.requestedHash, 'base64'))
    return isOwn ? compare(completedColumns, entry, row) : `entry ${entry.leaf} is joined to another call`
  }
  const followRecord = (entry: IndexedEntry): string | undefined => {
    const row = records.take(entry.leaf)
    if (row === undefined) return `entry ${entry.leaf} is missing`
    if (row.event !== supersededEvent) return compare(recordColumns, entry, row)
    if (!isCompleted(entry)) return `entry ${entry.leaf} is no outcome that gave way to another`
    superseded.add(entry.header.callId)
    return compare(
      recordColumns.filter(({ name }) => name !== 'event'),
      entry,
      row,
    )
  }
  return {
    follow: (entry: IndexedEntry): string | undefined => {
      if (isRequested(entry)) return followRequested(entry)
      return isCompleted(entry) && pending.has(entry.leaf) ? followCompleted(entry) : followRecord(entry)
    },
    end: (): string | undefined => {
      const left = calls.next() ?? records.next() ?? [...pending.values()][0]
      if (left !== undefined) return `it has a row (leaf ${left.leaf}) that the log has no entry for`
      return superseded.size > 0 ? `it hides the outcome of call ${[...superseded][0]}` : undefined
    },
  }
}

/** One table in the order of its leaves, one row ahead. */
function createReader(db: DatabaseSync, table: 'calls' | 'records') {
  const rows = db.prepare(`SELECT * FROM ${table} ORDER BY leaf`).iterate()
  let ahead = rows.next()
  const next = (): Row | undefined => (ahead.done === true ? undefined : ahead.value)
  return {
    next,
    take: (leaf: number): Row | undefined => {
      const row = next()
      if (row?.leaf !== leaf) return undefined
      ahead = rows.next()
      return row
    },
  }
}

function compare<H extends IndexedEntry['header']>(
  columns: readonly ColumnRule<H>[],
  entry: IndexedEntry<H>,
  row: Row,
): string | undefined {
  const differing = columns.find(({ name, value }) => !isSame(row[name], value(entry)))
  return differing === undefined ? undefined : `entry ${entry.leaf} has another ${differing.name}`
}

function isSame(stored: SQLOutputValue | undefined, expected: Value): boolean {
  if (stored instanceof Uint8Array && expected instanceof Uint8Array) return Buffer.compare(stored, expected) === 0
  return stored === expected
}

function toEntry({ leaf, header, headerHash, envelope, body }: Leaf): IndexedEntry {
  const actor = body?.status === 'opened' ? readActor(body.sections) : body === undefined ? unknownActor : {}
  return { leaf, header, headerHash, envelope, actor }
}
