import { join } from 'node:path'
import type { StreamHead } from '@affidavit/evidence/record/header'
import type { FileLayer } from '../durable/layer.ts'
import { toHash } from './commit.ts'
import { SpoolCorrupt } from './error.ts'
import { decodeCommit, decodeFrame, type Frame, frameTypes } from './frame.ts'
import { recordBytesMax } from './limits.ts'
import { decodePreamble, type Preamble } from './preamble.ts'
import { Misfit, readRecord, type SegmentRecord, verifyCommit } from './read-records.ts'
import { formatSegmentName, toSegmentName } from './segment-name.ts'
import { findLaterCommit, findNonZero, measureTail } from './tail.ts'
import { Window } from './window.ts'

export type { SegmentRecord } from './read-records.ts'

/** Where reading can go on: behind a commit. Plain JSON, to be kept by whoever reads in several goes. */
export interface SegmentCursor {
  /** Number of the segment, from 1. */
  segment: number
  /** Byte offset in it; 0 is before the preamble. */
  offset: number
  /** The head so far; null before the first commit. Null in a later segment: where that begins is for its first record to say. */
  head: StreamHead | null
  /** Set once the closing record was read: nothing may follow. */
  finished?: boolean
}

export interface ReadOptions {
  layer: FileLayer
  /** The spool folder. */
  directory: string
  streamId: string
  /** Default: the beginning. */
  from?: SegmentCursor
  /**
   * `live`: its process may be writing, so what lies behind the last commit says nothing yet. `dead`: it is a torn tail.
   * `closed`: there must be a closing record, and nothing but zeros behind it.
   */
  state: 'live' | 'dead' | 'closed'
  /** A head the stream is known to have had; another record there, or fewer records, is corruption. */
  expectedHead?: StreamHead
}

/** Records reach the reader only inside the commit that signs them. */
export type SegmentItem =
  | { type: 'preamble'; preamble: Preamble }
  | { type: 'commit'; records: SegmentRecord[]; head: StreamHead; signature: Uint8Array; cursor: SegmentCursor }
  /**
   * Last item. `finished`: the closing record was read. `tornBytes`: from the last commit to the last byte that is not
   * zero, never acknowledged; 0 while live.
   */
  | { type: 'end'; finished: boolean; tornBytes: number; cursor: SegmentCursor }

/** One segment being read. */
interface Reading {
  options: ReadOptions
  cursor: SegmentCursor
  preamble: Preamble
  window: Window
  /** Where no frame could be read any more, and why. */
  stop: { offset: number; why: string }
}

/**
 * Reads a stream from the cursor to its end. Strict: lengths, checksums, the chain, every signature, and that behind the
 * end there are only zeros. Throws SpoolCorrupt for whatever a crash of the writer cannot explain.
 */
export async function* readSegments(options: ReadOptions): AsyncGenerator<SegmentItem> {
  let cursor = options.from ?? { segment: 1, offset: 0, head: null }
  await verifyRow(options, cursor.segment)
  for (;;) {
    // The next segment is written to once all of this one is durable: asked first, the answer makes this one final.
    const isFinal = await isInUse(options, cursor.segment + 1)
    const window = await openWindow(options, cursor.segment)
    try {
      const { preamble, end } = await readPreamble(options, window, cursor.segment)
      yield { type: 'preamble', preamble }
      const start = { ...cursor, offset: Math.max(cursor.offset, end) }
      const reading: Reading = { options, window, preamble, cursor: start, stop: { offset: end, why: '' } }
      const tornBytes = yield* readSegment(reading, isFinal ? 'closed' : options.state)
      cursor = reading.cursor
      if (!isFinal) return yield toEnd(reading, tornBytes)
    } finally {
      await window.close()
    }
    cursor = { ...cursor, segment: cursor.segment + 1, offset: 0 }
  }
}

const nameOf = (options: ReadOptions, segment: number) => formatSegmentName({ streamId: options.streamId, segment })

function corrupt({ options, cursor }: Pick<Reading, 'options' | 'cursor'>, offset: number, why: string): SpoolCorrupt {
  return new SpoolCorrupt(nameOf(options, cursor.segment), offset, why)
}

/** Segments come in a row; one that is missing in the middle takes records with it. */
async function verifyRow(options: ReadOptions, from: number): Promise<void> {
  const present = new Set<number>()
  for (const file of await options.layer.list(options.directory)) {
    const name = toSegmentName(file)
    if (name?.streamId === options.streamId) present.add(name.segment)
  }
  for (let segment = from; segment <= Math.max(from, ...present); segment += 1) {
    if (!present.has(segment)) throw new SpoolCorrupt(nameOf(options, segment), 0, 'the segment is missing')
  }
}

async function openWindow(options: ReadOptions, segment: number): Promise<Window> {
  const name = nameOf(options, segment)
  const window = await Window.open(options.layer, join(options.directory, name))
  if (window === undefined) throw new SpoolCorrupt(name, 0, 'the segment is missing')
  return window
}

/** Segments get their names only with their preambles durable, so there is no torn preamble. */
async function readPreamble(options: ReadOptions, window: Window, segment: number) {
  const broken = (why: string) => new SpoolCorrupt(nameOf(options, segment), 0, why)
  const frame = await readFrame(window, 0)
  if (typeof frame === 'string' || frame.type !== frameTypes.preamble)
    throw broken(typeof frame === 'string' ? `no preamble: ${frame}` : 'no preamble')
  const preamble = decodePreamble(frame.payload)
  if (preamble === undefined) throw broken('the preamble is malformed, or its signature does not match')
  if (preamble.streamId !== options.streamId || preamble.segment !== segment)
    throw broken(`the preamble is that of segment ${preamble.segment} of stream ${preamble.streamId}`)
  return { preamble, end: frame.length }
}

