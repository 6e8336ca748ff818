import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openHome } from '../durable/home.ts'
import { type FileLayer, type LayerFile, systemLayer } from '../durable/layer.ts'
import { systemError } from '../durable/testdata/faulty-layer.ts'
import { SpoolCorrupt } from './error.ts'
import { recordOverheadBytes, writeRecordFrame } from './frame.ts'
import { readSegments, type SegmentCursor } from './read.ts'
import { formatSegmentName } from './segment-name.ts'
import { openStream, type StreamOptions } from './stream.ts'
import { makeCompleted, makeNotify, makeRequested, makeSections, readAll } from './testdata/calls.ts'

const refuse = async () => {
  throw new Error('a reader only reads')
}

/** A layer over bytes in memory, for readers. */
function makeReadable(files: Map<string, Uint8Array>): FileLayer {
  const open = (bytes: Uint8Array): LayerFile => ({
    write: refuse,
    syncContent: refuse,
    syncAll: refuse,
    identity: refuse,
    close: async () => undefined,
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
  })
  return {
    ...systemLayer,
    list: async () => [...files.keys()],
    open: async (path) => {
      const bytes = files.get(basename(path))
      if (bytes === undefined) throw systemError('ENOENT', 'open')
      return open(bytes)
    },
  }
}

interface Written {
  streamId: string
  name: string
  /** The segment, its zeros cut to 2 KiB. */
  bytes: Uint8Array
  /** End of the last commit. */
  end: number
  records: number
}

async function write(finish: 'closed' | 'open', options: Partial<StreamOptions> = {}): Promise<Written> {
  const home = await openHome(mkdtempSync(join(tmpdir(), 'affidavit-read-')))
  const stream = await openStream({ home, software: 'test/1', ...options })
  const { hash } = await stream.append(makeRequested(1), makeSections(20))
  await stream.append(makeCompleted(1, hash), {})
  if (finish === 'closed') await stream.close('exit')
  const { streamId } = stream
  const name = formatSegmentName({ streamId, segment: 1 })
  const { end, records } = await readAll({ layer: systemLayer, directory: home.paths.spool, streamId, state: 'live' })
  const { offset } = end.cursor
  return {
    streamId,
    name,
    bytes: new Uint8Array(readFileSync(join(home.paths.spool, name))).subarray(0, offset + 2048),
    end: offset,
    records: records.length,
  }
}

const read = (
  { streamId, name }: Written,
  bytes: Uint8Array,
  state: 'live' | 'dead' | 'closed',
  from?: SegmentCursor,
) =>
  readAll({
    layer: makeReadable(new Map([[name, bytes]])),
    directory: '/spool',
    streamId,
    state,
    ...(from && { from }),
  })

let closed: Written
let open: Written
beforeAll(async () => {
  closed = await write('closed')
  open = await write('open')
})

describe('every changed bit is noticed', () => {
  const flips = (bytes: Uint8Array, everyBitUntil: number) =>
    Array.from(bytes, (_, at) =>
      (at < everyBitUntil ? [0, 1, 2, 3, 4, 5, 6, 7] : [(at * 5) % 8]).map((bit) => ({ at, bit })),
    ).flat()
  const flip = (bytes: Uint8Array, { at, bit }: { at: number; bit: number }) => {
    const changed = bytes.slice()
    changed[at] = (changed[at] ?? 0) ^ (1 << bit)
    return changed
  }

  it('in a closed stream each is damage, in the preamble and the zeros too [W-9]', { timeout: 240_000 }, async () => {
    expect((await read(closed, closed.bytes, 'closed')).records).toHaveLength(closed.records)
    for (const place of flips(closed.bytes, 400))
      await expect(read(closed, flip(closed.bytes, place), 'closed'), `byte ${place.at}`).rejects.toBeInstanceOf(
        SpoolCorrupt,
      )
  })
  it('in a stream whose process died each is damage or a torn tail that is told [W-9]', {
    timeout: 240_000,
  }, async () => {
    const torn: number[] = []
    for (const place of flips(open.bytes, 0)) {
      try {
        const { end, records } = await read(open, flip(open.bytes, place), 'dead')
        expect(end.tornBytes, `byte ${place.at}`).toBeGreaterThan(0)
        // Only what no later commit vouches for may count as torn.
        expect(records.length).toBeGreaterThanOrEqual(open.records - 1)
        torn.push(place.at)
      } catch (error) {
        if (!(error instanceof SpoolCorrupt)) throw error
        expect(error.offset).toBeLessThanOrEqual(open.bytes.length)
      }
    }
    expect(torn).toContain(open.bytes.length - 1)
    expect(torn).not.toContain(0)
  })
})

