import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Effect, effects } from '@affidavit/evidence/record/kinds'
import { describe, expect, it } from 'vitest'
import { openHome } from '../durable/home.ts'
import { systemLayer } from '../durable/layer.ts'
import { makeFaulty, systemError } from '../durable/testdata/faulty-layer.ts'
import { createRecorder } from './fail-mode.ts'
import { formatSegmentName } from './segment-name.ts'
import { openStream, type SpoolStream } from './stream.ts'
import {
  callId,
  listStreams,
  makeCompleted,
  makeNotify,
  makeRequested,
  makeSections,
  readAll,
} from './testdata/calls.ts'

const spoolBytesMax = 900 * 1024

async function start(failOpen: readonly Effect[]) {
  const home = await openHome(mkdtempSync(join(tmpdir(), 'affidavit-fail-')))
  const broken = { code: '' }
  const layer = makeFaulty(systemLayer, (operation, path) => {
    if (broken.code !== '' && path.includes('.seg')) throw systemError(broken.code, operation)
  })
  const streams: SpoolStream[] = []
  let attempts = 0
  const recorder = createRecorder({
    failOpen: new Set(failOpen),
    open: async (knownHead) => {
      attempts += 1
      const stream = await openStream({ home, layer, software: 'test/1', spoolBytesMax, knownHead })
      streams.push(stream)
      return stream
    },
  })
  // Something else in the spool folder uses up the limit, and is taken away again.
  const ballast = join(home.paths.spool, formatSegmentName({ streamId: callId(0), segment: 1 }))
  const fill = () => {
    writeFileSync(ballast, '')
    truncateSync(ballast, spoolBytesMax)
  }
  const read = async (streamId = streams.at(-1)?.streamId ?? '') => {
    const options = { layer: systemLayer, directory: home.paths.spool, streamId, state: 'live' } as const
    return (await readAll(options)).records.map(({ header }) => header)
  }
  const gapsOf = async () => (await read()).flatMap((header) => (header.kind === 'gap' ? [header.detail] : []))
  return { home, recorder, streams, broken, fill, empty: () => rmSync(ballast), read, gapsOf, attempts: () => attempts }
}

type Started = Awaited<ReturnType<typeof start>>

/** Emits calls until one is refused or passes unrecorded; returns the calls that are open. */
async function emitUntilFull({ recorder, fill }: Started, effect: Effect) {
  await recorder.emit(makeNotify(), {})
  fill()
  const open: { n: number; hash: Uint8Array }[] = []
  for (let n = 1; ; n++) {
    const outcome = await recorder.emit(makeRequested(n, effect), makeSections(3000)).catch((error: unknown) => error)
    if (
      typeof outcome !== 'object' ||
      outcome === null ||
      !('recorded' in outcome) ||
      !outcome.recorded ||
      !('hash' in outcome)
    )
      return { outcome, open, next: n }
    if (outcome.hash instanceof Uint8Array) open.push({ n, hash: outcome.hash })
  }
}

