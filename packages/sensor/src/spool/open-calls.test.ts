import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openHome } from '../durable/home.ts'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { makeFaulty } from '../durable/testdata/faulty-layer.ts'
import { createRecorder } from './fail-mode.ts'
import { completedBytesMax, segmentBytesMax } from './limits.ts'
import { toSegmentName } from './segment-name.ts'
import { openStream, type SpoolStream, type StreamOptions } from './stream.ts'
import { makeCompleted, makeNotify, makeRequested, makeSections, readAll } from './testdata/calls.ts'

const homes: string[] = []
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true })
})

/** Counts the bytes of all writes to segments, zeros included. */
function makeCounting(layer: FileLayer): { layer: FileLayer; written: { bytes: number } } {
  const written = { bytes: 0 }
  const open: FileLayer['open'] = async (path, mode) => {
    const file = await layer.open(path, mode)
    const write: typeof file.write = (bytes, position) => {
      if (path.includes('.seg')) written.bytes += bytes.length
      return file.write(bytes, position)
    }
    return { ...file, write }
  }
  return { layer: { ...layer, open }, written }
}

async function open(options: Partial<StreamOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'affidavit-open-calls-'))
  homes.push(directory)
  const home = await openHome(directory)
  const { layer, written } = makeCounting(options.layer ?? systemLayer)
  const stream = await openStream({ home, software: 'test/1', ...options, layer })
  const read = (state: 'live' | 'closed' = 'closed') =>
    readAll({ layer: systemLayer, directory: home.paths.spool, streamId: stream.streamId, state })
  const segmentsOf = async () => (await systemLayer.list(home.paths.spool)).filter((name) => name.includes('.seg'))
  return { stream, home, written, read, segmentsOf }
}

interface OpenCall {
  n: number
  hash: Uint8Array
}

const requestAll = (stream: SpoolStream, calls: number): Promise<OpenCall[]> =>
  Promise.all(
    Array.from({ length: calls }, async (_, n) => ({
      n,
      hash: (await stream.append(makeRequested(n), makeSections())).hash,
    })),
  )

/** Calls that open and complete, some at a time, while others stay open. */
async function pass(stream: SpoolStream, calls: number, bytes: number): Promise<void> {
  for (let n = 0; n < calls; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const { hash } = await stream.append(makeRequested(1_000_000 + n + i), makeSections(bytes))
        await stream.append(makeCompleted(1_000_000 + n + i, hash), {})
      }),
    )
  }
}

