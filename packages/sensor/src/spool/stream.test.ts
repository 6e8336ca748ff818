import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeBody, deriveRecordKeys, deriveRecordSecret } from '@affidavit/evidence/record/sections'
import { describe, expect, it } from 'vitest'
import { sealing } from '../crypto/node.ts'
import { openX25519 } from '../crypto/seal-box.ts'
import { openHome } from '../durable/home.ts'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { delaySyncs } from '../durable/layer-delay.ts'
import { type Fault, makeFaulty, systemError } from '../durable/testdata/faulty-layer.ts'
import { listClaims } from './claim.ts'
import { formatSegmentName } from './segment-name.ts'
import { openStream, type StreamOptions } from './stream.ts'
import { makeCompleted, makeNotify, makeRequested, makeSections, readAll } from './testdata/calls.ts'

const newHome = () => openHome(mkdtempSync(join(tmpdir(), 'affidavit-spool-')))

async function open(options: Partial<StreamOptions> = {}) {
  const home = await newHome()
  const stream = await openStream({ home, software: 'test/1', ...options })
  const read = (state: 'live' | 'dead' | 'closed' = 'live') =>
    readAll({ layer: systemLayer, directory: home.paths.spool, streamId: stream.streamId, state })
  return { home, stream, read }
}

describe('a stream', () => {
  it('is a signed, contiguous chain from its opening to its closing record [W-14] [W-15]', async () => {
    const { home, stream, read } = await open()
    const { sensorId, publicKey } = await home.sensorKey()
    const requested = await stream.append(makeRequested(1), makeSections())
    await stream.append(makeCompleted(1, requested.hash), {})
    await stream.close('exit')
    const { records, end } = await read('closed')
    expect(records.map(({ header }) => header.seq)).toEqual([0, 1, 2, 3])
    expect(records.map(({ header }) => header.kind)).toEqual(['stream', 'call', 'call', 'stream'])
    expect(records[0]?.header).toMatchObject({
      detail: {
        event: 'opened',
        sensorId,
        sensorKey: Buffer.from(publicKey).toString('base64'),
        counter: 0,
        previous: null,
      },
    })
    expect(records[1]?.hash).toEqual(requested.hash)
    expect(end).toMatchObject({ finished: true, tornBytes: 0, cursor: { head: stream.head } })
    await expect(stream.append(makeNotify(), {})).rejects.toMatchObject({ code: 'spool_closed', retry: false })
  })
  it('names the head of the stream before it, whether that one closed, lives or failed [W-14]', async () => {
    const { home, stream } = await open()
    await stream.append(makeNotify(), {})
    await stream.close('exit')
    const second = await openStream({ home, software: 'test/1' })
    const known = await second.append(makeNotify(), {}).then(() => second.head)
    const third = await openStream({ home, software: 'test/1', knownHead: known })
    const previousOf = async (streamId: string) => {
      const { records } = await readAll({ layer: systemLayer, directory: home.paths.spool, streamId, state: 'live' })
      const header = records[0]?.header
      return header?.kind === 'stream' && header.detail.event === 'opened' ? header.detail : undefined
    }
    expect(await previousOf(second.streamId)).toMatchObject({ counter: 1, previous: stream.head })
    expect(await previousOf(third.streamId)).toMatchObject({ counter: 2, previous: known })
    const { claims } = await listClaims(systemLayer, home.paths.spoolStreams)
    expect(claims.map(({ ended }) => ended)).toEqual(['closed', 'abandoned', undefined])
    expect(claims.slice(0, 2).map(({ head }) => head)).toEqual([stream.head, known])
    await second.close('exit')
    await third.close('exit')
  })
  it('takes a counter of its own when several open at once [W-14]', async () => {
    const home = await newHome()
    const streams = await Promise.all(Array.from({ length: 8 }, () => openStream({ home, software: 'test/1' })))
    const { claims } = await listClaims(systemLayer, home.paths.spoolStreams)
    expect(claims.map(({ counter }) => counter)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(new Set(claims.map(({ streamId }) => streamId))).toEqual(new Set(streams.map(({ streamId }) => streamId)))
    await Promise.all(streams.map((stream) => stream.close('exit')))
  })
  it('seals bodies: plain text is nowhere in the file, and the collector key opens it [W-16]', async () => {
    const { home, stream, read } = await open()
    const sections = makeSections()
    const { seq } = await stream.append(makeRequested(1), sections)
    const file = readFileSync(join(home.paths.spool, formatSegmentName({ streamId: stream.streamId, segment: 1 })))
    expect(file.includes('report.txt')).toBe(false)
    expect(statSync(home.paths.spool).mode & 0o777).toBe(0o700)
    const { items, records } = await read()
    const first = items[0]
    if (first?.type !== 'preamble') throw new Error('no preamble')
    const secret = openX25519((await home.collectorKey()).privateKey, first.preamble.sealedSecret)
    const keys = deriveRecordKeys(sealing, deriveRecordSecret(sealing, secret, seq))
    const body = decodeBody(sealing.open(keys.bodyKey, records[seq]?.body ?? new Uint8Array(0)))
    expect(Buffer.from(body.input ?? [])).toEqual(Buffer.from(sections.input ?? []))
    await stream.close('exit')
  })
  it('rejects a draft that makes no valid header, and goes on [W-1]', async () => {
    const { stream, read } = await open()
    await expect(stream.append({ ...makeNotify(), time: 'yesterday', monotonicUs: 1 }, {})).rejects.toMatchObject({
      name: 'RecordError',
    })
    await stream.append(makeNotify(), {})
    await stream.close('exit')
    expect((await read('closed')).records).toHaveLength(3)
  })
})

describe('group commit', () => {
  it('acknowledges only what is synced, and leaves the event loop free meanwhile [W-1] [W-2]', async () => {
    const home = await newHome()
    let release: () => void = () => undefined
    let held: Promise<void> | undefined
    const layer = makeFaulty(systemLayer, (operation) => (operation === 'syncContent' ? held : undefined))
    const stream = await openStream({ home, layer, software: 'test/1' })
    held = new Promise((resolve) => {
      release = resolve
    })
    let acknowledged = false
    const receipt = stream.append(makeNotify(), {}).then((done) => {
      acknowledged = true
      return done
    })
    // That this timer fires says that the event loop does not wait for the sync.
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(acknowledged).toBe(false)
    release()
    const { seq } = await receipt
    const options = {
      layer: systemLayer,
      directory: home.paths.spool,
      streamId: stream.streamId,
      state: 'live',
    } as const
    expect((await readAll(options)).end.cursor.head?.seq).toBeGreaterThanOrEqual(seq)
    await stream.close('exit')
  })
  it('a thousand concurrent records on a slow disk: few commits, order kept [W-2]', async () => {
    const syncDelayMs = 15
    const { stream, read } = await open({ layer: delaySyncs(systemLayer, syncDelayMs) })
    const started = performance.now()
    const acknowledged: number[] = []
    await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i % 20))
        acknowledged.push((await stream.append(makeRequested(i), makeSections())).seq)
      }),
    )
    const tookMs = performance.now() - started
    await stream.close('exit')
    expect(acknowledged).toEqual([...acknowledged].sort((a, b) => a - b))
    const { commits } = await read('closed')
    expect(commits).toBeLessThan(200)
    expect(tookMs).toBeLessThan(1000 * syncDelayMs)
  })
  it('records in quick succession share commits, though more syncs could be in flight [W-2]', async () => {
    const { stream, read } = await open({ layer: delaySyncs(systemLayer, 50) })
    // Descriptors are opened as they are needed: the first commits leave as many behind as there may be.
    for (let i = 0; i < 20; i++) await Promise.race([stream.append(makeNotify(), {}), sleep(3)])
    await stream.append(makeNotify(), {})
    const { commits: before } = await read()
    const started = performance.now()
    const receipts: Promise<unknown>[] = []
    for (let i = 0; i < 64; i++) {
      receipts.push(stream.append(makeNotify(), {}))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const offeredMs = performance.now() - started
    await Promise.all(receipts)
    const { commits } = await read()
    // One at most every three milliseconds, and one when nothing more comes.
    expect(commits - before).toBeLessThanOrEqual(offeredMs / 3 + 2)
    await stream.close('exit')
  })
  it('syncs overlap: records that arrive while one is in flight wait for their own only [W-2]', async () => {
    const syncDelayMs = 60
    const { stream } = await open({ layer: delaySyncs(systemLayer, syncDelayMs) })
    await stream.append(makeNotify(), {})
    await stream.append(makeNotify(), {})
    const latencies = await Promise.all(
      [0, 10, 20, 30].map(async (delayMs) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        const started = performance.now()
        await stream.append(makeNotify(), {})
        return performance.now() - started
      }),
    )
    // Had they waited for the first one's sync, even the fastest would have taken 90 ms; a busy machine is not that late.
    expect(Math.min(...latencies.slice(1))).toBeLessThan(85)
    await stream.close('exit')
  })
  it('goes on in the next segment, and carries reservations over [W-3]', async () => {
    const { stream, home, read } = await open({ segmentBytesMax: 200 * 1024 })
    const receipts = await Promise.all(
      Array.from({ length: 200 }, (_, i) => stream.append(makeRequested(i), makeSections(6000))),
    )
    for (let i = 0; i < 20; i++)
      await Promise.all(Array.from({ length: 20 }, () => stream.append(makeNotify(), makeSections(12_000))))
    await Promise.all(receipts.map(({ hash }, i) => stream.append(makeCompleted(i, hash), makeSections(5000))))
    await stream.close('exit')
    const { records, end } = await read('closed')
    expect(records).toHaveLength(802)
    expect(end.cursor.segment).toBeGreaterThan(1)
    expect((await systemLayer.list(home.paths.spool)).filter((name) => name.endsWith('.seg'))).toHaveLength(
      end.cursor.segment,
    )
  })
  it('takes a record larger than any step [W-1]', async () => {
    const { stream, read } = await open()
    const { hash } = await stream.append(makeRequested(1), makeSections(20_000_000))
    await stream.append(makeCompleted(1, hash), makeSections(9_000_000))
    await expect(stream.append(makeRequested(2), makeSections(70_000_000))).rejects.toMatchObject({
      code: 'record_too_large',
      retry: false,
    })
    await stream.close('exit')
    expect((await read('closed')).records).toHaveLength(4)
  })
})

