import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeCommitMessage, hashHeader } from '@affidavit/evidence/record/hash'
import type { Acknowledgement, Batch } from '@affidavit/evidence/wire/batch'
import { findBatchProblem } from '@affidavit/evidence/wire/validate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256, verifyEd25519 } from '../crypto/node.ts'
import { type Home, openHome } from '../durable/home.ts'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { openStream, type SpoolStream } from '../spool/stream.ts'
import { delayAfter } from './backoff.ts'
import { batchTargetRecords } from './batcher.ts'
import { createShipper } from './shipper.ts'
import type { ShipTarget, StreamPosition } from './target.ts'

let home: Home
beforeEach(async () => {
  home = await openHome(await mkdtemp(join(tmpdir(), 'affidavit-ship-')))
})
afterEach(() => rm(home.dir, { recursive: true, force: true }))

/** A collector that keeps what it is given and answers as it is told. */
function createTarget(answer?: (batch: Batch) => Acknowledgement | undefined) {
  const batches: Batch[] = []
  const positions = new Map<string, StreamPosition>()
  const refusals: { streamId: string; seq: number; reason: string }[] = []
  const target: ShipTarget = {
    submit: async (batch) => {
      const told = answer?.(batch)
      if (told !== undefined) return told
      batches.push(batch)
      const nextSeq = batch.head.seq + 1
      positions.set(batch.streamId, { nextSeq, standing: 'open' })
      return { status: 'acknowledged', nextSeq }
    },
    position: async (streamId) => positions.get(streamId),
    refuse: async (streamId, { seq, reason }) => {
      refusals.push({ streamId, seq, reason })
      positions.set(streamId, { nextSeq: seq, standing: 'refused' })
    },
  }
  return { target, batches, positions, refusals }
}

function ship(target: ShipTarget, options: { layer?: FileLayer; now?: () => number } = {}) {
  const { layer = systemLayer, now = Date.now } = options
  return createShipper({ layer, directory: home.paths.spool, target, now, random: () => 1 })
}

const heartbeat = (stream: SpoolStream, bytes = 10) =>
  stream.append({ kind: 'heartbeat' }, { environment: new Uint8Array(bytes).fill(0x20) })
const heartbeats = (stream: SpoolStream, count: number, bytes = 10) =>
  Promise.all(Array.from({ length: count }, () => heartbeat(stream, bytes)))
const segmentsLeft = async () => (await readdir(home.paths.spool)).filter((name) => name.endsWith('.seg'))
const open1 = (options: { segmentBytesMax?: number } = {}) => openStream({ home, software: 'test/1', ...options })

