import { openHome } from '@affidavit/sensor/durable/home'
import type { FileLayer, LayerFile } from '@affidavit/sensor/durable/layer'
import { createOnce, isTemporary, replace } from '@affidavit/sensor/durable/write'
import { listClaims } from '@affidavit/sensor/spool/claim'
import { createRecorder } from '@affidavit/sensor/spool/fail-mode'
import { openStream } from '@affidavit/sensor/spool/stream'
import { describe, expect, it } from 'vitest'
import {
  listStreams,
  makeCompleted,
  makeNotify,
  makeRequested,
  makeSections,
  readAll,
} from '../../packages/sensor/src/spool/testdata/calls.ts'
import { makeRandom, type Random, RecordedDisk } from './recorded-disk.ts'

const seed = Number(process.env.AFFIDAVIT_POWER_SEED ?? Date.now() % 2 ** 31)
/** Ways the disk may look, per event at which the power may fail. */
const samples = Number(process.env.AFFIDAVIT_POWER_SAMPLES ?? 4)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const directory = '/home/spool'

/** Two streams, one after the other; calls that overlap; a rotation; a close. Marks every receipt when it arrives. */
async function spoolOn(disk: RecordedDisk, layer: FileLayer = disk.layer): Promise<void> {
  const home = await openHome('/home', layer)
  disk.mark(`home ${home.identity.homeId}`)
  disk.mark(`sensor ${(await home.sensorKey()).sensorId}`)
  for (const segmentBytesMax of [64 * 1024 * 1024, 100 * 1024]) {
    const recorder = createRecorder({
      failOpen: new Set(),
      open: () => openStream({ home, layer, software: 'test/1', segmentBytesMax }),
    })
    const call = async (n: number) => {
      const requested = await recorder.emit(makeRequested(n), makeSections(n % 3 === 0 ? 60_000 : 100))
      disk.mark(`record ${hex(requested.hash)}`)
      const completed = await recorder.emit(makeCompleted(n, requested.hash), makeSections(40))
      disk.mark(`record ${hex(completed.hash)}`)
    }
    for (let n = 0; n < 24; n += 4) await Promise.all([call(n), call(n + 1), call(n + 2), call(n + 3)])
    await recorder.close('exit')
    disk.mark('closed')
  }
}

async function readRecords(layer: FileLayer): Promise<Set<string>> {
  const { claims, malformed } = await listClaims(layer, `${directory}/streams`)
  expect(malformed).toEqual([])
  const found = new Set<string>()
  for (const streamId of await listStreams(layer, directory)) {
    const claim = claims.find((each) => each.streamId === streamId)
    const state = claim?.ended === 'closed' ? 'closed' : 'dead'
    const head = claim?.head === undefined ? {} : { expectedHead: claim.head }
    const { records } = await readAll({ layer, directory, streamId, state, ...head })
    for (const { hash } of records) found.add(hex(hash))
  }
  return found
}

/** Recovery on what a crash left: throws where an acknowledged record is missing or one appears that never was. */
async function recover(disk: RecordedDisk, end: number, random: Random, written: Set<string>): Promise<void> {
  const after = new RecordedDisk(random, disk.crashAt(end, random))
  const marks = disk.marksBefore(end)
  const found = await readRecords(after.layer)
  for (const hash of found) expect(written).toContain(hash)
  for (const mark of marks) if (mark.startsWith('record ')) expect(found).toContain(mark.slice(7))
  const home = await openHome('/home', after.layer)
  const homes = [...marks].filter((mark) => mark.startsWith('home '))
  for (const mark of homes) expect(mark).toBe(`home ${home.identity.homeId}`)
  if (random() > 0.1) return
  // Writing goes on where it stopped, with a counter that nobody had.
  const before = (await listClaims(after.layer, home.paths.spoolStreams)).claims
  const stream = await openStream({ home, software: 'test/2' })
  await stream.append(makeNotify(), {})
  await stream.close('exit')
  const { claims } = await listClaims(after.layer, home.paths.spoolStreams)
  expect(claims.map(({ counter }) => counter)).toEqual(
    Array.from({ length: before.length + 1 }, (_, counter) => counter),
  )
  expect((await readRecords(after.layer)).size).toBe(found.size + 3)
}

