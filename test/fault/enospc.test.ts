import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHome } from '@affidavit/sensor/durable/home'
import { HomeError } from '@affidavit/sensor/durable/home-keys'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { SpoolError } from '@affidavit/sensor/spool/error'
import { createRecorder } from '@affidavit/sensor/spool/fail-mode'
import { openStream } from '@affidavit/sensor/spool/stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  listStreams,
  makeCompleted,
  makeRequested,
  makeSections,
  readAll,
} from '../../packages/sensor/src/spool/testdata/calls.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

interface Run {
  /** Header hashes of everything that was acknowledged, by stream. */
  acknowledged: string[]
  /** Why it ended. */
  refusal: unknown
  openCalls: number
  /** Records one more call, after the pause that a refused allocation takes. */
  goOn(): Promise<void>
  close(): Promise<void>
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Opens home and stream and emits calls, several at a time, until one is refused; then completes all that are open. */
async function runUntilRefused(dir: string): Promise<Run> {
  const acknowledged: string[] = []
  let refusal: unknown
  const home = await openHome(dir)
  const recorder = createRecorder({
    failOpen: new Set(),
    open: (knownHead) => openStream({ home, software: 'test/1', knownHead }),
  })
  const open: { n: number; hash: Uint8Array }[] = []
  for (let n = 0; refusal === undefined && n < 2000; n += 4) {
    const results = await Promise.allSettled(
      [n, n + 1, n + 2, n + 3].map(async (each) => ({
        n: each,
        hash: (await recorder.emit(makeRequested(each), makeSections(1500))).hash,
      })),
    )
    for (const result of results) {
      if (result.status === 'rejected') refusal ??= result.reason
      else {
        open.push(result.value)
        acknowledged.push(hex(result.value.hash))
      }
    }
  }
  for (const { n, hash } of open)
    acknowledged.push(hex((await recorder.emit(makeCompleted(n, hash), makeSections(3000))).hash))
  const goOn = async () => {
    await sleep(550)
    acknowledged.push(hex((await recorder.emit(makeRequested(5000), makeSections(1500))).hash))
  }
  return { acknowledged, refusal, openCalls: open.length, goOn, close: () => recorder.close('exit') }
}

async function readHashes(dir: string): Promise<Set<string>> {
  const found = new Set<string>()
  const directory = join(dir, 'spool')
  for (const streamId of await listStreams(systemLayer, directory)) {
    const { records } = await readAll({ layer: systemLayer, directory, streamId, state: 'dead' })
    for (const { hash } of records) found.add(hex(hash))
  }
  return found
}

async function expectDurable(dir: string, { acknowledged }: Run): Promise<void> {
  const found = await readHashes(dir)
  for (const hash of acknowledged) expect(found).toContain(hash)
}

/** One point: what is acknowledged is there, and the stream closes on the full disk, or goes on once there is space. */
async function runAt(
  disk: SmallDisk,
  freeBytes: number,
  then: 'close' | 'go on',
): Promise<'home' | 'stream' | 'record'> {
  const dir = join(mkdtempSync(join(disk.directory, 'run-')), 'home')
  disk.leaveFree(freeBytes)
  try {
    const run = await runUntilRefused(dir)
    expect(run.refusal).toBeInstanceOf(SpoolError)
    expect(run.refusal).toMatchObject({ code: 'spool_full', retry: true })
    await expectDurable(dir, run)
    if (then === 'go on') {
      disk.release()
      await run.goOn()
    }
    await run.close()
    await expectDurable(dir, run)
    return run.openCalls > 0 ? 'record' : 'stream'
  } catch (error) {
    if (!(error instanceof HomeError)) throw error
    expect(error).toMatchObject({ code: 'home_unusable' })
    disk.release()
    const home = await openHome(dir)
    const stream = await openStream({ home, software: 'test/1' })
    await stream.close('exit')
    return 'home'
  } finally {
    disk.release()
    rmSync(join(dir, '..'), { recursive: true })
  }
}

describe.each([
  { type: 'tmpfs' as const, bytes: 4 * 1024 * 1024, stepBytes: 4096 },
  { type: 'ext4' as const, bytes: 12 * 1024 * 1024, stepBytes: 1024 },
])('a full $type', ({ type, bytes, stepBytes }) => {
  let disk: SmallDisk | string = ''
  beforeAll(() => {
    disk = mountSmallDisk(type, bytes)
    if (typeof disk === 'string') console.warn(`SKIPPED: ENOSPC on a real ${type}; ${disk}`)
  })
  afterAll(() => {
    if (typeof disk !== 'string') disk.unmount()
  })

  it('at every write point loses nothing acknowledged, refuses as spool_full and recovers [W-13] [W-3]', {
    timeout: 180_000,
  }, async (context) => {
    if (typeof disk === 'string') return context.skip(disk)
    const mounted = disk
    const seen = new Set<string>()
    // From no space at all, block by block over home and claim, then in steps to the second extension of the segment.
    const blocks = Array.from({ length: 24 }, (_, i) => i * stepBytes)
    const steps = Array.from({ length: 60 }, (_, i) => 24 * stepBytes + i * 15_000)
    const points = [...blocks, ...steps]
    // Going on takes a pause of half a second, so not every point does.
    for (const [i, freeBytes] of points.entries())
      seen.add(await runAt(mounted, freeBytes, i % 16 === 0 ? 'go on' : 'close'))
    expect([...seen].sort()).toEqual(['home', 'record', 'stream'])
    expect(readdirSync(mounted.directory).filter((name) => name.startsWith('run-'))).toEqual([])
  })
})