describe('what is changed in larger pieces', () => {
  it('cut anywhere, a closed stream is damaged and a dead one is torn but for its first commit [W-9]', async () => {
    const opening = (await read(open, open.bytes, 'dead')).items.find((item) => item.type === 'commit')
    if (opening?.type !== 'commit') throw new Error('no commit')
    for (let length = 0; length < closed.end; length += 7)
      await expect(read(closed, closed.bytes.subarray(0, length), 'closed')).rejects.toBeInstanceOf(SpoolCorrupt)
    for (let length = opening.cursor.offset; length < open.end; length += 7)
      expect((await read(open, open.bytes.subarray(0, length), 'dead')).records.length).toBeLessThanOrEqual(
        open.records,
      )
    await expect(read(open, open.bytes.subarray(0, opening.cursor.offset - 1), 'dead')).rejects.toBeInstanceOf(
      SpoolCorrupt,
    )
  })
  it('a whole record without a commit is torn while the process is known dead, and damage behind a closing record [W-9]', async () => {
    const header = new TextEncoder().encode('{"v":1}')
    const frame = new Uint8Array(recordOverheadBytes + header.length)
    writeRecordFrame(frame, header, () => undefined)
    const append = ({ bytes, end }: Written) => {
      const changed = bytes.slice()
      changed.set(frame, end)
      return changed
    }
    await expect(read(closed, append(closed), 'closed')).rejects.toMatchObject({ code: 'spool_corrupt' })
    await expect(read(closed, append(closed), 'dead')).rejects.toMatchObject({ code: 'spool_corrupt' })
    await expect(read(open, append(open), 'dead')).rejects.toMatchObject({ offset: open.end })
  })
  it('garbage behind the end of a dead stream is torn, to its last byte [W-9]', async () => {
    const changed = open.bytes.slice()
    changed.fill(0xff, open.end, open.end + 100)
    expect((await read(open, changed, 'dead')).end.tornBytes).toBe(100)
  })
  it('a segment of another stream under this name is damage [W-9]', async () => {
    await expect(read({ ...open, streamId: open.streamId }, closed.bytes, 'dead')).rejects.toThrow(
      /preamble is that of/,
    )
  })
  it('a stream without its closing record is no closed one, and one that came further than this is damaged [W-9]', async () => {
    await expect(read(open, open.bytes, 'closed')).rejects.toThrow(/no closing record/)
    const { end } = await read(open, open.bytes, 'dead')
    const head = { streamId: open.streamId, seq: 99, hash: end.cursor.head?.hash ?? '' }
    const layer = makeReadable(new Map([[open.name, open.bytes]]))
    const options = { layer, directory: '/spool', streamId: open.streamId, state: 'dead' } as const
    await expect(readAll({ ...options, expectedHead: head })).rejects.toThrow(/had record 99/)
    await expect(readAll({ ...options, expectedHead: { ...head, seq: 1 } })).rejects.toThrow(/another/)
  })
  it('a missing segment is damage [W-9]', async () => {
    const layer = makeReadable(new Map([[open.name.replace('-000001', '-000002'), open.bytes]]))
    const options = { layer, directory: '/spool', streamId: open.streamId, state: 'dead' } as const
    await expect(readAll(options)).rejects.toThrow(/missing/)
  })
})

describe('reading in several goes', () => {
  it('goes on behind any commit and finds the same records', async () => {
    const { items, records } = await read(closed, closed.bytes, 'closed')
    for (const item of items) {
      if (item.type !== 'commit') continue
      const rest = await read(closed, closed.bytes, 'closed', item.cursor)
      expect(rest.records.map(({ header }) => header.seq)).toEqual(
        records.map(({ header }) => header.seq).filter((seq) => seq > item.head.seq),
      )
      expect(rest.end.finished).toBe(true)
    }
  })
  it('starts at a later segment where the ones before it were shipped and deleted', async () => {
    const home = await openHome(mkdtempSync(join(tmpdir(), 'affidavit-read-')))
    const stream = await openStream({ home, software: 'test/1', segmentBytesMax: 300_000 })
    for (let i = 0; i < 40; i++) await stream.append(makeNotify(), makeSections(20_000))
    const options = { layer: systemLayer, directory: home.paths.spool, streamId: stream.streamId } as const
    const { items, records } = await readAll({ ...options, state: 'live' })
    const second = items.find((item) => item.type === 'commit' && item.cursor.segment === 2)
    if (second?.type !== 'commit') throw new Error('no second segment')
    rmSync(join(home.paths.spool, formatSegmentName({ streamId: stream.streamId, segment: 1 })))
    const from = { segment: 2, offset: 0, head: null }
    const rest = await readAll({ ...options, state: 'live', from })
    expect(rest.records.map(({ header }) => header.seq)).toEqual(
      records.map(({ header }) => header.seq).filter((seq) => seq >= (second.records[0]?.header.seq ?? 0)),
    )
    await expect(readAll({ ...options, state: 'live' })).rejects.toThrow(/missing/)
    await expect(readAll({ ...options, state: 'live', from: { ...from, head: stream.head } })).rejects.toThrow(
      /expected/,
    )
    await stream.close('exit')
  })
  it('beside a writer never sees damage and misses nothing, over segments', async () => {
    const home = await openHome(mkdtempSync(join(tmpdir(), 'affidavit-read-')))
    const stream = await openStream({ home, software: 'test/1', segmentBytesMax: 150_000 })
    let writing = true
    const writer = async () => {
      for (let i = 0; i < 60; i++)
        await Promise.all(Array.from({ length: 25 }, () => stream.append(makeNotify(), makeSections(i * 10))))
      await stream.close('exit')
      writing = false
    }
    const seen: number[] = []
    const reader = async () => {
      let from: SegmentCursor = { segment: 1, offset: 0, head: null }
      for (let last = false; !last; ) {
        last = !writing
        const options = { layer: systemLayer, directory: home.paths.spool, streamId: stream.streamId, from } as const
        for await (const item of readSegments({ ...options, state: 'live' })) {
          if (item.type === 'commit') seen.push(...item.records.map(({ header }) => header.seq))
          if (item.type === 'end') from = item.cursor
        }
      }
      return from
    }
    const [, cursor] = await Promise.all([writer(), reader()])
    expect(seen).toEqual(Array.from({ length: 60 * 25 + 2 }, (_, seq) => seq))
    expect(cursor.segment).toBeGreaterThan(2)
  })
})