describe('closed', () => {
  it.each(effects)(
    'on a full spool a call of class %s is refused, and every open call completes [W-6] [W-3]',
    async (effect) => {
      const run = await start(effects.filter((other) => other !== effect))
      const { outcome, open } = await emitUntilFull(run, effect)
      expect(outcome).toMatchObject({ code: 'spool_full', retry: true })
      expect(open.length).toBeGreaterThan(5)
      for (const { n, hash } of open)
        expect(await run.recorder.emit(makeCompleted(n, hash), makeSections(3000))).toMatchObject({ recorded: true })
      expect(await run.gapsOf()).toEqual([])
      run.empty()
      await sleep(550)
      expect(await run.recorder.emit(makeRequested(999, effect), {})).toMatchObject({ recorded: true })
      await run.recorder.close('exit')
    },
  )
  it('a completed that is larger than its reserve may be emitted again, smaller [W-3]', async () => {
    const run = await start([])
    const { open } = await emitUntilFull(run, 'read')
    const [call] = open
    if (call === undefined) throw new Error('no call')
    const large = run.recorder.emit(makeCompleted(call.n, call.hash), makeSections(200_000))
    await expect(large).rejects.toMatchObject({ code: 'record_too_large' })
    expect(await run.recorder.emit(makeCompleted(call.n, call.hash), {})).toMatchObject({ recorded: true })
    await run.recorder.close('exit')
  })
  it('a notification that finds no room is counted in a gap, whatever the mode [W-7]', async () => {
    const run = await start([])
    await emitUntilFull(run, 'read')
    expect(await run.recorder.emit(makeNotify(), {})).toMatchObject({ recorded: false })
    expect(await run.gapsOf()).toMatchObject([{ event: 'opened', code: 'spool_full' }])
    run.empty()
    await sleep(550)
    await run.recorder.emit(makeNotify(), {})
    await run.recorder.close('exit')
    expect((await run.gapsOf())[1]).toMatchObject({ event: 'closed', missingNotifications: 1, missingRequests: 0 })
  })
  it('what a tool became is refused with the listing that shows it, unless calls of unknown effect may pass [TD-2]', async () => {
    const after = Buffer.alloc(32).toString('base64')
    const change = { kind: 'change', detail: { subject: 'tool', name: 'a', event: 'appeared', after } } as const
    for (const failOpen of [['read', 'write'], ['unknown']] as const) {
      const run = await start(failOpen)
      await emitUntilFull(run, failOpen[0] === 'unknown' ? 'read' : 'unknown')
      const outcome = run.recorder.emit(change, {})
      if (failOpen[0] === 'unknown') expect(await outcome).toMatchObject({ recorded: false })
      else await expect(outcome).rejects.toMatchObject({ code: 'spool_full' })
      expect(await run.gapsOf()).toHaveLength(failOpen[0] === 'unknown' ? 1 : 0)
      run.empty()
      await sleep(550)
      expect(await run.recorder.emit(change, {})).toMatchObject({ recorded: true })
      await run.recorder.close('exit')
    }
  })
  it('on a broken disk calls are refused, and attempts to open a stream are rationed [W-6] [W-8]', async () => {
    const run = await start([])
    await run.recorder.emit(makeNotify(), {})
    run.broken.code = 'EROFS'
    for (let n = 1; n < 50; n++) {
      const refused = run.recorder.emit(makeRequested(n), {})
      await expect(refused).rejects.toMatchObject({ code: 'spool_read_only', retry: true })
    }
    expect(run.attempts()).toBeLessThan(5)
    run.broken.code = ''
    await sleep(550)
    expect(await run.recorder.emit(makeRequested(99), {})).toMatchObject({ recorded: true })
    await run.recorder.close('exit')
  })
})

