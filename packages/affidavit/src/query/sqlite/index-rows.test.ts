import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CallFilter, parseOutcomeWord } from '../filter.ts'
import type { IndexedEntry } from './columns.ts'
import { dumpIndex } from './dump.ts'
import { clearIndex, openForReading, openForWriting } from './open.ts'
import { findCallOfLeaf, findCalls, iterateCalls, searchCalls } from './search.ts'
import { createWriter } from './write.ts'

const origin = 'affidavit.local/0123456789abcdef/default/2026q4'
let folder: string
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-index-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const startMs = Date.parse('2026-11-20T11:00:00.000Z')
const uuid = (n: number) => `01968d1e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const hash = (n: number) => new Uint8Array(32).fill(n % 251)
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

interface Made {
  /** Number of the call; its halves share it. */
  call: number
  stage: 'requested' | 'completed' | 'gap'
  tool?: string
  agent?: string
  tags?: string[]
  outcome?: 'success' | 'tool_error' | 'unknown'
  /** Number of the stream; calls are requested on 0, the collector's own is 1. */
  stream?: number
}

function entry(leaf: number, made: Made): IndexedEntry {
  const core = {
    v: 1 as const, tenant: 'default', epoch: '2026q4', streamId: uuid(made.stream ?? 0), seq: leaf, bootId: 'boot',
    time: new Date(startMs + leaf * 1000).toISOString(), monotonicUs: leaf, sections: {},
  } // biome-ignore format: one record
  const envelope = { v: 1 as const, observedTime: new Date(startMs + leaf * 1000 + 5).toISOString() }
  const rest = { leaf, headerHash: hash(made.call), envelope, surroundings: undefined }
  if (made.stage === 'gap') {
    const detail = { event: 'opened' as const, gapId: uuid(made.call), code: 'spool_full' }
    return { ...rest, header: { ...core, kind: 'gap', detail }, actor: {} }
  }
  if (made.stage === 'completed') {
    const header = {
      ...core, kind: 'call' as const, stage: 'completed' as const, callId: uuid(made.call),
      requestedHash: base64(hash(made.call)), outcome: made.outcome ?? ('success' as const), responseBytes: 10, latencyUs: 1500,
    } // biome-ignore format: one record
    return { ...rest, header, actor: {} }
  }
  return {
    ...rest,
    actor: made.agent === undefined ? {} : { agent: made.agent, user: 'uid 1000' },
    header: {
      ...core, kind: 'call', stage: 'requested', vantage: 'gateway', direction: 'to-server', callId: uuid(made.call),
      sessionSource: 'legacy-stdio', sessionId: uuid(7), method: 'tools/call', requestIdDigest: 'aabbccdd:x',
      server: { name: 'files', version: '1.0.0' }, tool: { name: made.tool ?? 'read_file', definition: base64(hash(1)) },
      effect: 'unknown', level: 'arguments', inputBytes: 100, classification: { level: 'unclassified', tags: made.tags ?? [] },
      decision: { disposition: 'undecided', mode: 'observe' },
    },
  } // biome-ignore format: one record
}

function fill(made: readonly Made[], batch = 100): DatabaseSync {
  const db = openForWriting(join(folder, `${count++}.db`), origin)
  const writer = createWriter(db)
  const entries = made.map((each, leaf) => entry(leaf, each))
  for (let at = 0; at < entries.length; at += batch) writer.apply(entries.slice(at, at + batch))
  return db
}

const calls: Made[] = [
  { call: 1, stage: 'requested', agent: 'claude', tags: ['pii', 'a[b]'] },
  { call: 2, stage: 'requested', tool: 'write_file', agent: 'other' },
  { call: 1, stage: 'completed' },
  { call: 3, stage: 'requested' },
  { call: 2, stage: 'completed', outcome: 'tool_error' },
  { call: 9, stage: 'gap' },
]
const found = (db: DatabaseSync, filter: CallFilter) => searchCalls(db, filter, 10).calls.map(({ leaf }) => leaf)

describe('rows', () => {
  it('every leaf is in exactly one place, whatever the order and split of entries [Q-1]', () => {
    const anyMade = fc.record({
      call: fc.integer({ min: 0, max: 6 }),
      stage: fc.constantFrom('requested', 'completed', 'gap'),
      stream: fc.integer({ min: 0, max: 1 }),
      outcome: fc.constantFrom('success', 'unknown'),
    })
    fc.assert(
      fc.property(fc.array(anyMade, { maxLength: 40 }), fc.integer({ min: 1, max: 40 }), (made, batch) => {
        const db = fill(made, batch)
        const places = db
          .prepare(
            'SELECT leaf FROM calls UNION ALL SELECT completedLeaf FROM calls WHERE completedLeaf IS NOT NULL UNION ALL SELECT leaf FROM records',
          )
          .all()
          .map(({ leaf }) => Number(leaf))
        expect(places.sort((a, b) => a - b)).toEqual(made.map((_, leaf) => leaf))
        const whole = fill(made)
        expect([...dumpIndex(db)]).toEqual([...dumpIndex(whole)])
        db.close()
        whole.close()
      }),
      { numRuns: 60 },
    )
  })
  it('lets the word of the sensor win over what recovery wrote for it, and keeps both [Q-1]', () => {
    const db = fill([
      { call: 1, stage: 'requested' },
      { call: 1, stage: 'completed', outcome: 'unknown', stream: 1 },
      { call: 1, stage: 'completed', outcome: 'success' },
      { call: 1, stage: 'completed', outcome: 'tool_error' },
    ])
    expect(searchCalls(db, { outcome: ['success'] }, 5).calls).toMatchObject([{ leaf: 0, completedLeaf: 2 }])
    expect(db.prepare('SELECT leaf, event FROM records ORDER BY leaf').all()).toEqual([
      { leaf: 1, event: 'superseded' },
      { leaf: 3, event: 'completed without partner' },
    ])
    db.close()
  })
  it('refuses entries that do not follow the cursor, and keeps none of them [Q-2]', () => {
    const db = fill(calls)
    const before = [...dumpIndex(db)]
    expect(() => createWriter(db).apply([entry(9, { call: 5, stage: 'gap' })])).toThrow(
      expect.objectContaining({ code: 'index_moved' }),
    )
    expect([...dumpIndex(db)]).toEqual(before)
    db.close()
  })
  it('tells the slower of two writers to look again, whatever the entries are [Q-2]', () => {
    const db = fill(calls)
    const slower = new DatabaseSync(db.location() ?? '')
    for (const made of calls) {
      expect(() => createWriter(slower).apply([entry(0, made)])).toThrow(
        expect.objectContaining({ code: 'index_moved' }),
      )
    }
    slower.close()
    db.close()
  })
  it('is emptied beside a writer that has it open, who goes on in the same file [Q-23]', () => {
    const db = fill(calls)
    const file = db.location() ?? ''
    const { ino } = statSync(file)
    const writer = createWriter(db)
    const before = [...dumpIndex(db)]
    db.exec(
      'CREATE VIEW v AS SELECT 1; CREATE TABLE more (a); CREATE TRIGGER t AFTER INSERT ON calls BEGIN SELECT 1; END',
    )
    clearIndex(file, origin)
    expect(writer.size()).toBe(0)
    writer.apply(calls.map((made, leaf) => entry(leaf, made)))
    expect([...dumpIndex(db)]).toEqual(before)
    expect(statSync(file).ino).toBe(ino)
    db.close()
  })
  it('is replaced by another file only where SQLite finds it damaged [Q-23]', () => {
    const db = fill(calls)
    const file = db.location() ?? ''
    db.close()
    writeFileSync(file, 'no database at all, but long enough to be looked at as one'.repeat(100))
    const replaced = openForWriting(file, origin)
    expect(createWriter(replaced).size()).toBe(0)
    replaced.close()
  })
  it('replaces an index of another log or of unreadable bytes by an empty one [Q-3]', () => {
    const db = fill(calls)
    const file = db.location() ?? ''
    db.close()
    expect(() => openForReading(file, 'another.example/log')).toThrow(
      expect.objectContaining({ code: 'index_unreadable' }),
    )
    const other = openForWriting(file, 'another.example/log')
    expect(createWriter(other).size()).toBe(0)
    other.close()
  })
})

describe('questions', () => {
  const db = () => fill(calls)
  it('by time, session, server, tool, outcome, actor and classification [Q-4]', () => {
    const index = db()
    expect(found(index, {})).toEqual([0, 1, 3])
    expect(found(index, { sinceMs: startMs + 1000, untilMs: startMs + 3000 })).toEqual([1])
    expect(found(index, { session: [uuid(7)] })).toEqual([0, 1, 3])
    expect(found(index, { server: ['fil*'], tool: ['write_file'] })).toEqual([1])
    expect(found(index, { tool: ['*_file'] })).toEqual([0, 1, 3])
    expect(found(index, { tool: ['[rw]*'] })).toEqual([])
    expect(found(index, { actor: ['claude', 'nobody'] })).toEqual([0])
    expect(found(index, { actor: ['uid*'] })).toEqual([0, 1])
    expect(found(index, { classification: ['pii'] })).toEqual([0])
    expect(found(index, { classification: ['a[b]', 'x*'] })).toEqual([0])
    expect(found(index, { classification: ['unclassified'] })).toEqual([0, 1, 3])
    expect(found(index, { outcome: ['open'] })).toEqual([3])
    expect(found(index, { outcome: ['failure'] })).toEqual([1])
    expect(found(index, { outcome: ['tool_error', 'success'] })).toEqual([0, 1])
    expect(found(index, { tool: ["x' OR 1=1 --"] })).toEqual([])
    index.close()
  })
  it('gives the newest calls in the order they happened and says how many there are [Q-5]', () => {
    const index = db()
    const page = searchCalls(index, {}, 2)
    expect(page.calls.map(({ leaf }) => leaf)).toEqual([1, 3])
    expect(page.total).toBe(3)
    expect([...iterateCalls(index, {})].map(({ leaf }) => leaf)).toEqual([0, 1, 3])
    index.close()
  })
  it('finds calls by prefix, suffix and leaf of either record [Q-6]', () => {
    const index = db()
    expect(findCalls(index, uuid(2), 5).map(({ leaf }) => leaf)).toEqual([1])
    expect(findCalls(index, '0002', 5).map(({ leaf }) => leaf)).toEqual([1])
    expect(findCalls(index, '01968d1e', 5)).toHaveLength(3)
    expect(findCalls(index, '*', 5)).toEqual([])
    expect(findCallOfLeaf(index, 4)?.leaf).toBe(1)
    expect(findCallOfLeaf(index, 5)).toBeUndefined()
    index.close()
  })
  it('refuses an outcome that does not exist [Q-4]', () => {
    expect(() => parseOutcomeWord('fine')).toThrow(expect.objectContaining({ code: 'bad_filter' }))
  })
})