describe('shipper', () => {
  test('ships everything in signed batches within limits, each record once [S-14]', async () => {
    const stream = await open1()
    await heartbeats(stream, 3000)
    await stream.close('exit')
    const { target, batches } = createTarget()
    await ship(target).pass()
    let nextSeq = 0
    const { publicKey } = await home.sensorKey()
    for (const batch of batches) {
      expect(findBatchProblem(batch)).toBeUndefined()
      expect(batch.firstSeq).toBe(nextSeq)
      nextSeq += batch.records.length
      expect(verifyEd25519(publicKey, encodeCommitMessage(batch.head), batch.signature)).toBe(true)
      const last = batch.records.at(-1)?.header ?? new Uint8Array()
      expect(Buffer.from(hashHeader(sha256, last)).toString('base64')).toBe(batch.head.hash)
    }
    expect(nextSeq).toBe(3002)
    // A commit may bring a batch over its target; without a target all would be one.
    expect(batches.length).toBeGreaterThan(1)
    expect(batches[0]?.records.length).toBeGreaterThanOrEqual(batchTargetRecords)
  })

  test('a finished stream is deleted once acknowledged, never before [S-11]', async () => {
    const stream = await open1()
    await heartbeats(stream, 5)
    await stream.close('exit')
    let isPatient = true
    const { target, batches } = createTarget(() =>
      isPatient ? { status: 'retry', code: 'busy', reason: 'test' } : undefined,
    )
    let now = 1_000_000
    const shipper = ship(target, { now: () => now })
    expect((await shipper.pass()).streams.get(stream.streamId)).toEqual({ status: 'waiting' })
    expect(await segmentsLeft()).toHaveLength(1)
    isPatient = false
    now += 60_000
    expect((await shipper.pass()).streams.get(stream.streamId)).toEqual({ status: 'done' })
    expect(batches).toHaveLength(1)
    expect(await segmentsLeft()).toEqual([])
  })

  test('a pushback is answered with doubling, jittered, bounded patience [S-12]', async () => {
    expect([1, 2, 3, 20].map((attempt) => delayAfter(attempt, () => 1))).toEqual([200, 400, 800, 30_000])
    expect(delayAfter(3, () => 0.25)).toBe(200)
    const stream = await open1()
    const asked: number[] = []
    let now = 0
    const { target } = createTarget(() => {
      asked.push(now)
      return { status: 'retry', code: 'busy', reason: 'test' }
    })
    const shipper = ship(target, { now: () => now })
    for (now = 0; now < 2000; now += 50) await shipper.pass()
    expect(asked).toEqual([0, 200, 600, 1400])
    expect((await shipper.pass()).retryAtMs).toBe(3000)
    await stream.close('exit')
  })

  test('a refused stream keeps its segments and is not submitted again [S-11]', async () => {
    const stream = await open1()
    await stream.close('exit')
    let asked = 0
    const { target, positions } = createTarget(() => {
      asked += 1
      positions.set(stream.streamId, { nextSeq: 0, standing: 'refused' })
      return { status: 'refused', code: 'bad_record', reason: 'test', seq: 0 }
    })
    const shipper = ship(target)
    for (let i = 0; i < 3; i++)
      expect((await shipper.pass()).streams.get(stream.streamId)).toEqual({ status: 'refused' })
    expect(asked).toBe(1)
    expect(await segmentsLeft()).toHaveLength(1)
  })

  test('a change costs reading what is new, not what was read before [S-13]', async () => {
    const stream = await open1()
    await heartbeats(stream, 40, 50_000)
    const reads: number[] = []
    const { target, batches } = createTarget()
    const shipper = ship(target, { layer: watchReads(reads) })
    await shipper.pass()
    const before = batches.length
    const shipped = Math.max(...reads)
    expect(shipped).toBeGreaterThan(1_500_000)
    reads.length = 0
    await heartbeat(stream)
    await shipper.pass()
    expect(batches.slice(before).map(({ records }) => records.length)).toEqual([1])
    // The beginning holds the preamble; everything between it and the last commit stays unread.
    expect(reads.filter((position) => position > 0 && position < 1_500_000)).toEqual([])
    await stream.close('exit')
  })

  test('while nothing changes only the life of its process is looked at [S-13]', async () => {
    const stream = await open1()
    const reads: number[] = []
    const { target, batches } = createTarget()
    const shipper = ship(target, { layer: watchReads(reads) })
    await shipper.pass()
    reads.length = 0
    expect((await shipper.pass('liveness')).streams.get(stream.streamId)).toEqual({ status: 'live' })
    expect(reads).toEqual([])
    await heartbeat(stream)
    await shipper.pass()
    expect(batches.map(({ records }) => records.length)).toEqual([1, 1])
    await stream.close('exit')
  })

  test('acknowledged segments go while the stream lives; a later shipper starts with what is left [S-11]', async () => {
    const stream = await open1({ segmentBytesMax: 300_000 })
    for (let i = 0; i < 30; i++) await heartbeats(stream, 4, 20_000)
    const first = createTarget()
    expect((await ship(first.target).pass()).streams.get(stream.streamId)).toEqual({ status: 'live' })
    expect((await segmentsLeft()).some((name) => name.endsWith('-000001.seg'))).toBe(false)
    const position = first.positions.get(stream.streamId)
    expect(position).toEqual({ nextSeq: 121, standing: 'open' })
    await heartbeats(stream, 4)
    await stream.close('exit')
    const second = createTarget()
    second.positions.set(stream.streamId, { nextSeq: 121, standing: 'open' })
    expect((await ship(second.target).pass()).streams.get(stream.streamId)).toEqual({ status: 'done' })
    expect(second.batches.map(({ firstSeq, records }) => [firstSeq, records.length])).toEqual([[121, 5]])
    expect(await segmentsLeft()).toEqual([])
  })

  test('damage quarantines the stream behind the last record before it, and nothing is deleted [S-11]', async () => {
    const stream = await open1()
    for (let i = 0; i < 20; i++) await heartbeat(stream, 1000)
    await stream.close('exit')
    const [name = ''] = await segmentsLeft()
    const file = await open(join(home.paths.spool, name), 'r+')
    await file.write(Buffer.from([0xff, 0xff]), 0, 2, 15_000)
    await file.close()
    const { target, batches, refusals } = createTarget()
    expect((await ship(target).pass()).streams.get(stream.streamId)).toEqual({ status: 'refused' })
    const shipped = batches.reduce((sum, { records }) => sum + records.length, 0)
    expect(shipped).toBeGreaterThan(2)
    expect(shipped).toBeLessThan(20)
    expect(refusals).toEqual([{ streamId: stream.streamId, seq: shipped, reason: expect.stringContaining(name) }])
    expect(await segmentsLeft()).toEqual([name])
  })
})

/** A layer that notes from where files are read. */
function watchReads(reads: number[]): FileLayer {
  return {
    ...systemLayer,
    open: async (path, mode) => {
      const file = await systemLayer.open(path, mode)
      const read = (into: Uint8Array, position: number) => {
        reads.push(position)
        return file.read(into, position)
      }
      return { ...file, read }
    },
  }
}
