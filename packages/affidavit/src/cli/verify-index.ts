import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { type BodyFacts, noBodyFacts, toBodyFacts } from '../query/indexed-entry.ts'
import {
  type ColumnRule, completedColumns, type IndexedEntry, recordColumns, requestedColumns, type Value,
} from '../query/sqlite/columns.ts' // biome-ignore format: one list
import { createSchema } from '../query/sqlite/schema.ts'
import { isCompleted, isRequested, readSize, supersededEvent } from '../query/sqlite/write.ts'
import type { Leaf, LeafCheck } from './verify-contents.ts'
import { describeDamage, listSchema } from './verify-database.ts'
import { createJoinComparison, type JoinComparison } from './verify-joins.ts'
import { createMarkComparison, type MarkComparison } from './verify-marks.ts'

type Row = Record<string, SQLOutputValue>

const path = 'index/index.db'
const remedy = "the log is judged apart; run 'affidavit index rebuild'"

/** Without the key to the bodies nobody can say who acted, and where: then those columns are not compared. */
const unknownFacts: BodyFacts = { actor: {}, surroundings: undefined }
const bodyColumns = new Set([
  'agent',
  'agentId',
  'agentVersion',
  'user',
  'userId',
  'run',
  'purpose',
  'machineKey',
  'tokenFingerprint',
  'requestedPriority',
])
const isOfHeader = ({ name }: { name: string }) => !bodyColumns.has(name)
const [callsWithoutBody, recordsWithoutBody] = [requestedColumns.filter(isOfHeader), recordColumns.filter(isOfHeader)]

/** What an index says of itself, as of one moment: damage, tables, whom it is made for, how far it has come. */
export interface IndexStanding {
  damage: string | undefined
  /** Its cursor without the size, as JSON: names version and log. */
  madeFor: string
  /** Leaves it has read. */
  size: number
}

/**
 * Reads an index alone. It comes before the checkpoint, for a follower may be at work: what the index has read by now is
 * under the checkpoint that is read later. Undefined where there is none, or one whose tables are about to be made.
 */
export function readIndexStanding(file: string): IndexStanding | undefined {
  if (!existsSync(file)) return undefined
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    const damage = describeDamage(db)
    if (damage !== undefined) return { damage, madeFor: '', size: 0 }
    return inOneMoment(db, () => (listSchema(db).length === 0 ? undefined : readStanding(db)))
  } finally {
    db.close()
  }
}

function readStanding(db: DatabaseSync): IndexStanding {
  const fresh = openFresh('')
  const [expected, found] = [fresh, db].map((one) => JSON.stringify(listSchema(one)))
  fresh.close()
  if (expected !== found) return { damage: 'its tables are not those that this version makes', madeFor: '', size: 0 }
  const size = readSize(db)
  const beyond = 'SELECT leaf FROM calls WHERE leaf < 0 OR leaf >= ?1 OR completedLeaf < 0 OR completedLeaf >= ?1'
  const stray = `SELECT leaf FROM links WHERE leaf NOT IN (SELECT leaf FROM calls)
    UNION ALL SELECT leaf FROM valueMarks WHERE leaf < 0 OR leaf >= ?1`
  const row = db
    .prepare(`${beyond} UNION ALL SELECT leaf FROM records WHERE leaf < 0 OR leaf >= ?1 UNION ALL ${stray} LIMIT 1`)
    .get(size)
  const damage =
    row === undefined ? undefined : `it has a row (leaf ${String(row.leaf)}) beyond the entries it has read`
  return { damage, madeFor: readMadeFor(db), size }
}

function openFresh(origin: string): DatabaseSync {
  const fresh = new DatabaseSync(':memory:')
  createSchema(fresh, origin)
  return fresh
}

function readMadeFor(db: DatabaseSync): string {
  return JSON.stringify(db.prepare('SELECT one, version, origin FROM cursor').all())
}

/** Statements that see the database as of one moment, whatever a follower writes meanwhile. */
function inOneMoment<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN')
  try {
    return read()
  } finally {
    db.exec('COMMIT')
  }
}

/**
 * Holds what an index said of itself to the log: it is sound, made for this log, and knows no more than it has. Returns
 * the leaves it has read, undefined where it is not worth comparing.
 */
export function judgeIndexStanding(
  { damage, madeFor, size }: IndexStanding,
  log: { origin: string; size: number },
  problems: ProblemSink,
): number | undefined {
  const why = damage ?? findMismatch({ madeFor, size }, log)
  if (why === undefined) return size
  problems.add('index_disagrees', { path }, `${path}: ${why}; ${remedy}`)
  return undefined
}

function findMismatch(
  { madeFor, size }: Omit<IndexStanding, 'damage'>,
  log: { origin: string; size: number },
): string | undefined {
  const fresh = openFresh(log.origin)
  const expected = readMadeFor(fresh)
  fresh.close()
  if (madeFor !== expected) return 'it was made for another log or version'
  return size > log.size ? `it has read ${size} entries, the log has ${log.size}` : undefined
}

