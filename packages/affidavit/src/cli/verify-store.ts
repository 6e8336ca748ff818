import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import type { Streams } from '@affidavit/evidence/verify/streams'
import type { SequenceReader } from '../store/contract.ts'
import { StoreError } from '../store/error.ts'
import { openSequenceReader } from '../store/sqlite/read.ts'
import { schema } from '../store/sqlite/schema.ts'
import { describeDamage, listSchema } from './verify-database.ts'
import type { LogFacts, Opening } from './verify-facts.ts'

const path = 'store/collector.db'

/** `missing` also where its tables are about to be made. Whoever opens it closes it. */
export type OpenedStore =
  | { state: 'open'; reader: SequenceReader }
  | { state: 'missing' }
  | { state: 'damaged'; why: string }

export function openStore(file: string): OpenedStore {
  if (!existsSync(file)) return { state: 'missing' }
  const damage = describeStoreDamage(file)
  if (damage === 'empty') return { state: 'missing' }
  if (damage !== undefined) return { state: 'damaged', why: damage }
  try {
    return { state: 'open', reader: openSequenceReader(file) }
  } catch (error) {
    if (error instanceof StoreError) return { state: 'damaged', why: error.message }
    throw error
  }
}

/** What SQLite and the schema say of the file alone. Undefined where it is sound, else why not. */
function describeStoreDamage(file: string): string | undefined {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    const damage = describeDamage(db)
    if (damage !== undefined) return damage
    if (listSchema(db).length === 0) return 'empty'
    const fresh = new DatabaseSync(':memory:')
    fresh.exec(schema)
    const [expected, found] = [fresh, db].map((one) => JSON.stringify(listSchema(one)))
    fresh.close()
    return expected === found ? undefined : 'its tables are not those that this version makes'
  } finally {
    db.close()
  }
}

type Row = Record<string, SQLOutputValue>

export interface StoreComparison {
  file: string
  problems: ProblemSink
  /** Leaves of the log. */
  size: number
  facts: LogFacts
  /** As the walk through the log left them; undefined where it did not come through. */
  streams: Streams | undefined
  /** Root of the log's checkpoint, base64; undefined where there is none to believe. */
  root: string | undefined
  /** Bodies that the entries ask for and that are there; undefined where none could be looked for. */
  bodies: number | undefined
}

/**
 * Holds the store's tables to the log as a whole: tree, streams, open calls, and that there is nothing more. What is in
 * it beyond the checkpoint (a collector at work, or one that died before it signed) is left alone.
 */
export function compareStore({ file, problems, size, ...log }: StoreComparison): void {
  const report = (why: string) => problems.add('store_disagrees', { path }, `${path}: ${why}`)
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  // One moment for all tables: a collector that goes on in between would look like a disagreement.
  db.exec('BEGIN')
  try {
    const tree = db.prepare('SELECT size, root FROM tree').get()
    const stored = Number(tree?.size ?? 0)
    if (stored < size) report(`its tree has ${stored} entries, the log ${size}`)
    if (stored !== size) return
    const storedRoot = tree?.root instanceof Uint8Array ? Buffer.from(tree.root).toString('base64') : undefined
    if (log.root !== undefined && storedRoot !== log.root) report('its tree has another root than the log')
    if (log.streams === undefined) return
    compareStreams(db, log.streams, log.facts, report)
    compareOpenCalls(db, log.facts, report)
    compareCounts(db, { references: log.facts.references, bodies: log.bodies }, report)
  } finally {
    db.close()
  }
}

type Report = (why: string) => void

function compareStreams(db: DatabaseSync, streams: Streams, facts: LogFacts, report: Report): void {
  const rows = db.prepare('SELECT * FROM streams WHERE next_seq > 0').all()
  if (rows.length !== streams.byId.size) report(`it knows ${rows.length} streams, the log has ${streams.byId.size}`)
  for (const row of rows) {
    const why = compareStream(row, streams, facts)
    if (why === undefined) continue
    report(`stream ${String(row.stream_id)}: ${why}`)
    return
  }
}

function compareStream(row: Row, streams: Streams, { openings, recovered }: LogFacts): string | undefined {
  const streamId = String(row.stream_id)
  const state = streams.byId.get(streamId)
  const opening = openings.get(streamId)
  if (state === undefined || opening === undefined) return 'the log has no such stream'
  if (row.next_seq !== state.seq + 1) return `it stands at ${String(row.next_seq)}, in the log at ${state.seq + 1}`
  if (!(row.head_hash instanceof Uint8Array) || Buffer.compare(row.head_hash, state.hash) !== 0)
    return 'its head has another hash'
  if ((row.own === 1) !== opening.own) return `it is the collector's own in one and not in the other`
  const standing = recovered.has(streamId) ? 'recovered' : state.closed ? 'closed' : 'open'
  if (row.standing !== standing && row.standing !== 'refused')
    return `it is ${String(row.standing)} there, in the log ${standing}`
  return compareOpening(row, opening)
}

function compareOpening(row: Row, { sensorId, sensorKey, counter, bootId, time }: Opening): string | undefined {
  const key = row.sensor_key instanceof Uint8Array ? Buffer.from(row.sensor_key).toString('base64') : row.sensor_key
  const found = [row.sensor_id, key, row.counter, row.boot_id, row.opened_time]
  const isSame = JSON.stringify(found) === JSON.stringify([sensorId, sensorKey, counter, bootId, time])
  return isSame ? undefined : 'its opening record says something else'
}

function compareOpenCalls(db: DatabaseSync, { openCalls }: LogFacts, report: Report): void {
  const rows = db
    .prepare(
      `SELECT c.requested_hash, s.stream_id, c.seq, c.kind, c.call_id, c.call_group_id, c.subject, c.credential
       FROM open_calls c JOIN streams s ON s.id = c.stream`,
    )
    .all()
  if (rows.length !== openCalls.size) report(`it knows ${rows.length} open calls, the log has ${openCalls.size}`)
  for (const { requested_hash: hash, ...row } of rows) {
    const expected = hash instanceof Uint8Array ? openCalls.get(Buffer.from(hash).toString('base64')) : undefined
    if (JSON.stringify(row) === JSON.stringify(expected)) continue
    report(`open call ${String(row.call_id)} is not as in the log`)
    return
  }
}

/** Nothing more than the log asks for: bodies, their secrets, references, keys. */
function compareCounts(
  db: DatabaseSync,
  { references, bodies }: { references: Set<string>; bodies: number | undefined },
  report: Report,
): void {
  const count = (sql: string) => Number(db.prepare(sql).get()?.n ?? 0)
  const stored = count('SELECT count(*) AS n FROM bodies')
  if (bodies !== undefined && stored !== bodies) report(`it has ${stored} bodies, the log asks for ${bodies}`)
  const secrets = count('SELECT coalesce(sum(length(offsets)), 0) / 2 AS n FROM secrets')
  if (secrets !== stored) report(`it has ${secrets} secrets for ${stored} bodies`)
  const unused = count('SELECT count(*) AS n FROM wrap_keys WHERE id NOT IN (SELECT wrap_key FROM secrets)')
  if (unused > 0) report(`${unused} of its wrap keys open nothing`)
  const names = db
    .prepare('SELECT reference FROM subject_references')
    .all()
    .map(({ reference }) => String(reference))
  const missing = [...references].find((reference) => !names.includes(reference))
  if (missing !== undefined) report(`the reference ${missing} is not in its table`)
  if (names.length !== references.size) report(`it has ${names.length} references, the log uses ${references.size}`)
}
