import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { hashLeaf } from '@affidavit/evidence/log/hash'
import { parseNote } from '@affidavit/evidence/log/note'
import { appendLeaves, emptyRange } from '@affidavit/evidence/log/tree'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { sha256 } from '@affidavit/sensor/crypto/node'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDirectoryTiles } from '../store/directory/tiles.ts'
import { iterateEntries } from '../store/entries.ts'
import { type CrashPoint, crashPoints } from './crash-hook.ts'
import { createTestBench, type TestBench } from './testdata/collector.ts'
import type { TestStream } from './testdata/sensor.ts'

let bench: TestBench
beforeEach(async () => {
  bench = await createTestBench()
})
afterEach(() => bench.remove())

class Crash extends Error {}

/** Ends the collector at the n-th passage of a point: nothing after it happens, and what was in memory is gone. */
async function runUntilCrash(stream: TestStream, point: CrashPoint, passage: number): Promise<void> {
  let passages = 0
  const hook = (at: CrashPoint) => {
    if (at === point && ++passages === passage) throw new Crash()
  }
  try {
    const { collector, close } = await bench.open({ hook })
    try {
      for (let from = 0; from < 601; from += 150) await collector.submit(stream.batch(from, Math.min(601, from + 150)))
      await collector.published()
    } finally {
      close()
    }
  } catch (error) {
    if (!(error instanceof Crash)) throw error
    return
  }
  throw new Error(`the collector never passed ${point} ${passage} times`)
}

/** Entries under the published checkpoint, which must be the root of exactly these entries. */
async function readLog() {
  const tiles = createDirectoryTiles(systemLayer, join(bench.directory, 'log'))
  const { size, root } = parseCheckpoint(parseNote((await tiles.readCheckpoint()) ?? new Uint8Array()).text, 'own')
  const entries: Uint8Array[] = []
  for await (const { entry } of iterateEntries(tiles, { from: 0, to: Number(size) }, Number(size))) entries.push(entry)
  const leaves = entries.map((entry) => hashLeaf(sha256, entry))
  expect(Buffer.from(appendLeaves(sha256, emptyRange, leaves).root).equals(Buffer.from(root))).toBe(true)
  return entries.map((entry) => parseHeader(splitEntry(entry).header))
}

describe('crash order', () => {
  const cases = crashPoints.flatMap((point) => [1, 2].map((passage) => ({ point, passage })))
  test.each(cases)(
    'a crash at $point, passage $passage, loses and doubles nothing [S-6]',
    async ({ point, passage }) => {
      const stream = bench.openStream()
      for (let i = 0; i < 300; i++) stream.writeCall()
      await runUntilCrash(stream, point, passage)
      // The shipper starts where its last acknowledgement left it, at worst at the beginning.
      const { collector, close } = await bench.open()
      expect(await collector.submit(stream.batch(0))).toEqual({ status: 'acknowledged', nextSeq: 601 })
      await collector.published()
      close()
      const log = await readLog()
      const ours = log.filter(({ streamId }) => streamId === stream.streamId)
      expect(ours.map(({ seq }) => seq)).toEqual(Array.from({ length: 601 }, (_, i) => i))
      expect(log.filter(({ kind }) => kind === 'epoch').length).toBe(1)
      expect(log[0]?.kind).toBe('epoch')
    },
  )

  test('files of a step that was never committed do not survive the next start [S-6] [S-8]', async () => {
    const stream = bench.openStream()
    for (let i = 0; i < 300; i++) stream.writeCall()
    await runUntilCrash(stream, 'tilesWritten', 3)
    const { close } = await bench.open()
    close()
    // Committed were the epoch record and 150 records; the crashed step had filled the first tile.
    expect(await readdir(join(bench.directory, 'log/tile/0'))).toEqual(['000.p'])
    expect((await readdir(join(bench.directory, 'log/tile/0/000.p'))).sort()).toEqual(['1', '151'])
    expect(await readdir(join(bench.directory, 'log/tile/entries'))).toEqual(['000.p'])
  })

  test('partial tiles go when the full one is published, older ones stay until then [S-8]', async () => {
    const stream = bench.openStream()
    for (let i = 0; i < 300; i++) stream.writeCall()
    const { collector, close } = await bench.open()
    for (const [from, end] of [
      [0, 100],
      [100, 200],
      [200, 300],
    ] as const) {
      await collector.submit(stream.batch(from, end))
      await collector.published()
    }
    close()
    expect((await readdir(join(bench.directory, 'log/tile/entries'))).sort()).toEqual(['000', '001.p'])
    expect(await readdir(join(bench.directory, 'log/tile/entries/001.p'))).toEqual(['45'])
  })
})

describe('signer', () => {
  test('a store that was set back is not signed again [S-7]', async () => {
    const stream = bench.openStream()
    for (let i = 0; i < 10; i++) stream.writeCall()
    const { collector, close } = await bench.open()
    await collector.submit(stream.batch(0))
    await collector.published()
    close()
    await rm(join(bench.directory, 'store'), { recursive: true })
    await expect(bench.open()).rejects.toMatchObject({ code: 'signer_ahead' })
  })

  test('a tree that does not extend the signed one is not signed, and nothing is acknowledged on it [S-7]', async () => {
    const other = await createTestBench()
    const stream = bench.openStream()
    for (let i = 0; i < 10; i++) stream.writeCall()
    const first = await bench.open()
    await first.collector.submit(stream.batch(0, 8))
    await first.collector.published()
    first.close()
    // The same size with other entries: what an insider would put in place of the log and the store.
    const forged = other.openStream()
    for (let i = 0; i < 10; i++) forged.writeCall()
    const second = await other.open()
    await second.collector.submit(forged.batch(0, 8))
    await second.collector.published()
    second.close()
    await moveStore(other, bench)
    await expect(bench.open()).rejects.toMatchObject({ code: 'signer_fork' })
    await other.remove()
  })

  test('an edited entry on the edge stops the collector before it signs anything [S-7]', async () => {
    const stream = bench.openStream()
    for (let i = 0; i < 10; i++) stream.writeCall()
    const { collector, close } = await bench.open()
    await collector.submit(stream.batch(0))
    await collector.published()
    close()
    const path = 'tile/entries/000.p/22'
    const tiles = createDirectoryTiles(systemLayer, join(bench.directory, 'log'))
    const bytes = new Uint8Array((await tiles.read(path)) ?? [])
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1
    await tiles.write([{ path, bytes }])
    await expect(bench.open()).rejects.toMatchObject({ code: 'tree_corrupt' })
  })
})

async function moveStore(from: TestBench, to: TestBench): Promise<void> {
  const { cp } = await import('node:fs/promises')
  for (const folder of ['store', 'log']) {
    await rm(join(to.directory, folder), { recursive: true })
    await cp(join(from.directory, folder), join(to.directory, folder), { recursive: true })
  }
}
