import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { openStream, type SpoolStream } from '@affidavit/sensor/spool/stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listSpooledStreams, readBacklog } from './backlog.ts'

let directory: string
let home: Home
let stream: SpoolStream
let whole: string[]
/** A live stream of several segments. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'affidavit-backlog-'))
  home = await openHome(directory)
  stream = await openStream({ home, software: 'test/1', segmentBytesMax: 300_000 })
  const sections = { input: new Uint8Array(20_000) }
  const list = async () => (await systemLayer.list(home.paths.spool)).filter((name) => name.endsWith('.seg')).sort()
  // A segment is gone on with as long as the next one is being prepared, so their number depends on the disk.
  for (let i = 0; i < 5000 && (i < 120 || (await list()).length < 5); i++)
    await stream.append({ kind: 'heartbeat' }, sections)
  whole = await list()
})
afterAll(async () => {
  await stream.close('exit')
  rmSync(directory, { recursive: true, force: true })
})

describe('the backlog', () => {
  it('is read from the first segment that is there: the ones before were shipped [Q-21]', async () => {
    expect(whole.length).toBeGreaterThan(3)
    rmSync(join(home.paths.spool, whole[0] ?? ''))
    expect([...(await listSpooledStreams(home.paths.spool)).values()]).toEqual([2])
    const [found, ...others] = await readBacklog(home, undefined)
    expect(others).toEqual([])
    expect(found).toMatchObject({ streamId: stream.streamId, head: { seq: stream.head.seq } })
    expect(found?.corrupt).toBeUndefined()
  })
  it('takes a segment that is shipped while it is read for no damage [Q-21]', async () => {
    let isStale = true
    const list = async (path: string) => {
      const names = isStale ? whole : await systemLayer.list(path)
      isStale = false
      return names
    }
    const [found] = await readBacklog({ ...home, layer: { ...systemLayer, list } }, undefined)
    expect(found).toMatchObject({ head: { seq: stream.head.seq } })
    expect(found?.corrupt).toBeUndefined()
  })
  it('says where a segment in between is missing [Q-21]', async () => {
    const middle = whole.at(-2) ?? ''
    expect(whole.indexOf(middle)).toBeGreaterThan(1)
    rmSync(join(home.paths.spool, middle))
    const [found] = await readBacklog(home, undefined)
    expect(found?.corrupt?.message).toContain('missing')
  })
})
