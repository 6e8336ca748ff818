import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { Header } from '@affidavit/evidence/record/header'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import type { Streams } from '@affidavit/evidence/verify/streams'
import { sealing } from '@affidavit/sensor/crypto/node'
import { createReferenceTable, type ReferenceTable, referencesKey } from '../collect/references.ts'
import type { LeafRange, SequenceReader } from '../store/contract.ts'
import { schema } from '../store/sqlite/schema.ts'
import type { Leaf, LeafCheck, LeafPage } from './verify-contents.ts'
import { describeDamage, listSchema } from './verify-database.ts'

const path = 'store/collector.db'

/** What SQLite and the schema say of the file alone. Undefined where it is sound, else why not. */
export function describeStoreDamage(file: string): string | undefined {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  try {
    const damage = describeDamage(db)
    if (damage !== undefined) return damage
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

/** What the log says must stand in the store, gathered while it goes by. */
interface Expected {
  /** Opening record and its facts, by stream. */
  openings: Map<string, { header: Header; leaf: number }>
  recovered: Set<string>
  /** Calls without an outcome: requested hash in base64 → what the row holds. */
  openCalls: Map<string, Row>
  references: Set<string>
  /** Undefined where no body could be looked for. */
  bodies: number | undefined
}

export interface StoreCheckOptions {
  file: string
  reader: SequenceReader
  problems: ProblemSink
  /** Streams as the walk through the log left them; undefined where it did not come through. */
  streams: Streams | undefined
  /** Root of the log's checkpoint, base64; undefined where there is none to believe. */
  root: string | undefined
  /** Key-encryption key: says whom a reference stands for. Undefined where it is not here. */
  kek: Uint8Array | undefined
}

/**
 * Holds the store's tables to the log: ranges, streams, open calls, references, wrap keys. What is in it beyond the
 * checkpoint (a collector at work, or one that died before it signed) is left alone.
 */
export function createStoreCheck({ file, reader, problems, streams, root, kek }: StoreCheckOptions): LeafCheck {
  const expected: Expected = {
    openings: new Map(),
    recovered: new Set(),
    openCalls: new Map(),
    references: new Set(),
    bodies: 0,
  }
  const report = (why: string, index?: number) =>
    problems.add('store_disagrees', { path, ...(index === undefined ? {} : { index }) }, `${path}: ${why}`)
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const references = kek === undefined ? undefined : openReferences(db, kek)
  return {
    follow: async (page) => {
      compareRanges(await reader.readRanges(page.from, page.to), page, report)
      await compareWrapping(reader, page, report)
      if (references !== undefined) await compareReferences(references, page, report)
      for (const leaf of page.leaves) gather(expected, leaf)
    },
    end: async (size) => {
      const tree = await reader.treeState()
      if (tree.size < size) report(`its tree has ${tree.size} entries, the log ${size}`)
      if (tree.size === size && root !== undefined && Buffer.from(tree.root).toString('base64') !== root)
        report('its tree has another root than the log')
      if (tree.size === size && streams !== undefined) {
        compareStreams(db, streams, expected, report)
        compareOpenCalls(db, expected, report)
        compareCounts(db, expected, report)
      }
      db.close()
    },
  }
}

type Report = (why: string, index?: number) => void

function compareRanges(ranges: readonly LeafRange[], { leaves }: LeafPage, report: Report): void {
  let at = 0
  for (const { leaf, header } of leaves) {
    while (at < ranges.length && leaf >= endOf(ranges[at])) at += 1
    const range = ranges[at]
    const seq = range === undefined || leaf < range.firstLeaf ? undefined : range.firstSeq + leaf - range.firstLeaf
    if (range?.streamId === header.streamId && seq === header.seq) continue
    report(`it has another record in place of entry ${leaf}`, leaf)
    return
  }
}

function endOf(range: LeafRange | undefined): number {
  return range === undefined ? 0 : range.firstLeaf + range.count
}

/** A body is wrapped under the key of whom it is about and when: else erasing would miss it, or take another's with it. */
async function compareWrapping(reader: SequenceReader, { from, to, leaves }: LeafPage, report: Report): Promise<void> {
  const byLeaf = new Map(leaves.map((leaf) => [leaf.leaf, leaf]))
  for (const blob of await reader.readSecrets(from, to)) {
    const key = await reader.readWrapKey(blob.wrapKeyId)
    for (let i = 0; i + 1 < blob.offsets.length; i += 2) {
      const leaf = byLeaf.get(blob.firstLeaf + ((blob.offsets[i] ?? 0) << 8) + (blob.offsets[i + 1] ?? 0))
      if (leaf === undefined || key === undefined) continue
      const { subject = '', observedTime } = leaf.envelope
      if (key.subject === subject && key.month === observedTime.slice(0, 7) && key.retention === 'default') continue
      report(`wrap key ${key.id} is not for whom entry ${leaf.leaf} is about`, leaf.leaf)
      return
    }
  }
}

/** The collector's own table, which gives each person one name, over what is stored now. */
function openReferences(db: DatabaseSync, kek: Uint8Array): ReferenceTable {
  const find = db.prepare('SELECT reference FROM subject_references WHERE kind = ? AND identity_key = ?')
  const findReference = async (kind: string, identityKey: Uint8Array) => {
    const reference = find.get(kind, identityKey)?.reference
    return typeof reference === 'string' ? reference : undefined
  }
  return createReferenceTable({ findReference }, referencesKey(sealing, kek))
}

async function compareReferences(references: ReferenceTable, { leaves }: LeafPage, report: Report): Promise<void> {
  for (const { leaf, envelope, body } of leaves) {
    const identity = body?.status === 'opened' ? body.sections.identity : undefined
    if (identity === undefined) continue
    const { subject, credential } = await references.refer(identity, [])
    if (subject === envelope.subject && credential === envelope.credential) continue
    report(`its references do not name whom entry ${leaf} is about`, leaf)
    return
  }
}

function gather(expected: Expected, { leaf, header, headerHash, envelope, body }: Leaf): void {
  const { openings, recovered, openCalls, references } = expected
  if (header.seq === 0) openings.set(header.streamId, { header, leaf })
  if (header.kind === 'stream' && header.detail.event === 'recovered') recovered.add(header.detail.head.streamId)
  if (envelope.subject !== undefined) references.add(envelope.subject)
  if (envelope.credential !== undefined) references.add(envelope.credential)
  if (body === undefined) expected.bodies = undefined
  else if (body.status !== 'absent' && expected.bodies !== undefined) expected.bodies += 1
  if (!('stage' in header)) return
  if (header.stage === 'completed') {
    openCalls.delete(header.requestedHash)
    return
  }
  const { streamId, seq, kind, callId, callGroupId = null } = header
  const { subject = null, credential = null } = envelope
  const row = { stream_id: streamId, seq, kind, call_id: callId, call_group_id: callGroupId, subject, credential }
  openCalls.set(Buffer.from(headerHash).toString('base64'), row)
}

function compareStreams(db: DatabaseSync, streams: Streams, expected: Expected, report: Report): void {
  const rows = db.prepare('SELECT * FROM streams WHERE next_seq > 0').all()
  if (rows.length !== streams.byId.size) report(`it knows ${rows.length} streams, the log has ${streams.byId.size}`)
  for (const row of rows) {
    const why = compareStream(row, streams, expected)
    if (why === undefined) continue
    report(`stream ${String(row.stream_id)}: ${why}`)
    return
  }
}

function compareStream(row: Row, streams: Streams, { openings, recovered }: Expected): string | undefined {
  const streamId = String(row.stream_id)
  const state = streams.byId.get(streamId)
  const opening = openings.get(streamId)?.header
  if (state === undefined || opening === undefined) return 'the log has no such stream'
  if (row.next_seq !== state.seq + 1) return `it stands at ${String(row.next_seq)}, in the log at ${state.seq + 1}`
  if (!(row.head_hash instanceof Uint8Array) || Buffer.compare(row.head_hash, state.hash) !== 0)
    return 'its head has another hash'
  const isOwn = opening.kind === 'epoch' || isCollector(opening)
  if ((row.own === 1) !== isOwn) return `it is the collector's own in one and not in the other`
  const standing = recovered.has(streamId) ? 'recovered' : state.closed ? 'closed' : 'open'
  if (row.standing !== standing && row.standing !== 'refused')
    return `it is ${String(row.standing)} there, in the log ${standing}`
  return compareOpening(row, opening)
}

/** Software of a collector is `affidavit/VERSION`; a sensor's has another name. */
function isCollector(opening: Header): boolean {
  return (
    opening.kind === 'stream' && opening.detail.event === 'opened' && opening.detail.software.startsWith('affidavit/')
  )
}

function compareOpening(row: Row, opening: Header): string | undefined {
  const detail = opening.kind === 'stream' && opening.detail.event === 'opened' ? opening.detail : undefined
  const expected =
    detail === undefined
      ? [null, null, null, null, null]
      : [detail.sensorId, detail.sensorKey, detail.counter, opening.bootId, opening.time]
  const key = row.sensor_key instanceof Uint8Array ? Buffer.from(row.sensor_key).toString('base64') : row.sensor_key
  const found = [row.sensor_id, key, row.counter, row.boot_id, row.opened_time]
  return JSON.stringify(found) === JSON.stringify(expected) ? undefined : 'its opening record says something else'
}

function compareOpenCalls(db: DatabaseSync, { openCalls }: Expected, report: Report): void {
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
function compareCounts(db: DatabaseSync, { references, bodies }: Expected, report: Report): void {
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