describe('failure', () => {
  async function failing(fault: Fault, layer: FileLayer = systemLayer) {
    let on = false
    const faulty = makeFaulty(layer, (operation, path) =>
      on && path.includes('.seg') ? fault(operation, path) : undefined,
    )
    const opened = await open({ layer: faulty })
    await opened.stream.append(makeNotify(), {})
    on = true
    return { ...opened, stop: () => (on = false) }
  }
  it.each([
    ['EIO', 'spool_io'],
    ['EROFS', 'spool_read_only'],
    ['ENOSPC', 'spool_full'],
  ])('a sync that fails with %s poisons the stream for ever, as %s [W-4]', async (code, expected) => {
    const { stream, read, stop } = await failing((operation) => {
      if (operation === 'syncContent') throw systemError(code, 'fdatasync')
    })
    const { head } = stream
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => stream.append(makeNotify(), {})))
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: expected } })
    stop()
    await expect(stream.append(makeNotify(), {})).rejects.toMatchObject({ code: expected })
    expect(stream.head).toEqual(head)
    await stream.close('error')
    expect((await read('dead')).records.length).toBeGreaterThanOrEqual(2)
  })
  it('a file that was deleted underneath is told as spool_replaced [W-5]', async () => {
    const { home, stream } = await open()
    await stream.append(makeNotify(), {})
    rmSync(join(home.paths.spool, formatSegmentName({ streamId: stream.streamId, segment: 1 })))
    await expect(stream.append(makeNotify(), {})).rejects.toMatchObject({ code: 'spool_replaced', retry: true })
    await stream.close('error')
  })
  it('the limit of the spool is told as spool_full [W-18]', async () => {
    const home = await newHome()
    const stream = await openStream({ home, software: 'test/1', spoolBytesMax: 600 * 1024 })
    let accepted = 0
    let refused: unknown
    while (refused === undefined && accepted < 5000) {
      await stream.append(makeRequested(accepted), makeSections(2000)).then(
        () => (accepted += 1),
        (error: unknown) => (refused = error),
      )
    }
    expect(refused).toMatchObject({ code: 'spool_full', retry: true })
    expect(accepted).toBeGreaterThan(10)
    await expect(openStream({ home, software: 'test/1', spoolBytesMax: 600 * 1024 })).rejects.toMatchObject({
      code: 'spool_full',
    })
    expect((await listClaims(systemLayer, home.paths.spoolStreams)).claims).toHaveLength(1)
    await stream.close('exit')
  })
})