async function replayAll(disk: RecordedDisk, random: Random): Promise<void> {
  const written = await readRecords(disk.layer)
  for (let end = 0; end <= disk.events.length; end++) {
    for (let sample = 0; sample < samples; sample++) {
      await recover(disk, end, random, written).catch((error: unknown) => {
        throw new Error(`power loss before event ${end} of ${disk.events.length}, AFFIDAVIT_POWER_SEED=${seed}`, {
          cause: error,
        })
      })
    }
  }
}

/** A disk that says it synced and did not: what the harness must be able to see. */
function withLies(layer: FileLayer, lie: 'syncContent' | 'syncAll' | 'syncDirectory'): FileLayer {
  const nothing = async () => undefined
  if (lie === 'syncDirectory') return { ...layer, syncDirectory: nothing }
  const open = async (...args: Parameters<FileLayer['open']>): Promise<LayerFile> => ({
    ...(await layer.open(...args)),
    [lie]: nothing,
  })
  return { ...layer, open }
}

describe('power loss', () => {
  it('at every moment leaves every acknowledged record readable and nothing half accepted [W-10]', {
    timeout: 300_000,
  }, async () => {
    console.info(`power seed ${seed} (repeat with AFFIDAVIT_POWER_SEED)`)
    const random = makeRandom(seed)
    const disk = new RecordedDisk(random)
    await spoolOn(disk)
    expect(disk.marksBefore(disk.events.length).size).toBeGreaterThan(48)
    expect((await disk.layer.list(directory)).filter((name) => name.endsWith('-000002.seg'))).toHaveLength(1)
    console.info(`${disk.events.length} events, ${samples} samples each`)
    await replayAll(disk, random)
  })
  it.each(['syncContent', 'syncAll', 'syncDirectory'] as const)(
    'is seen where %s is skipped',
    { timeout: 300_000 },
    async (lie) => {
      const random = makeRandom(seed)
      const disk = new RecordedDisk(random)
      await spoolOn(disk, withLies(disk.layer, lie))
      await expect(replayAll(disk, random)).rejects.toThrow(/power loss before event/)
    },
  )
})

describe('power loss in whole files', () => {
  const text = (value: string) => new TextEncoder().encode(value.repeat(700))
  const contentOf = async (layer: FileLayer, path: string) => {
    const bytes = await layer.readFile(path)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString()
  }

  it('createOnce leaves one whole file or none; acknowledged, it is there and stays the same [W-11]', async () => {
    for (let round = 0; round < 40; round++) {
      const random = makeRandom(seed + round)
      const disk = new RecordedDisk(random)
      const path = '/once'
      const create = async (value: string) => disk.mark(`${await createOnce(disk.layer, path, text(value))} ${value}`)
      await Promise.all([create('a'), create('b'), create('c')])
      const winner = await contentOf(disk.layer, path)
      for (let end = 0; end <= disk.events.length; end++) {
        const after = new RecordedDisk(random, disk.crashAt(end, random))
        const found = await contentOf(after.layer, path)
        expect([undefined, winner]).toContain(found)
        if (disk.marksBefore(end).size > 0) expect(found).toBe(winner)
        for (const name of await after.layer.list('/')) expect(name === 'once' || isTemporary(name)).toBe(true)
      }
    }
  })
  it('replace leaves the old content or the new, whole; acknowledged, the new [W-12]', async () => {
    for (let round = 0; round < 40; round++) {
      const random = makeRandom(seed + round)
      const disk = new RecordedDisk(random)
      const values = ['a', 'b', 'c', 'd']
      for (const value of values) {
        await replace(disk.layer, '/state', text(value))
        disk.mark(value)
      }
      for (let end = 0; end <= disk.events.length; end++) {
        const after = new RecordedDisk(random, disk.crashAt(end, random))
        const acknowledged = disk.marksBefore(end).size
        const allowed = values.slice(Math.max(0, acknowledged - 1), acknowledged + 1).map((value) => value.repeat(700))
        const found = await contentOf(after.layer, '/state')
        expect(acknowledged === 0 ? [undefined, ...allowed] : allowed).toContain(found)
      }
    }
  })
})