describe('open', () => {
  it.each(effects)(
    'a call of class %s passes under a gap that is durable by then; it is closed with the counts [W-7]',
    async (effect) => {
      const run = await start([effect])
      const { outcome, open, next } = await emitUntilFull(run, effect)
      expect(outcome).toMatchObject({ recorded: false })
      const [opened] = await run.gapsOf()
      expect(opened).toMatchObject({ event: 'opened', code: 'spool_full' })
      await run.recorder.emit(makeRequested(next + 1, effect), makeSections())
      await run.recorder.emit(makeNotify(), {})
      // One unrecorded call is answered in the gap, the other behind it; neither leaves a record.
      const gapHash = (await run.recorder.emit(makeCompleted(next, new Uint8Array(32)), {})).hash
      for (const { n, hash } of open) await run.recorder.emit(makeCompleted(n, hash), {})
      run.empty()
      await sleep(550)
      await run.recorder.emit(makeRequested(500, effect), {})
      expect(await run.recorder.emit(makeCompleted(next + 1, gapHash), {})).toMatchObject({ recorded: false })
      await run.recorder.close('exit')
      const gaps = await run.gapsOf()
      expect(gaps).toHaveLength(2)
      const counts = { missingRequests: 2, missingResponses: 2, missingNotifications: 1 }
      expect(gaps[1]).toMatchObject({ event: 'closed', gapId: opened?.gapId, ...counts })
      const calls = (await run.read()).flatMap((header) => ('callId' in header ? [header.callId] : []))
      expect(calls).not.toContain(callId(next))
      expect(calls).not.toContain(callId(next + 1))
    },
  )
  it('other classes stay closed meanwhile [W-6]', async () => {
    const run = await start(['read'])
    const { next } = await emitUntilFull(run, 'read')
    await expect(run.recorder.emit(makeRequested(next + 1, 'write'), {})).rejects.toMatchObject({ code: 'spool_full' })
    await run.recorder.close('exit')
  })
  it('a gap that is still open at the end is closed by close [W-7]', async () => {
    const run = await start(['read'])
    await emitUntilFull(run, 'read')
    await run.recorder.close('exit')
    const kinds = (await run.read())
      .slice(-3)
      .map((header) => ('detail' in header && 'event' in header.detail ? header.detail.event : ''))
    expect(kinds).toEqual(['opened', 'closed', 'closed'])
  })
  it('nothing passes where not even a gap can be written [W-8]', async () => {
    const run = await start(effects)
    await run.recorder.emit(makeNotify(), {})
    run.broken.code = 'EIO'
    for (const effect of effects)
      await expect(run.recorder.emit(makeRequested(1, effect), {})).rejects.toMatchObject({ code: 'gap_not_durable' })
    await expect(run.recorder.emit(makeNotify(), {})).rejects.toMatchObject({ code: 'gap_not_durable' })
    run.broken.code = ''
    await sleep(550)
    await run.recorder.emit(makeRequested(2), {})
    await run.recorder.close('exit')
    // The notification did pass, and is told now; the calls did not.
    expect(await run.gapsOf()).toMatchObject([
      { event: 'opened', code: 'spool_io' },
      { event: 'closed', missingRequests: 0, missingResponses: 0, missingNotifications: 1 },
    ])
  })
})

describe('a spool file that vanishes', () => {
  it('refuses one request, completes open calls in a new stream, whose genesis names the old head [W-20] [W-5]', async () => {
    const run = await start([])
    const { hash } = await run.recorder.emit(makeRequested(1), {})
    const head = run.streams[0]?.head
    rmSync(join(run.home.paths.spool, formatSegmentName({ streamId: head?.streamId ?? '', segment: 1 })))
    await expect(run.recorder.emit(makeRequested(2), {})).rejects.toMatchObject({ code: 'spool_replaced' })
    expect(await run.recorder.emit(makeCompleted(1, hash), {})).toMatchObject({ recorded: true })
    expect(await run.recorder.emit(makeRequested(3), {})).toMatchObject({ recorded: true })
    await run.recorder.close('exit')
    const headers = await run.read()
    expect(headers[0]).toMatchObject({ detail: { event: 'opened', counter: 1, previous: head } })
    expect(headers.flatMap((header) => ('callId' in header ? [header.callId] : []))).toEqual([callId(1), callId(3)])
    expect(await listStreams(systemLayer, run.home.paths.spool)).toHaveLength(1)
  })
  it('a result whose own commit failed is recorded in the new stream [W-20]', async () => {
    const run = await start([])
    const { hash } = await run.recorder.emit(makeRequested(1), {})
    rmSync(join(run.home.paths.spool, formatSegmentName({ streamId: run.streams[0]?.streamId ?? '', segment: 1 })))
    expect(await run.recorder.emit(makeCompleted(1, hash), {})).toMatchObject({ recorded: true })
    expect(run.streams).toHaveLength(2)
    await run.recorder.close('exit')
  })
  it('emits nothing after close', async () => {
    const run = await start(effects)
    await run.recorder.close('exit')
    await expect(run.recorder.emit(makeNotify(), {})).rejects.toMatchObject({ code: 'spool_closed' })
  })
})
