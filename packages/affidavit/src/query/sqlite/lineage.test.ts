import { DatabaseSync } from 'node:sqlite'
import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import { describe, expect, it } from 'vitest'
import type { IndexedEntry } from './columns.ts'
import { openLineage } from './lineage.ts'
import { createSchema } from './schema.ts'
import { findByOtherId, traceCalls } from './trace.ts'
import { createWriter } from './write.ts'

const uuid = (n: number) => `01968d1e-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
const base64 = (n: number) => Buffer.alloc(32, n).toString('base64')
const startMs = Date.parse('2026-11-20T11:00:00.000Z')
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const span = (n: number) => n.toString(16).padStart(16, '0')

interface Made {
  /** Milliseconds after the beginning, and how long it lasts; undefined: it stays open. */
  at: number
  lasts?: number
  server: string
  agent?: string
  run?: string
  boot?: number
  requested?: Partial<RequestedHeader>
}

/** Call n has id uuid(n) and leaves 2n and 2n + 1. */
function fill(...made: Made[]) {
  const db = new DatabaseSync(':memory:')
  createSchema(db, 'log')
  createWriter(db).apply(made.flatMap(entriesOf))
  return db
}

function entriesOf({ at, lasts = 10, server, agent, run, boot = 1, requested }: Made, n: number): IndexedEntry[] {
  const core = (ms: number) => ({
    v: 1 as const, tenant: 'default', epoch: '2026q4', streamId: uuid(100 + n), seq: 0, bootId: uuid(boot), sections: {},
    time: new Date(startMs + ms).toISOString(), monotonicUs: ms * 1000,
  }) // biome-ignore format: one record
  const rest = {
    headerHash: new Uint8Array(32).fill(n),
    envelope: { v: 1 as const, observedTime: '2026-11-20T12:00:00.000Z' },
    surroundings: undefined,
  }
  const first: RequestedHeader = {
    ...core(at), kind: 'call', stage: 'requested', vantage: 'gateway', direction: 'to-server', callId: uuid(n),
    sessionSource: 'absent', sessionReason: 'stateless', method: 'tools/call', requestIdDigest: `aabbccdd:${base64(n)}`,
    server: { name: server }, effect: 'unknown', level: 'arguments', inputBytes: 1, classification: { level: 'public', tags: [] },
    decision: { disposition: 'undecided', mode: 'observe' }, ...requested,
  } // biome-ignore format: one record
  const last: CompletedHeader = {
    ...core(at + lasts), kind: 'call', stage: 'completed', callId: uuid(n), requestedHash: base64(n), outcome: 'success',
    responseBytes: 10, latencyUs: 5,
  } // biome-ignore format: one record
  const actor = {
    ...(agent === undefined ? {} : { agent, agentId: agent }),
    ...(run === undefined ? {} : { run }),
  }
  return [
    { ...rest, leaf: 2 * n, header: first, actor },
    { ...rest, leaf: 2 * n + 1, header: last, actor: {} },
  ]
}

const parentOf = (db: DatabaseSync, n: number) => openLineage(db).parentOf(2 * n)
const outer: Made = { at: 0, lasts: 100, server: 'outer', agent: 'agent', requested: { traceId, spanId: span(1) } }
const inner: Made = { at: 20, server: 'inner', agent: 'outer-client', requested: { traceId, spanId: span(2) } }
const named = (n: number): Partial<RequestedHeader> => ({ parentCallId: uuid(n) })

describe('the call another one was made for', () => {
  it('is the one whose id came with it, if that was under way [TR-4]', () => {
    const db = fill(outer, { ...inner, requested: named(0) }, { ...inner, at: 200, requested: named(0) })
    expect(parentOf(db, 1)).toEqual({ type: 'call', leaf: 0, by: 'parent-call' })
    expect(parentOf(db, 2)).toMatchObject({ type: 'break', why: expect.stringContaining('was not under way') })
    expect(openLineage(db).childrenOf(0)).toEqual([2])
  })
  it('is a break where this log does not have it, or where it is itself [TR-4]', () => {
    const db = fill({ ...inner, requested: named(77) }, { ...inner, requested: named(1) })
    expect(parentOf(db, 0)).toMatchObject({ why: `it names call ${uuid(77)}, which this log does not have` })
    expect(parentOf(db, 1)).toMatchObject({ why: 'it names itself as the call it was made for' })
  })
  it('is never itself made for this one: forged ids make no circle [TR-4]', () => {
    const db = fill({ ...inner, boot: 1, requested: named(1) }, { ...outer, boot: 2, requested: named(0) })
    const { roots, count } = traceCalls(db, [0])
    expect(count).toBe(2)
    expect(roots).toHaveLength(1)
    expect(roots[0]).toMatchObject({
      parent: { type: 'break' },
      children: [{ parent: { type: 'call' }, children: [] }],
    })
  })
  it('is the only other client\u2019s call of the trace that was open, the innermost of those within each other [TR-4]', () => {
    const middle = { ...inner, at: 10, lasts: 50 }
    const last: Made = { at: 20, server: 'last', agent: 'inner-client', requested: { traceId, spanId: span(3) } }
    const db = fill(outer, middle, last)
    expect(parentOf(db, 1)).toEqual({ type: 'call', leaf: 0, by: 'trace' })
    expect(parentOf(db, 2)).toEqual({ type: 'call', leaf: 2, by: 'trace' })
    expect(traceCalls(db, [0])).toMatchObject({ count: 3, roots: [{ children: [{ children: [{ children: [] }] }] }] })
  })
  it('is not told by a trace that the same client\u2019s calls share, nor by one that is over [TR-4]', () => {
    const db = fill(outer, { ...inner, agent: 'agent' }, { ...inner, at: 200 })
    expect(parentOf(db, 1)).toEqual({ type: 'none' })
    expect(parentOf(db, 2)).toEqual({ type: 'none' })
  })
  it('is a break where several fit or clients have no names, and the calls that fit say so too [TR-4]', () => {
    const db = fill(outer, { ...outer, server: 'other' }, inner)
    expect(parentOf(db, 2)).toMatchObject({
      why: expect.stringMatching(/^2 calls of its trace were open .*0000, .*0001$/),
    })
    expect(
      openLineage(db)
        .looseOf(0)
        .map(({ place }) => place.callId),
    ).toEqual([uuid(2)])
    const { agent: _, ...unnamed } = inner
    expect(parentOf(fill(outer, unnamed), 1)).toMatchObject({
      why: expect.stringContaining('without the names of their clients'),
    })
  })
  it('is the one whose span it carries, among several [TR-4]', () => {
    const other = { ...outer, server: 'other', requested: { traceId, spanId: span(9) } }
    const db = fill(outer, other, { ...inner, requested: { traceId, spanId: span(9) } })
    expect(parentOf(db, 2)).toEqual({ type: 'call', leaf: 2, by: 'trace' })
  })
  it('of a later exchange is the one that opened the group [TR-2]', () => {
    const db = fill(outer, { ...outer, at: 300, requested: { callGroupId: uuid(0) } })
    expect(parentOf(db, 1)).toEqual({ type: 'call', leaf: 0, by: 'group' })
    expect(findByOtherId(db, uuid(0))).toEqual({ as: 'group', id: uuid(0), leaves: [0, 2] })
  })
})

it('calls are found by trace and by run, and listings are left out [TR-2]', () => {
  const listing: Made = { ...outer, requested: { kind: 'list', method: 'tools/list' } }
  const db = fill({ ...outer, run: '88' }, { ...inner, run: '88' }, { ...listing, run: '88' })
  expect(findByOtherId(db, '88')).toEqual({ as: 'run', id: '88', leaves: [0, 4, 2] })
  expect(findByOtherId(db, traceId.toUpperCase())).toMatchObject({ as: 'trace', leaves: [0, 2] })
  expect(findByOtherId(db, '8')).toBeUndefined()
  expect(traceCalls(db, [0, 4, 2])).toMatchObject({ count: 2, housekeeping: 1, omitted: 0 })
})