/**
 * Holds the index to the log, page by page: every leaf in its place, every column what the entry and its body say, no row
 * without a leaf. Pages stand for themselves, so that several threads may each take some. Each is read as of one moment:
 * a follower may join a call to a later outcome at any time, and moves all rows of that call together. `indexed` is the
 * standing that was judged; what the index has read since lies beyond.
 */
export function createIndexCheck(file: string, indexed: number, problems: ProblemSink): LeafCheck {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const comparePage = createComparison(db)
  let different = false
  return {
    follow: ({ from, to, leaves }) => {
      if (different) return
      const found = inOneMoment(db, () => {
        // Smaller than it was only where it is being rebuilt meanwhile.
        const end = Math.min(to, indexed, readSize(db))
        const entries = leaves.filter(({ leaf }) => leaf < end).map(toEntry)
        return end <= from ? undefined : comparePage({ from, to: end, entries, isWhole: entries.length === end - from })
      })
      if (found === undefined) return
      different = true
      problems.add('index_disagrees', { path, index: found.leaf }, `${path}: ${found.why}; ${remedy}`)
    },
    end: () => db.close(),
  }
}

interface Page {
  from: number
  to: number
  entries: IndexedEntry[]
  /** False where an entry of the log does not parse: then rows may be left over. */
  isWhole: boolean
}

interface Difference {
  leaf: number
  why: string
}

function createComparison(db: DatabaseSync): (page: Page) => Difference | undefined {
  const calls = createPageReader(db, 'calls', 'leaf')
  const completions = createPageReader(db, 'calls', 'completedLeaf')
  const records = createPageReader(db, 'records', 'leaf')
  const later = db.prepare('SELECT 1 FROM calls WHERE callId = ? AND headerHash = ? AND completedLeaf > ?')
  const joins = createJoinComparison(db)
  const marks = createMarkComparison(db)
  return ({ from, to, entries, isWhole }) => {
    const rows = {
      calls: calls(from, to),
      completions: completions(from, to),
      records: records(from, to),
      joins,
      marks,
    }
    joins.forget()
    for (const entry of entries) {
      const why = compareEntry(rows, entry, (...key) => later.get(...key) !== undefined)
      if (why !== undefined) return { leaf: entry.leaf, why }
    }
    const [left] = [...rows.calls.keys(), ...rows.completions.keys(), ...rows.records.keys()]
    if (left === undefined || !isWhole) return undefined
    return { leaf: left, why: `it has a row for entry ${left} that this entry does not ask for` }
  }
}

type Rows = Map<number, Row>

function createPageReader(db: DatabaseSync, table: 'calls' | 'records', column: 'leaf' | 'completedLeaf') {
  const select = db.prepare(`SELECT * FROM ${table} WHERE ${column} >= ? AND ${column} < ?`)
  return (from: number, to: number): Rows => new Map(select.all(from, to).map((row) => [Number(row[column]), row]))
}

/** Takes the row that belongs to the entry and says what is wrong with it. */
function compareEntry(
  {
    calls,
    completions,
    records,
    joins,
    marks,
  }: { calls: Rows; completions: Rows; records: Rows; joins: JoinComparison; marks: MarkComparison },
  entry: IndexedEntry,
  hasLater: (callId: string, headerHash: Uint8Array, leaf: number) => boolean,
): string | undefined {
  const { leaf } = entry
  const isClosed = entry.actor === unknownFacts.actor
  const body = isClosed ? 'unknown' : 'known'
  if (isRequested(entry)) {
    const row = take(calls, leaf)
    if (row === undefined) return `entry ${leaf} is not among its calls`
    if ((row.completedLeaf === null) !== (row.outcome === null))
      return `it gives an open call an outcome (entry ${leaf})`
    return (
      compare(isClosed ? callsWithoutBody : requestedColumns, entry, row) ??
      joins.compareLinks(entry, row, body) ??
      joins.compareJoin(row)
    )
  }
  const completion = isCompleted(entry) ? take(completions, leaf) : undefined
  if (completion !== undefined && isCompleted(entry)) {
    const isOwn =
      completion.callId === entry.header.callId && isSame(completion.headerHash, toHash(entry.header.requestedHash))
    if (!isOwn) return `entry ${leaf} is joined to another call`
    return (
      compare(completedColumns, entry, completion) ??
      joins.compareLinks(entry, completion, body) ??
      (isClosed ? undefined : marks(entry))
    )
  }
  const row = take(records, leaf)
  if (row === undefined) return `entry ${leaf} is missing`
  if (row.event !== supersededEvent) return compare(isClosed ? recordsWithoutBody : recordColumns, entry, row)
  const gaveWay = isCompleted(entry) && hasLater(entry.header.callId, toHash(entry.header.requestedHash), leaf)
  if (!gaveWay) return `it hides entry ${leaf}, the outcome of a call`
  return compare(
    recordColumns.filter(({ name }) => name !== 'event'),
    entry,
    row,
  )
}

function take(rows: Rows, leaf: number): Row | undefined {
  const row = rows.get(leaf)
  rows.delete(leaf)
  return row
}

function toHash(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
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
  const facts = body?.status === 'opened' ? toBodyFacts(body.sections) : body === undefined ? unknownFacts : noBodyFacts
  return { leaf, header, headerHash, envelope, ...facts }
}
