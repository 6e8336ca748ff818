import { join } from 'node:path'
import type { ProblemSink } from '@affidavit/evidence/verify/problem'
import { verifyHead } from '@affidavit/evidence/verify/sensors'
import type { Streams } from '@affidavit/evidence/verify/streams'
import type { HomePaths } from '@affidavit/sensor/durable/home-paths'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { isProcessDead } from '@affidavit/sensor/durable/process'
import { listClaims, type StreamClaim } from '@affidavit/sensor/spool/claim'
import { SpoolCorrupt } from '@affidavit/sensor/spool/error'
import { readSegments, type SegmentCursor, type SegmentItem } from '@affidavit/sensor/spool/read'
import { listSpooledStreams, startAt } from './backlog.ts'
import type { LeafCheck } from './verify-contents.ts'

/** A stream that has segments, as far as they can be believed. */
export interface SpooledStream {
  streamId: string
  /** First record there, and the hash it follows; those before it were shipped and their segments deleted. */
  firstSeq: number
  prev: string | undefined
  /** Header hashes from firstSeq on. */
  hashes: Uint8Array[]
  /** Key that its stream secret is sealed to. */
  collectorKeyId: string | undefined
  /** Ids of the correlation keys that its digests name. */
  digestKeys: Set<string>
  /** Written and never acknowledged: what a crash leaves. */
  tornBytes: number
}

export interface Spool {
  streams: Map<string, SpooledStream>
  claims: StreamClaim[]
}

/** Reads every segment and claim strictly; what is wrong with them alone is reported now, what the log says of them later. */
export async function readSpool(paths: HomePaths, problems: ProblemSink): Promise<Spool> {
  const { claims, malformed } = await listClaims(systemLayer, paths.spoolStreams)
  for (const name of malformed) {
    const path = `spool/streams/${name}`
    problems.add(
      'spool_altered',
      { path },
      `${path} is not what was written: it claims a stream's number and says how far it came`,
    )
  }
  const streams = new Map<string, SpooledStream>()
  for (const [streamId, segment] of await listSpooledStreams(paths.spool)) {
    const claim = claims.find((one) => one.streamId === streamId)
    // A stream takes its number before it writes anything.
    if (claim === undefined)
      problems.add(
        'spool_altered',
        { path: 'spool/streams', streamId },
        `the claim of stream ${streamId} is gone: its number could be used again`,
      )
    streams.set(streamId, await readStream(paths, { streamId, from: startAt(segment), claim, problems }))
  }
  return { streams, claims }
}

interface Reading {
  streamId: string
  from: SegmentCursor
  claim: StreamClaim | undefined
  problems: ProblemSink
}

async function readStream(paths: HomePaths, { streamId, from, claim, problems }: Reading): Promise<SpooledStream> {
  const read: SpooledStream = {
    streamId,
    firstSeq: 0,
    prev: undefined,
    hashes: [],
    collectorKeyId: undefined,
    digestKeys: new Set(),
    tornBytes: 0,
  }
  try {
    const state = await readState(paths, { streamId, from, claim })
    for await (const item of readSegments({ ...toOptions(paths, streamId, claim), from, state })) follow(read, item)
  } catch (error) {
    if (!(error instanceof SpoolCorrupt)) throw error
    const path = `spool/${error.segment}`
    problems.add(
      'spool_altered',
      { path, streamId, seq: read.firstSeq + read.hashes.length },
      `${path}, byte ${error.offset}: ${error.why}`,
    )
  }
  return read
}

function toOptions(paths: HomePaths, streamId: string, claim: StreamClaim | undefined) {
  const expected = claim?.head === undefined ? {} : { expectedHead: claim.head }
  return { layer: systemLayer, directory: paths.spool, streamId, ...expected }
}

function follow(read: SpooledStream, item: SegmentItem): void {
  if (item.type === 'preamble') read.collectorKeyId = item.preamble.collectorKeyId
  if (item.type === 'commit') {
    const [first] = item.records
    if (read.hashes.length === 0 && first !== undefined) {
      read.firstSeq = first.header.seq
      read.prev = first.header.prev
    }
    for (const { hash, header } of item.records) {
      read.hashes.push(hash)
      if ('stage' in header && header.stage === 'requested') read.digestKeys.add(header.requestIdDigest.slice(0, 8))
    }
  }
  if (item.type === 'end') read.tornBytes = item.tornBytes
}

/** Nothing may follow where a claim says that the stream was closed, nor where its process is gone. */
async function readState(
  paths: HomePaths,
  { streamId, from, claim }: Omit<Reading, 'problems'>,
): Promise<'live' | 'dead' | 'closed'> {
  if (claim?.ended === 'closed') return 'closed'
  for await (const item of readSegments({
    layer: systemLayer,
    directory: paths.spool,
    streamId,
    from,
    state: 'live',
  })) {
    if (item.type === 'preamble') return isProcessDead(item.preamble.process) ? 'dead' : 'live'
  }
  return 'dead'
}

