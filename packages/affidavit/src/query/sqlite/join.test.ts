import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linksOf } from '../links.ts'
import { joinNaively, type LinkedCall } from '../testdata/one-call.ts'
import { anyWorld, ordinary, recordsOf, type Waiting } from '../testdata/world.ts'
import type { IndexedEntry } from './columns.ts'
import { dumpIndex } from './dump.ts'
import { createSchema } from './schema.ts'
import { openSeenCalls } from './seen-calls.ts'
import { createWriter, isCompleted, isRequested } from './write.ts'

/** Streams come into the log each in its order, but for that in any. */
function sequence(waiting: readonly Waiting[], choices: readonly number[]): Waiting[] {
  const streams = new Map<number, Waiting[]>()
  for (const one of waiting) streams.set(one.stream, [...(streams.get(one.stream) ?? []), one])
  const log: Waiting[] = []
  for (let step = 0; log.length < waiting.length; step++) {
    const left = [...streams.values()].filter((stream) => stream.length > 0)
    const next = left[(choices[step % Math.max(1, choices.length)] ?? 0) % left.length]?.shift()
    if (next !== undefined) log.push(next)
  }
  return log
}

function fill(log: readonly Waiting[], batch: number): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  createSchema(db, 'affidavit.local/0123456789abcdef/default/2026q4')
  const writer = createWriter(db)
  const entries = log.map(({ entry }, leaf): IndexedEntry => ({ ...entry, leaf }))
  for (let at = 0; at < entries.length; at += batch) writer.apply(entries.slice(at, at + batch))
  return db
}

const joins = (db: DatabaseSync) =>
  db.prepare('SELECT leaf, joinedTo, countedAt FROM calls ORDER BY leaf').all().map(({ leaf, joinedTo, countedAt }) => ({
    leaf: Number(leaf), joinedTo: typeof joinedTo === 'number' ? joinedTo : undefined,
    countedAt: typeof countedAt === 'number' ? countedAt : undefined,
  })) // biome-ignore format: one row

/** The calls of a log with their links, as the rule wants them: from the entries, not from the index's links. */
function linkedCalls(db: DatabaseSync, log: readonly Waiting[]): LinkedCall[] {
  const calls = openSeenCalls(db)
  return log.flatMap(({ entry, call, hop }, leaf) => {
    const requested: IndexedEntry = { ...entry, leaf }
    if (!isRequested(requested)) return []
    const { header, surroundings } = requested
    const ends = log.flatMap((other, at): IndexedEntry[] =>
      other.call === call && other.hop === hop && isCompleted({ ...other.entry, leaf: at })
        ? [{ ...other.entry, leaf: at }]
        : [],
    )
    return [{
      call: calls.read(leaf),
      links: [requested, ...ends].flatMap((one) => linksOf(one.header, one.surroundings)),
      request: `${header.direction} ${header.requestIdDigest}`,
      machine: surroundings?.host === undefined ? `unknown ${leaf}` : `${header.bootId} ${surroundings.host}`,
    }] // biome-ignore format: one call
  })
}

const anyBatch = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }))
/** Also streams one after the other, as where one was offline. */
const anyChoices = fc.oneof(
  fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 60 }),
  fc.constantFrom([0], [1], [2], [3], [1, 1, 1, 0]),
)
const anyLog = fc.record({ world: anyWorld, choices: anyChoices })

describe('calls seen from several vantages', () => {
  it('are never joined to another call, and joined wherever the rule says so, in whatever order they come [VA-2]', () => {
    fc.assert(
      fc.property(anyLog, anyBatch, ({ world, choices }, batch) => {
        const log = sequence(recordsOf(world), choices)
        const db = fill(log, batch)
        const found = joins(db)
        for (const { leaf, joinedTo } of found)
          if (joinedTo !== undefined) expect(log[joinedTo]?.call).toBe(log[leaf]?.call)
        const expected = joinNaively(linkedCalls(db, log))
        expect(found.map(({ leaf, joinedTo }) => [leaf, joinedTo])).toEqual(
          found.map(({ leaf }) => [leaf, expected.get(leaf)]),
        )
        for (const { leaf, countedAt } of found) expect(countedAt).toBe(follow(expected, leaf))
        db.close()
      }),
      { numRuns: 1_000 },
    )
  })
  it('count once where sessions, spans or connections tell them apart, and once per vantage where nothing does [VA-2]', () => {
    fc.assert(
      fc.property(ordinary('told'), anyChoices, anyBatch, (world, choices, batch) => {
        const log = sequence(recordsOf(world), choices)
        const db = fill(log, batch)
        const counted = joins(db).filter(({ countedAt }) => countedAt === undefined)
        expect(counted.map(({ leaf }) => log[leaf]?.call).sort()).toEqual(world.calls.map((_, call) => call).sort())
        db.close()
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(ordinary('not told'), anyChoices, anyBatch, (world, choices, batch) => {
        const db = fill(sequence(recordsOf(world), choices), batch)
        expect(joins(db).filter(({ joinedTo }) => joinedTo !== undefined)).toEqual([])
        db.close()
      }),
      { numRuns: 100 },
    )
  })
  it('come out the same from a rebuild, in one batch or many [VA-3]', () => {
    fc.assert(
      fc.property(anyLog, anyBatch, ({ world, choices }, batch) => {
        const log = sequence(recordsOf(world), choices)
        const [db, whole] = [fill(log, batch), fill(log, 1_000)]
        expect([...dumpIndex(db)]).toEqual([...dumpIndex(whole)])
        db.close()
        whole.close()
      }),
      { numRuns: 60 },
    )
  })
})

function follow(joined: ReadonlyMap<number, number>, leaf: number): number | undefined {
  let at = leaf
  for (let next = joined.get(at); next !== undefined; next = joined.get(at)) at = next
  return at === leaf ? undefined : at
}
