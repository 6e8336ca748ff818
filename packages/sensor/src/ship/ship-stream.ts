import { join } from 'node:path'
import type { StreamHead } from '@affidavit/evidence/record/header'
import type { SealedStreamSecret } from '@affidavit/evidence/wire/batch'
import type { FileLayer } from '../durable/layer.ts'
import { isProcessDead, type ProcessRef } from '../durable/process.ts'
import { SpoolCorrupt } from '../spool/error.ts'
import { readSegments, type SegmentCursor } from '../spool/read.ts'
import { formatSegmentName } from '../spool/segment-name.ts'
import { createBatcher } from './batcher.ts'
import { openLane } from './lane.ts'
import type { ShipTarget } from './target.ts'

/** What a shipper remembers of a stream between two passes, so that nothing is read twice. */
export interface StreamProgress {
  readonly streamId: string
  /** Behind the last acknowledged commit; undefined before the first pass. */
  cursor?: SegmentCursor
  writer?: ProcessRef | undefined
  /** Read to its end, with nothing to do before its process writes or dies. */
  isLive?: boolean
  attempts: number
  /** Not before this time (milliseconds since 1970) after a `retry`. */
  notBeforeMs: number
}

/**
 * - `live`: its process may write more. `waiting`: the collector asked for patience.
 * - `dead`: everything its process signed is at the collector, and it will write no more; the head is where it ended.
 * - `done`: closed or recovered, its segments are deleted. `refused`: quarantined, its segments stay.
 */
export type StreamOutcome =
  | { status: 'live' | 'done' }
  | { status: 'waiting' | 'refused' }
  | { status: 'dead'; head: StreamHead | null; tornBytes: number }

export interface ShipContext {
  layer: FileLayer
  /** The spool folder. */
  directory: string
  target: ShipTarget
  now(): number
  random(): number
}

/** Brings one stream as far as it goes. `segments`: the numbers of its files, ascending. */
export async function shipStream(
  context: ShipContext,
  progress: StreamProgress,
  segments: readonly number[],
): Promise<StreamOutcome> {
  const { target, now } = context
  if (now() < progress.notBeforeMs) return { status: 'waiting' }
  const position = await target.position(progress.streamId)
  if (position?.standing === 'refused') return { status: 'refused' }
  if (position?.standing === 'ended') return finish(context, progress.streamId, segments)
  try {
    return await readAndSubmit(context, progress, { nextSeq: position?.nextSeq ?? 0, segments })
  } catch (error) {
    if (!(error instanceof SpoolCorrupt)) throw error
    // What was signed and read before the damage has been submitted; nothing behind it can be believed.
    const seq = (await target.position(progress.streamId))?.nextSeq ?? 0
    await target.refuse(progress.streamId, { code: 'segment_corrupt', reason: error.message, seq })
    return { status: 'refused' }
  }
}

export function isWaitingForWriter({ isLive, writer }: StreamProgress): boolean {
  return isLive === true && writer !== undefined && !isProcessDead(writer)
}

interface Start {
  nextSeq: number
  segments: readonly number[]
}

async function readAndSubmit(context: ShipContext, progress: StreamProgress, start: Start): Promise<StreamOutcome> {
  const { layer, directory } = context
  const { streamId } = progress
  progress.isLive = false
  const first = start.segments[0] ?? 1
  const from = progress.cursor ?? { segment: first, offset: 0, head: null }
  progress.writer ??= await readWriter(context, streamId, from)
  // Asked before reading: what a process wrote before it was seen dead is all there will ever be.
  const state = progress.writer !== undefined && isProcessDead(progress.writer) ? 'dead' : 'live'
  const batcher = createBatcher(streamId, start.nextSeq)
  const lane = openLane(context, progress)
  let secret: SealedStreamSecret | undefined
  try {
    for await (const item of readSegments({ layer, directory, streamId, state, from })) {
      if (item.type === 'preamble') {
        const { collectorKeyId, sealedSecret } = item.preamble
        secret = { keyId: collectorKeyId, sealed: sealedSecret }
      } else if (item.type === 'commit' && secret !== undefined) {
        const stopped = await lane.send(batcher.add(item, secret))
        if (stopped !== undefined) return stopped
      } else if (item.type === 'end') {
        const stopped = (await lane.send(batcher.flush())) ?? (await lane.settle())
        if (stopped !== undefined) return stopped
        progress.cursor = item.cursor
        if (item.finished) return finish(context, streamId, start.segments)
        await removeBelow(context, streamId, start.segments, item.cursor.segment)
        if (state === 'dead') return { status: 'dead', head: item.cursor.head, tornBytes: item.tornBytes }
        progress.isLive = true
        return { status: 'live' }
      }
    }
  } catch (error) {
    if (error instanceof SpoolCorrupt) await lane.send(batcher.flush())
    await lane.settle()
    throw error
  }
  return { status: 'live' }
}

async function readWriter({ layer, directory }: ShipContext, streamId: string, from: SegmentCursor) {
  for await (const item of readSegments({ layer, directory, streamId, state: 'live', from }))
    return item.type === 'preamble' ? item.preamble.process : undefined
  return undefined
}

/** Everything of the stream is at the collector and nothing more will come: its secret goes with its segments. */
async function finish(context: ShipContext, streamId: string, segments: readonly number[]): Promise<StreamOutcome> {
  await removeBelow(context, streamId, segments, Number.POSITIVE_INFINITY)
  return { status: 'done' }
}

/**
 * Deletes acknowledged segments, the oldest first, so that what a crash leaves is again a row without holes. Need not be
 * durable: a segment that comes back is read, found to be known, and deleted again.
 */
async function removeBelow(
  { layer, directory }: ShipContext,
  streamId: string,
  segments: readonly number[],
  end: number,
): Promise<void> {
  for (const segment of segments)
    if (segment < end) await layer.unlink(join(directory, formatSegmentName({ streamId, segment })))
}
