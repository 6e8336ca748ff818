import { copyFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { parseNote } from '@affidavit/evidence/log/note'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import type { FileLayer } from '@affidavit/sensor/durable/layer'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestBench, type TestBench } from '../../packages/affidavit/src/collect/testdata/collector.ts'
import type { TestStream } from '../../packages/affidavit/src/collect/testdata/sensor.ts'
import { createDirectoryTiles } from '../../packages/affidavit/src/store/directory/tiles.ts'
import { iterateEntries } from '../../packages/affidavit/src/store/entries.ts'
import { makeRandom, RecordedDisk } from './recorded-disk.ts'

/**
 * Tiles, signer and checkpoint lie on a recorded disk; the database is SQLite's own affair and is copied at every commit:
 * a power cut finds the last one that returned. Every moment of the run is then a place to start from.
 */
let bench: TestBench
let snapshots: string
beforeEach(async () => {
  bench = await createTestBench()
  snapshots = await mkdtemp(join(tmpdir(), 'affidavit-power-'))
})
afterEach(async () => {
  await bench.remove()
  await rm(snapshots, { recursive: true, force: true })
})

const records = 601
const steps = [100, 300, 301, 601]

/** Marks `commit <n>` and `acknowledged <nextSeq>` stand between the events they came between. */
async function recordRun(disk: RecordedDisk, layer: FileLayer, stream: TestStream): Promise<void> {
  let commits = 0
  const hook = async (point: string) => {
    if (point !== 'committed') return
    const name = String(++commits)
    await mkdir(join(snapshots, name))
    for (const file of ['collector.db', 'collector.db-wal'])
      await copyFile(join(bench.directory, 'store', file), join(snapshots, name, file))
    disk.mark(`commit ${name}`)
  }
  const { collector, close } = await bench.open({ hook, layer })
  let from = 0
  for (const end of steps) {
    expect(await collector.submit(stream.batch(from, end))).toEqual({ status: 'acknowledged', nextSeq: end })
    disk.mark(`acknowledged ${end}`)
    // Steps with a checkpoint of their own and one without.
    if (end !== 300) await collector.published()
    from = end
  }
  close()
}

const latest = (marks: Set<string>, word: string) =>
  Math.max(0, ...[...marks].filter((mark) => mark.startsWith(`${word} `)).map((mark) => Number(mark.split(' ')[1])))

/** Sequence numbers of the stream under the published checkpoint. */
async function readSeqs(layer: FileLayer, directory: string, streamId: string): Promise<number[]> {
  const tiles = createDirectoryTiles(layer, join(directory, 'log'))
  const size = Number(parseCheckpoint(parseNote((await tiles.readCheckpoint()) ?? new Uint8Array()).text, 'own').size)
  const seqs: number[] = []
  for await (const { entry } of iterateEntries(tiles, { from: 0, to: size }, size)) {
    const header = parseHeader(splitEntry(entry).header)
    if (header.streamId === streamId) seqs.push(header.seq)
  }
  return seqs
}

async function recoverAfter(disk: RecordedDisk, stream: TestStream, at: { end: number; seed: number }): Promise<void> {
  const where = `power cut before event ${at.end}, seed ${at.seed}`
  const random = makeRandom(at.seed)
  const marks = disk.marksBefore(at.end)
  const { layer } = new RecordedDisk(random, disk.crashAt(at.end, random))
  await rm(join(bench.directory, 'store'), { recursive: true, force: true })
  const commits = latest(marks, 'commit')
  if (commits > 0) await cp(join(snapshots, String(commits)), join(bench.directory, 'store'), { recursive: true })
  const { collector, store, close } = await bench.open({ layer })
  const known = (await store.readStream(stream.streamId))?.nextSeq ?? 0
  expect(known, where).toBeGreaterThanOrEqual(latest(marks, 'acknowledged'))
  const rest = stream.batch(Math.min(known, records - 1))
  expect(await collector.submit(rest), where).toEqual({ status: 'acknowledged', nextSeq: records })
  await collector.published()
  close()
  const all = Array.from({ length: records }, (_, seq) => seq)
  expect(await readSeqs(layer, bench.directory, stream.streamId), where).toEqual(all)
}

test('a power cut at any moment of collecting loses nothing acknowledged and comes to the same log [S-6]', {
  timeout: 180_000,
}, async () => {
  const stream = bench.openStream()
  for (let i = 0; i < 300; i++) stream.writeCall()
  const disk = new RecordedDisk(makeRandom(1))
  await recordRun(disk, disk.layer, stream)
  expect(disk.events.length).toBeGreaterThan(150)
  for (let end = 0; end <= disk.events.length; end++) await recoverAfter(disk, stream, { end, seed: end })
})

test('the replay sees what a missing sync would cost [S-6]', { timeout: 180_000 }, async () => {
  const stream = bench.openStream()
  for (let i = 0; i < 300; i++) stream.writeCall()
  const disk = new RecordedDisk(makeRandom(1))
  const lazy: FileLayer = {
    ...disk.layer,
    open: async (path, mode) => ({ ...(await disk.layer.open(path, mode)), syncAll: async () => undefined }),
  }
  await recordRun(disk, lazy, stream)
  const replayAll = async () => {
    for (let end = 0; end <= disk.events.length; end++) await recoverAfter(disk, stream, { end, seed: end })
  }
  await expect(replayAll()).rejects.toThrow()
})