/** The frame at the offset, or why there is none. */
async function readFrame(window: Window, offset: number): Promise<Frame | string> {
  let result = decodeFrame(await window.at(offset, 8), recordBytesMax)
  if (result.status === 'more') result = decodeFrame(await window.at(offset, result.length), recordBytesMax)
  if (result.status === 'more') result = decodeFrame(await window.at(offset, result.length), recordBytesMax)
  if (result.status === 'frame') return result.frame
  if (result.status === 'broken') return result.why
  return result.status === 'none' ? 'the frames end' : 'the file ends inside a frame'
}

/** Reads to the last whole commit and judges what stands behind it. Returns the bytes that a crash tore. */
async function* readSegment(reading: Reading, state: ReadOptions['state']): AsyncGenerator<SegmentItem, number> {
  for (;;) {
    const from = reading.cursor.offset
    yield* readCommits(reading)
    const damage = await findDamage(reading, state)
    if (damage === undefined) return state === 'dead' ? measureTail(reading.window, reading.cursor.offset) : 0
    // While it is written to, a segment read in several steps can show the new behind the old; read again, it cannot.
    if (state !== 'live' || reading.cursor.offset === from) throw damage
    reading.window.refresh()
  }
}

async function findDamage(reading: Reading, state: ReadOptions['state']): Promise<SpoolCorrupt | undefined> {
  const { window, preamble, cursor, stop } = reading
  if (cursor.head === null && preamble.segment === 1)
    return corrupt(reading, stop.offset, `no opening record: ${stop.why}`)
  if (state === 'closed' || cursor.finished) {
    const at = await findNonZero(window, cursor.offset)
    if (at === undefined) return undefined
    return corrupt(reading, Math.max(at, stop.offset), `behind the last commit is more than zeros: ${stop.why}`)
  }
  // The first commit of a later segment may be torn when the segments before it are acknowledged and deleted already.
  if (cursor.head === null) return undefined
  const known = { streamId: preamble.streamId, sensorKey: preamble.sensorKey, records: cursor.head.seq + 1 }
  const later = await findLaterCommit(window, cursor.offset, known)
  if (later === undefined) return undefined
  return corrupt(reading, stop.offset, `${stop.why}, though ${later.durableCount} records were durable once`)
}

/** Yields commits and moves the cursor behind each. Ends where no whole commit follows. */
async function* readCommits(reading: Reading): AsyncGenerator<SegmentItem> {
  for (let commit = await readCommit(reading); commit !== undefined; commit = await readCommit(reading)) {
    reading.cursor = commit.cursor
    yield commit
  }
}

async function readCommit(reading: Reading): Promise<Extract<SegmentItem, { type: 'commit' }> | undefined> {
  const { window, preamble, cursor } = reading
  const records: SegmentRecord[] = []
  let { offset, head } = cursor
  for (;;) {
    const frame = await readFrame(window, offset)
    if (typeof frame === 'string') {
      reading.stop = { offset, why: frame }
      return undefined
    }
    try {
      if (cursor.finished) throw new Misfit('the stream goes on behind its closing record')
      if (frame.type === frameTypes.commit) return endCommit(reading, frame, records, offset + frame.length)
      if (frame.type !== frameTypes.record) throw new Misfit('a second preamble')
      const record = readRecord(frame.payload, preamble, head)
      records.push(record)
      head = { streamId: preamble.streamId, seq: record.header.seq, hash: toHash(record.hash) }
      verifyExpected(reading.options.expectedHead, head)
    } catch (error) {
      throw error instanceof Misfit ? corrupt(reading, offset, error.message) : error
    }
    offset += frame.length
  }
}

function endCommit(reading: Reading, frame: Frame, records: SegmentRecord[], offset: number) {
  const commit = decodeCommit(frame.payload)
  if (commit === undefined) throw new Misfit('the commit is malformed')
  const head = verifyCommit(commit, records, reading.preamble)
  const last = records.at(-1)?.header
  const cursor: SegmentCursor = { segment: reading.cursor.segment, offset, head }
  if (last?.kind === 'stream' && last.detail.event === 'closed') cursor.finished = true
  return { type: 'commit' as const, records, head, signature: commit.signature, cursor }
}

function verifyExpected(expected: StreamHead | undefined, head: StreamHead): void {
  if (expected?.seq === head.seq && expected.hash !== head.hash)
    throw new Misfit(`record ${head.seq} is another than the one that was acknowledged`)
}

function toEnd(reading: Reading, tornBytes: number): SegmentItem {
  const { options, cursor, stop } = reading
  const finished = cursor.finished === true
  if (options.state === 'closed' && !finished) throw corrupt(reading, stop.offset, `no closing record: ${stop.why}`)
  const { expectedHead } = options
  if (expectedHead !== undefined && (cursor.head?.seq ?? -1) < expectedHead.seq)
    throw corrupt(reading, stop.offset, `ends at record ${cursor.head?.seq}, but had record ${expectedHead.seq}`)
  return { type: 'end', finished, tornBytes, cursor }
}

/** Whether a segment exists and anything was written to it behind its preamble. */
async function isInUse(options: ReadOptions, segment: number): Promise<boolean> {
  const window = await Window.open(options.layer, join(options.directory, nameOf(options, segment)))
  if (window === undefined) return false
  try {
    const { end } = await readPreamble(options, window, segment)
    return (await findNonZero(window, end)) !== undefined
  } finally {
    await window.close()
  }
}
