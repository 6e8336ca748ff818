import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { parseNote } from '@affidavit/evidence/log/note'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { createProblemSink } from '@affidavit/evidence/verify/problem'
import { verifyLog } from '@affidavit/evidence/verify/verify-log'
import { sealing, sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBodyOpener } from '../store/bodies.ts'
import { createDirectoryTiles } from '../store/directory/tiles.ts'
import { iterateEntries } from '../store/entries.ts'
import { openSequenceReader } from '../store/sqlite/read.ts'
import { toKeyEncryptionKey } from '../store/wrap.ts'
import { createTestBench, origin, type TestBench } from './testdata/collector.ts'
import { createTestSensor } from './testdata/sensor.ts'

let bench: TestBench
beforeEach(async () => {
  bench = await createTestBench()
})
afterEach(() => bench.remove())

async function readLog() {
  const tiles = createDirectoryTiles(systemLayer, join(bench.directory, 'log'))
  const note = await tiles.readCheckpoint()
  const size = note === undefined ? 0 : Number(parseCheckpoint(parseNote(note).text, 'own').size)
  const entries = []
  for await (const { entry } of iterateEntries(tiles, { from: 0, to: size }, size)) {
    const { header, envelope } = splitEntry(entry)
    entries.push({ header: parseHeader(header), envelope: parseEnvelope(envelope) })
  }
  return entries
}

describe('collector', () => {
  test('a new log begins with an epoch record that names it [S-1]', async () => {
    const { collector, close } = await bench.open()
    await collector.published()
    const [first] = await readLog()
    expect(first?.header).toMatchObject({ kind: 'epoch', seq: 0, detail: { origin, previous: null } })
    close()
  })

  test('sequences a stream, keeps bodies openable, and inherits the subject to completed [S-2]', async () => {
    const { collector, close } = await bench.open()
    const stream = bench.openStream()
    for (let i = 0; i < 300; i++) stream.writeCall()
    expect(await collector.submit(stream.batch(0, 400))).toEqual({ status: 'acknowledged', nextSeq: 400 })
    expect(await collector.submit(stream.batch(400))).toEqual({ status: 'acknowledged', nextSeq: 601 })
    await collector.published()
    const log = await readLog()
    expect(log.slice(1).map(({ header }) => header.seq)).toEqual(Array.from({ length: 601 }, (_, i) => i))
    const subjects = new Set(log.slice(2).map(({ envelope }) => envelope.subject))
    expect([...subjects]).toEqual([expect.stringMatching(/^s_[0-9a-f]{16}$/)])
    expect(log.filter(({ envelope }) => envelope.signature !== undefined).map(({ header }) => header.seq)).toEqual([
      399, 600,
    ])
    const reader = openSequenceReader(join(bench.directory, 'store', 'collector.db'))
    const opener = createBodyOpener(sealing, toKeyEncryptionKey(sha256, new Uint8Array(32).fill(7)), reader)
    const states = []
    for await (const body of opener.openAll(0, 602)) states.push(body.status)
    expect(states.slice(0, 2)).toEqual(['absent', 'absent'])
    expect(new Set(states.slice(2))).toEqual(new Set(['opened']))
    const opened = await opener.open(2)
    expect(opened.status === 'opened' && Buffer.from(opened.sections.input ?? []).toString()).toContain('report.txt')
    reader.close()
    close()
  })

  test('acknowledges what it knows without a second entry, also after a restart [S-3]', async () => {
    const stream = bench.openStream()
    for (let i = 0; i < 10; i++) stream.writeCall()
    const first = await bench.open()
    await first.collector.submit(stream.batch(0, 11))
    expect(await first.collector.submit(stream.batch(0, 11))).toEqual({ status: 'acknowledged', nextSeq: 11 })
    first.close()
    const second = await bench.open()
    expect(await second.collector.submit(stream.batch(3, 9))).toEqual({ status: 'acknowledged', nextSeq: 11 })
    expect(await second.collector.submit(stream.batch(5))).toEqual({ status: 'acknowledged', nextSeq: 21 })
    await second.collector.published()
    expect((await readLog()).length).toBe(22)
    second.close()
  })

  test('forgets nothing and refuses loudly: equivocation, foreign sensors, broken bytes [S-4]', async () => {
    const { collector, refusals, close } = await bench.open()
    const stranger = bench.openStream(createTestSensor())
    expect(await collector.submit(stranger.batch(0))).toMatchObject({ status: 'refused', code: 'unknown_sensor' })
    const stream = bench.openStream()
    stream.writeCall()
    const batch = stream.batch(0)
    const flipped = batch.records.map((r, i) =>
      i === 1 ? { ...r, body: r.body.map((b, j) => (j === 9 ? b ^ 1 : b)) } : r,
    )
    expect(await collector.submit({ ...batch, records: flipped })).toMatchObject({ code: 'body_unreadable', seq: 1 })
    // Quarantined for good: the honest batch no longer gets in, and the stored state says why.
    expect(await collector.submit(batch)).toMatchObject({ status: 'refused', code: 'body_unreadable' })
    expect(await collector.readStream(stream.streamId)).toMatchObject({ standing: 'refused', nextSeq: 0 })
    expect(refusals.map(({ code }) => code)).toEqual(['unknown_sensor', 'body_unreadable'])
    close()
  })

  test('the log takes at most 40 bytes per entry beyond the entries [S-9]', async () => {
    const { collector, close } = await bench.open()
    const stream = bench.openStream()
    for (let i = 0; i < 2000; i++) stream.writeCall()
    for (let from = 0; from < 4001; from += 256) await collector.submit(stream.batch(from, Math.min(4001, from + 256)))
    await collector.published()
    close()
    const log = join(bench.directory, 'log')
    const files = (await readdir(log, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    const sizes = await Promise.all(
      files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
    )
    const tiles = createDirectoryTiles(systemLayer, log)
    let entryBytes = 0
    for await (const { entry } of iterateEntries(tiles, { from: 0, to: 4002 }, 4002)) entryBytes += entry.length
    // The last tile of each level has older, partial versions until it is full; they do not grow with the log.
    const partials = await Promise.all(
      files
        .filter(({ parentPath }) => parentPath.endsWith('.p'))
        .map(async (f) => (await stat(join(f.parentPath, f.name))).size),
    )
    const sum = (all: number[]) => all.reduce((total, size) => total + size, 0)
    const edge = entryBytes / 4002 + 34
    expect((sum(sizes) - sum(partials) + edge * (4002 % 256) - entryBytes) / 4002).toBeLessThan(40)
  })

  test('a sensor whose stream failed completes its calls on the next one, and the log verifies [S-24]', async () => {
    const { collector, store, close } = await bench.open()
    const failed = bench.openStream()
    const asked = [failed.writeRequested(), failed.writeRequested()] as const
    await collector.submit(failed.batch(0))
    expect((await store.openCalls()).length).toBe(2)
    const next = bench.openStream()
    next.writeCompleted(asked[0])
    await collector.submit(next.batch(0))
    await collector.published()
    expect((await store.openCalls()).map(({ seq }) => seq)).toEqual([asked[1].seq])
    close()
    const problems = createProblemSink()
    const { walk } = await verifyLog({
      readFile: (path) => systemLayer.readFile(join(bench.directory, 'log', path)),
      policy: { origin, logKeys: [bench.logKey], witnesses: [], witnessesRequired: 1 },
      crypto: { sha256, verifyEd25519 },
      problems,
    })
    expect(problems.found().list).toEqual([])
    expect(walk?.calls).toMatchObject({ requested: 2, completed: 1, recovered: 0 })
  })
})
