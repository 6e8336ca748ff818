import type { StreamHead } from '@affidavit/evidence/record/header'
import type { Home } from '@affidavit/sensor/durable/home'
import { type FileLayer, systemLayer } from '@affidavit/sensor/durable/layer'
import { SpoolCorrupt } from '@affidavit/sensor/spool/error'
import { readSegments, type SegmentCursor } from '@affidavit/sensor/spool/read'
import { toSegmentName } from '@affidavit/sensor/spool/segment-name'
import type { SequenceReader } from '../store/contract.ts'

/** What a stream in the spool has acknowledged to its callers, beside how far it is in the log. */
export interface StreamBacklog {
  streamId: string
  /** Null before the first signed commit. */
  head: StreamHead | null
  /** Everything below is sequenced. */
  nextSeq: number
  /** The collector refused it: a person must look, waiting does not help. */
  refused: boolean
  /** Set where the segments cannot be read to their end. */
  corrupt?: SpoolCorrupt
}

/** Streams that have segments in this spool folder and the number of the first one, in the order of their opening. */
export async function listSpooledStreams(
  directory: string,
  layer: FileLayer = systemLayer,
): Promise<Map<string, number>> {
  const streams = new Map<string, number>()
  // Names sort by stream, which is by time, and then by number.
  for (const name of (await layer.list(directory)).sort()) {
    const segment = toSegmentName(name)
    if (segment !== undefined && !streams.has(segment.streamId)) streams.set(segment.streamId, segment.segment)
  }
  return streams
}

/** Where reading a stream begins: segments that were shipped whole are deleted while their stream goes on. */
export function startAt(segment: number): SegmentCursor {
  return { segment, offset: 0, head: null }
}

/** One answer per stream in the spool. Reads every segment. */
export async function readBacklog(home: Home, store: SequenceReader | undefined): Promise<StreamBacklog[]> {
  const backlog: StreamBacklog[] = []
  for (const [streamId, segment] of await listSpooledStreams(home.paths.spool, home.layer)) {
    const state = await store?.readStream(streamId)
    const read = await readStanding(home, streamId, segment)
    if (read !== 'shipped')
      backlog.push({ streamId, nextSeq: state?.nextSeq ?? 0, refused: state?.standing === 'refused', ...read })
  }
  return backlog
}

/** The collector deletes segments from the first one on, also while they are read here: that is no damage. */
async function readStanding(home: Home, streamId: string, segment: number): Promise<Acknowledged | 'shipped'> {
  const read = await readAcknowledged(home, streamId, startAt(segment))
  if (read.corrupt === undefined) return read
  const first = (await listSpooledStreams(home.paths.spool, home.layer)).get(streamId)
  if (first === undefined) return 'shipped'
  return first === segment ? read : readStanding(home, streamId, first)
}

interface Acknowledged {
  head: StreamHead | null
  corrupt?: SpoolCorrupt
}

/** Records that were acknowledged and are not in the log. */
export function countUnsequenced({ head, nextSeq }: StreamBacklog): number {
  return head === null ? 0 : Math.max(0, head.seq + 1 - nextSeq)
}

async function readAcknowledged({ layer, paths }: Home, streamId: string, from: SegmentCursor): Promise<Acknowledged> {
  let head: StreamHead | null = null
  try {
    // `live`: whether its process still writes does not matter here, only what it has signed.
    for await (const item of readSegments({ layer, directory: paths.spool, streamId, state: 'live', from })) {
      if (item.type === 'commit') head = item.head
    }
  } catch (error) {
    if (error instanceof SpoolCorrupt) return { head, corrupt: error }
    throw error
  }
  return { head }
}