/** Last record of a stream that is in the spool; undefined where none is. */
export function lastSpooled(spool: Spool, streamId: string): number | undefined {
  const stream = spool.streams.get(streamId)
  return stream === undefined || stream.hashes.length === 0 ? undefined : stream.firstSeq + stream.hashes.length - 1
}

/** Whether some claim says that a stream came further than what lies in the spool: the rest must have been shipped. */
export function wasShipped(spool: Spool): boolean {
  return spool.claims.some(({ streamId, head }) => {
    if (head === undefined) return false
    const isFromStart = spool.streams.get(streamId)?.firstSeq === 0
    return !isFromStart || (lastSpooled(spool, streamId) ?? -1) < head.seq
  })
}

/** Header hashes by stream, from firstSeq on. */
export type SpooledHashes = ReadonlyMap<string, { firstSeq: number; hashes: readonly Uint8Array[] }>

/** Compares spooled records with those the log has of the same streams, as it goes by. */
export function createSpoolCheck(spooled: SpooledHashes, problems: ProblemSink): LeafCheck {
  return {
    follow: ({ leaves }) => {
      if (spooled.size === 0) return
      for (const { leaf, header, headerHash } of leaves) {
        const stream = spooled.get(header.streamId)
        const expected = stream?.hashes[header.seq - stream.firstSeq]
        if (expected === undefined || Buffer.compare(expected, headerHash) === 0) continue
        const place = {
          index: leaf,
          streamId: header.streamId,
          seq: header.seq,
          path: join('spool', `${header.streamId}-*.seg`),
        }
        problems.add(
          'spool_altered',
          place,
          `record ${header.seq} of stream ${header.streamId} is another one in the spool than in the log`,
        )
      }
    },
    end: () => undefined,
  }
}

export interface ClaimCheck {
  spool: Spool
  streams: Streams
  epoch: 'first' | 'later'
  /** Last record of a stream that is sequenced, also where no checkpoint covers it yet. */
  findPending(streamId: string): number | undefined
  problems: ProblemSink
}

/**
 * Every stream that a claim names is in the log or waits in the spool, as far as the claim knows; and every stream of the
 * log has its claim. Claims are not signed: they catch what was deleted, they prove nothing by themselves.
 */
export function verifyClaims({ spool, streams, epoch, findPending, problems }: ClaimCheck): void {
  const findSpooled = (streamId: string) => lastSpooled(spool, streamId) ?? findPending(streamId)
  const check = { findHead: (streamId: string) => streams.byId.get(streamId), findSpooled, epoch, problems }
  for (const { head, streamId, sensorId, counter, ended } of spool.claims) {
    const path = `spool/streams/${sensorId}-${String(counter).padStart(10, '0')}.json`
    if (head !== undefined) verifyHead(check, head, { path, streamId })
    const last = streams.byId.get(streamId)?.seq ?? -1
    if (ended === 'closed' && head !== undefined && last > head.seq)
      problems.add(
        'spool_altered',
        { path, streamId },
        `${path} says the stream ended at ${head.seq}, the log has record ${last}`,
      )
  }
  verifyClaimed(spool, streams, problems)
  verifyJoints(spool, streams, problems)
}

/** What the spool has of a stream goes on where the log ends, or before. */
function verifyJoints(spool: Spool, streams: Streams, problems: ProblemSink): void {
  for (const { streamId, firstSeq, prev, hashes } of spool.streams.values()) {
    const last = streams.byId.get(streamId)
    if (hashes.length === 0 || firstSeq === 0) continue
    const follows = last !== undefined && Buffer.from(last.hash).toString('base64') === prev
    if (last === undefined || firstSeq > last.seq + 1)
      problems.add(
        'spool_altered',
        { streamId, seq: firstSeq },
        `records of stream ${streamId} before ${firstSeq} are in neither spool nor log`,
      )
    else if (firstSeq === last.seq + 1 && !follows)
      problems.add(
        'spool_altered',
        { streamId, seq: firstSeq },
        `record ${firstSeq} of stream ${streamId} does not follow the one in the log`,
      )
  }
}

function verifyClaimed({ claims }: Spool, { sensors }: Streams, problems: ProblemSink): void {
  const claimed = new Set(claims.map(({ sensorId, counter, streamId }) => `${sensorId}-${counter}-${streamId}`))
  for (const [sensorId, { byCounter }] of sensors)
    for (const [counter, { streamId }] of byCounter) {
      if (claimed.has(`${sensorId}-${counter}-${streamId}`)) continue
      const path = `spool/streams/${sensorId}-${String(counter).padStart(10, '0')}.json`
      problems.add(
        'spool_altered',
        { path, streamId },
        `${path} is gone, or names another stream than the log: its number could be used again`,
      )
    }
}

/** Acknowledged records that no checkpoint covers. */
export function countUnsequencedRecords(spool: Spool, streams: Streams | undefined): number {
  let count = 0
  for (const streamId of spool.streams.keys())
    count += Math.max(0, (lastSpooled(spool, streamId) ?? -1) - (streams?.byId.get(streamId)?.seq ?? -1))
  return count
}
