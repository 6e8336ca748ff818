import { toSegmentName } from '../spool/segment-name.ts'
import {
  isWaitingForWriter,
  type ShipContext,
  type StreamOutcome,
  type StreamProgress,
  shipStream,
} from './ship-stream.ts'

export interface SpoolPass {
  /** One outcome per stream that has segments. */
  streams: Map<string, StreamOutcome>
  /** When the first stream that waits may go on, milliseconds since 1970; undefined where none waits. */
  retryAtMs: number | undefined
}

/**
 * `all`: reads every stream. `liveness`: for when nothing seems to have changed; of streams that were alive before it only
 * asks whether their processes still are, which costs no reading.
 */
export type PassDepth = 'all' | 'liveness'

export interface Shipper {
  /**
   * Brings every stream in the spool as far as it goes, one after the other in the order in which they were opened: a
   * process whose stream failed completes its calls on the next one, and nothing may arrive before what it refers to.
   */
  pass(depth?: PassDepth): Promise<SpoolPass>
}

/** Ships the segments of one spool folder. Rejects where the collector failed or the folder cannot be read. */
export function createShipper(context: ShipContext): Shipper {
  const known = new Map<string, StreamProgress>()
  return {
    pass: async (depth = 'all') => {
      const segments = await listSegments(context)
      for (const streamId of known.keys()) if (!segments.has(streamId)) known.delete(streamId)
      const streams = new Map<string, StreamOutcome>()
      for (const [streamId, numbers] of segments) {
        const progress = known.get(streamId) ?? { streamId, attempts: 0, notBeforeMs: 0 }
        known.set(streamId, progress)
        const isQuiet = depth === 'liveness' && isWaitingForWriter(progress)
        streams.set(streamId, isQuiet ? { status: 'live' } : await shipStream(context, progress, numbers))
      }
      return { streams, retryAtMs: nextRetry(known, streams) }
    },
  }
}

function nextRetry(known: Map<string, StreamProgress>, streams: SpoolPass['streams']): number | undefined {
  const waiting = [...streams].filter(([, { status }]) => status === 'waiting')
  const times = waiting.map(([streamId]) => known.get(streamId)?.notBeforeMs ?? 0)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Segment numbers by stream, ascending; streams in the order in which they were opened. */
export async function listSegments({ layer, directory }: Pick<ShipContext, 'layer' | 'directory'>) {
  const streams = new Map<string, number[]>()
  for (const file of (await layer.list(directory)).sort()) {
    const name = toSegmentName(file)
    if (name === undefined) continue
    const numbers = streams.get(name.streamId)
    if (numbers === undefined) streams.set(name.streamId, [name.segment])
    else numbers.push(name.segment)
  }
  return streams
}
