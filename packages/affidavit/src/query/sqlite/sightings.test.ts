import { DatabaseSync } from 'node:sqlite'
import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import { describe, expect, it } from 'vitest'
import type { Surroundings } from '../surroundings.ts'
import type { IndexedEntry } from './columns.ts'
import { createSchema } from './schema.ts'
import { iterateCalls, searchCalls } from './search.ts'
import { createSightingReader } from './sightings.ts'
import { readTotals } from './totals.ts'
import { createWriter } from './write.ts'

const uuid = (n: number) => `01968d1e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const base64 = (n: number) => Buffer.alloc(32, n).toString('base64')
const startMs = Date.parse('2026-11-20T11:00:00.000Z')

interface Seen {
  /** Milliseconds after the beginning. */
  at: number
  lasts?: number
  vantage?: 'client' | 'gateway' | 'server'
  /** Without a session. */
  isStateless?: true
  /** Of a method that is no call of a tool. */
  method?: string
  requested?: Partial<RequestedHeader>
  completed?: Partial<CompletedHeader>
  surroundings?: Surroundings
  agent?: string
}

/** One record of a call after the other, each on a stream of its own, and their leaves. */
function fill(...seen: Seen[]) {
  const db = new DatabaseSync(':memory:')
  createSchema(db, 'log')
  const entries = seen.flatMap((one, n) => entriesOf(one, n).map((entry, half) => ({ ...entry, leaf: 2 * n + half })))
  createWriter(db).apply(entries)
  return db
}

const session = { sessionSource: 'legacy-http', sessionId: `aabbccdd:${base64(1)}` } as const
const noSession = { sessionSource: 'absent', sessionReason: 'stateless' } as const

function entriesOf(seen: Seen, n: number) {
  const { at, lasts = 10, vantage = 'gateway', isStateless, method, requested, completed, surroundings, agent } = seen
  const tool = { tool: { name: 'read_file', definition: base64(3) } }
  const core = (ms: number) => ({
    v: 1 as const, tenant: 'default', epoch: '2026q4', streamId: uuid(100 + n), seq: 0, bootId: uuid(1), sections: {},
    time: new Date(startMs + ms).toISOString(), monotonicUs: ms * 1000,
  }) // biome-ignore format: one record
  const rest = {
    headerHash: new Uint8Array(32).fill(n),
    envelope: { v: 1 as const, observedTime: '2026-11-20T12:00:00.000Z' },
  }
  const first: RequestedHeader = {
    ...core(at), kind: 'call', stage: 'requested', vantage, direction: 'to-server', callId: uuid(n),
    ...(isStateless ? noSession : session), method: method ?? 'tools/call', ...(method === undefined ? tool : {}),
    requestIdDigest: `aabbccdd:${base64(2)}`, server: { name: `${vantage} calls it` }, effect: 'unknown', level: 'arguments',
    inputBytes: 100, classification: { level: 'unclassified', tags: [] }, decision: { disposition: 'undecided', mode: 'observe' },
    ...requested,
  } // biome-ignore format: one record
  const last: CompletedHeader = {
    ...core(at + lasts), kind: 'call', stage: 'completed', callId: uuid(n), requestedHash: base64(n), outcome: 'success',
    responseBytes: 10, latencyUs: 5, ...completed,
  } // biome-ignore format: one record
  return [
    { ...rest, header: first, actor: agent === undefined ? {} : { agent }, surroundings },
    { ...rest, header: last, actor: {}, surroundings: undefined },
  ] satisfies Omit<IndexedEntry, 'leaf'>[]
}

const gatewayAndServer = [
  { at: 0, lasts: 30 },
  { at: 5, vantage: 'server' },
] as const

describe('a call seen from several vantages', () => {
  it('is listed once at the vantage nearest the server, and found by what any of its records says [VA-7]', () => {
    const db = fill(
      { at: 0, lasts: 30, agent: 'claude' },
      { at: 5, vantage: 'server' },
      { at: -5, lasts: 40, vantage: 'client' },
    )
    const found = (filter: Parameters<typeof searchCalls>[1]) =>
      searchCalls(db, filter, 9).calls.map(({ leaf }) => leaf)
    expect(found({})).toEqual([2])
    for (const server of ['client calls it', 'gateway calls it', 'server calls it'])
      expect(found({ server: [server] })).toEqual([2])
    expect(found({ actor: ['claude'] })).toEqual([2])
    expect(found({ actor: ['claude'], server: ['server calls it'] })).toEqual([])
    expect(found({ vantage: 'all' })).toEqual([4, 0, 2])
    expect(found({ vantage: 'gateway' })).toEqual([0])
    expect([...iterateCalls(db, {})]).toHaveLength(1)
    expect(readTotals(db)).toMatchObject({
      calls: 1,
      openCalls: 0,
      corroborating: 2,
      countedAt: { client: 0, gateway: 0, server: 1 },
    })
    db.close()
  })
  it('belongs to the time of the record that counts, so that two stretches of time share no call [VA-7]', () => {
    const db = fill(...gatewayAndServer)
    const between = startMs + 3
    expect(searchCalls(db, { untilMs: between }, 9).total).toBe(0)
    expect(searchCalls(db, { sinceMs: between, server: ['gateway calls it'] }, 9).total).toBe(1)
    db.close()
  })
  it('says who corroborates it, and where they disagree [VA-8]', () => {
    const db = fill(
      { at: 0, lasts: 30, completed: { outcome: 'transport_error', httpStatus: 502, responseBytes: 99 } },
      { at: 5, vantage: 'server', completed: { rpcCode: -1 } },
    )
    const read = createSightingReader(db)
    expect(read(2)).toMatchObject({ vantage: 'server', possible: [], differences: [] })
    expect(read(2).others).toEqual([
      {
        place: { leaf: 0, callId: uuid(0), timeMs: startMs, completedLeaf: 1 },
        vantage: 'gateway',
        differences: [
          { field: 'outcome', counted: 'success', other: 'transport_error' },
          { field: 'responseBytes', counted: 10, other: 99 },
        ],
      },
    ])
    expect(read(0)).toMatchObject({ countsAt: { leaf: 2 }, others: [], possible: [] })
    expect(read(0).differences).toEqual(read(2).others[0]?.differences)
    db.close()
  })
  it('is of a session that its own answer opened [VA-4]', () => {
    const opened = `aabbccdd:${base64(7)}`
    const db = fill(
      { at: 0, isStateless: true, method: 'initialize', completed: { sessionId: opened } },
      { at: 20, requested: { sessionId: opened } },
    )
    expect(searchCalls(db, { session: [opened] }, 9).calls.map(({ leaf }) => leaf)).toEqual([0, 2])
    db.close()
  })
})

describe('a report', () => {
  const told = (way: 'ingest' | 'otlp') => ({ reported: way })
  it('corroborates what a sensor saw, at whatever vantage, and never counts in its place [VA-9]', () => {
    const db = fill(
      { at: 0, lasts: 30 },
      { at: 5, vantage: 'server', requested: told('otlp'), completed: told('otlp') },
    )
    expect(createSightingReader(db)(0)).toMatchObject({
      vantage: 'gateway',
      others: [{ vantage: 'server', reported: 'otlp' }],
    })
    expect(readTotals(db)).toMatchObject({ calls: 1, reportedOnly: 0 })
    db.close()
    const same = fill(
      { at: 0, lasts: 30, vantage: 'server' },
      { at: -100, lasts: 300, vantage: 'server', requested: told('ingest') },
    )
    expect(searchCalls(same, {}, 9).calls.map(({ leaf }) => leaf)).toEqual([0])
    same.close()
  })
  it('counts where nobody saw the call, and says what it is [VA-9]', () => {
    const db = fill({ at: 0, vantage: 'server', requested: told('ingest') })
    expect(createSightingReader(db)(0)).toMatchObject({ vantage: 'server', reported: 'ingest', others: [] })
    expect(readTotals(db)).toMatchObject({ calls: 1, reportedOnly: 1 })
    db.close()
  })
  it('cannot come between two calls that sensors saw, however many tell it [VA-9]', () => {
    const forged: Seen[] = [1, 2, 3].map((at) => ({ at, lasts: 20, vantage: 'server', requested: told('ingest') }))
    const db = fill(...gatewayAndServer, ...forged)
    const read = createSightingReader(db)
    expect(read(2)).toMatchObject({ vantage: 'server', others: [{ vantage: 'gateway' }] })
    expect(readTotals(db)).toMatchObject({ calls: 4, corroborating: 1, reportedOnly: 3 })
    db.close()
  })
})

describe('what is not certain', () => {
  it('counts apart and is shown as possibly the same: stateless calls that only look alike [VA-10]', () => {
    const db = fill({ at: 0, lasts: 30, isStateless: true }, { at: 5, vantage: 'server', isStateless: true })
    const read = createSightingReader(db)
    expect([read(0).possible, read(2).possible].map((all) => all.map(({ leaf }) => leaf))).toEqual([[2], [0]])
    expect(readTotals(db)).toMatchObject({ calls: 2, countedAt: { gateway: 1, server: 1 } })
    db.close()
  })
  it('and what is no candidate is not shown as one: later, another tool, both seen from the gateway [VA-10]', () => {
    const tool = { name: 'write_file', definition: base64(3) }
    const db = fill(
      { at: 0, lasts: 30, isStateless: true },
      { at: 5_000, vantage: 'server', isStateless: true },
      { at: 5, vantage: 'server', isStateless: true, requested: { tool } },
      { at: 2, lasts: 28, isStateless: true },
    )
    expect(createSightingReader(db)(0).possible).toEqual([])
    db.close()
  })
  it('a second try with the same id and session is a call of its own: it may have run twice [VA-10]', () => {
    const db = fill({ at: 0, lasts: 30 }, { at: 3, lasts: 20 })
    expect(readTotals(db).calls).toBe(2)
    const tries = fill({ at: 0, lasts: 30 }, { at: 3, lasts: 20 }, { at: 5, vantage: 'server' })
    expect(readTotals(tries).calls).toBe(3)
    expect(createSightingReader(tries)(4).possible).toHaveLength(2)
    for (const each of [db, tries]) each.close()
  })
})

describe('requests of the server to the client', () => {
  it('are seen by the server first, and counted there too [VA-7]', () => {
    const back = { method: 'sampling/createMessage', requested: { direction: 'to-client', kind: 'sample' } } as const
    const db = fill({ at: 5, ...back }, { at: 0, lasts: 30, vantage: 'server', ...back })
    expect(searchCalls(db, {}, 9).calls.map(({ leaf }) => leaf)).toEqual([2])
    const late = fill({ at: 0, lasts: 30, ...back }, { at: 5, vantage: 'server', ...back })
    expect(searchCalls(late, {}, 9).total).toBe(2)
    for (const each of [db, late]) each.close()
  })
})