describe('many open calls', () => {
  it('cost their reservation once per segment, not once per step [W-22] [W-3]', { timeout: 120_000 }, async () => {
    const { stream, written, read, segmentsOf } = await open()
    const calls = await requestAll(stream, 9500)
    const reservedBytes = calls.length * completedBytesMax
    expect(reservedBytes).toBeGreaterThan(segmentBytesMax)
    await pass(stream, 3000, 30_000)
    for (let n = 0; n < calls.length; n += 500)
      await Promise.all(
        calls.slice(n, n + 500).map(({ n: call, hash }) => stream.append(makeCompleted(call, hash), {})),
      )
    await stream.close('exit')
    const { records, end } = await read()
    expect(records).toHaveLength(2 * 9500 + 2 * 3000 + 2)
    const payloadBytes = records.reduce((sum, { headerBytes, body }) => sum + headerBytes.length + body.length, 0)
    console.info(
      `${reservedBytes} bytes reserved, ${payloadBytes} of records, ${written.bytes} written, ${end.cursor.segment} segments`,
    )
    expect(written.bytes).toBeLessThan(3 * (reservedBytes + payloadBytes))
    // The stream did go on in another segment while all of them were open.
    expect(end.cursor.segment).toBeGreaterThan(1)
    expect(await segmentsOf()).toHaveLength(end.cursor.segment)
  })
  it('have a limit with a code of its own, and each that completes makes room [W-23]', async () => {
    const { stream, read } = await open({ openCallsMax: 40 })
    const [first, ...others] = await requestAll(stream, 40)
    if (first === undefined) throw new Error('no call')
    const refused = stream.append(makeRequested(40), makeSections())
    await expect(refused).rejects.toMatchObject({ name: 'SpoolError', code: 'too_many_open', retry: true })
    // Nothing else is held up by it, and the stream is as good as before.
    await stream.append(makeNotify(), {})
    expect(stream.failure).toBeUndefined()
    await stream.append(makeCompleted(first.n, first.hash), {})
    const { hash } = await stream.append(makeRequested(41), makeSections())
    await expect(stream.append(makeRequested(42), {})).rejects.toMatchObject({ code: 'too_many_open' })
    await Promise.all([...others, { n: 41, hash }].map((call) => stream.append(makeCompleted(call.n, call.hash), {})))
    await stream.close('exit')
    expect((await read()).records).toHaveLength(2 * 41 + 1 + 2)
  })
  it('beyond the limit are refused, or pass under a gap that names the limit, by their class [W-23] [W-6] [W-7]', async () => {
    const { stream, read } = await open({ openCallsMax: 2 })
    const recorder = createRecorder({ failOpen: new Set(['read']), open: async () => stream })
    await recorder.emit(makeRequested(1, 'write'), {})
    await recorder.emit(makeRequested(2, 'read'), {})
    await expect(recorder.emit(makeRequested(3, 'write'), {})).rejects.toMatchObject({ code: 'too_many_open' })
    expect(await recorder.emit(makeRequested(4, 'read'), {})).toMatchObject({ recorded: false })
    await recorder.close('exit')
    const gaps = (await read()).records.flatMap(({ header }) => (header.kind === 'gap' ? [header.detail] : []))
    expect(gaps).toMatchObject([
      { event: 'opened', code: 'too_many_open' },
      { event: 'closed', missingRequests: 1, missingResponses: 1 },
    ])
  })
})

describe('a stream that closes', () => {
  it('gives up the segment that is being allocated, and leaves nothing of it [W-24]', async () => {
    let allocated: () => void = () => undefined
    const allocating = new Promise<void>((resolve) => {
      allocated = resolve
    })
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let steps = 0
    const layer = makeFaulty(systemLayer, async (operation, path) => {
      if (operation !== 'write' || !path.includes('-000002.seg.tmp~')) return
      steps += 1
      allocated()
      await held
    })
    const { stream, segmentsOf, read } = await open({ layer, segmentBytesMax: 100_000 })
    const calls = await requestAll(stream, 1000)
    const traffic = pass(stream, 100_000, 30_000).catch((error: unknown) => error)
    await allocating
    const closed = stream.close('exit')
    await expect
      .poll(async () => (await read('live')).end, { timeout: 10_000 })
      .toMatchObject({
        finished: true,
        cursor: { head: { seq: expect.toSatisfy((seq: unknown) => seq === stream.head.seq) } },
      })
    release()
    await closed
    // 1000 reservations are more than 30 steps; the one that was being written is the last.
    expect(steps).toBe(1)
    expect(await traffic).toMatchObject({ code: 'spool_closed' })
    const { end, records } = await read()
    expect(records.length).toBeGreaterThan(calls.length)
    const names = await segmentsOf()
    expect(names.filter((name) => toSegmentName(name) === undefined)).toEqual([])
    expect(names).toHaveLength(end.cursor.segment)
  })
  it('removes the segment that was prepared and never used [W-24]', async () => {
    let isPrepared = false
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const layer = makeFaulty(systemLayer, async (operation, path) => {
      if (operation !== 'rename' || !path.endsWith('-000002.seg')) return
      isPrepared = true
      await held
    })
    const { stream, segmentsOf, read } = await open({ layer, segmentBytesMax: 100_000 })
    let last = 0
    // Slowly: a record that found no room would wait for the segment that is held here.
    for (let i = 0; i < 200 && !isPrepared; i++) {
      last = (await stream.append(makeNotify(), makeSections(1_000))).seq
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(isPrepared).toBe(true)
    const closed = stream.close('exit')
    // The closing record is durable in the old segment before the new one gets its name.
    await expect.poll(() => stream.head.seq).toBe(last + 1)
    release()
    await closed
    const { end } = await read()
    expect(end.cursor.segment).toBe(1)
    expect(await segmentsOf()).toHaveLength(1)
  })
})
