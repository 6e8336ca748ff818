import { randomBytes } from 'node:crypto'
import type { Draft, StreamDetail, StreamHead } from '@affidavit/evidence/record/header'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import type { Sections } from '@affidavit/evidence/record/sections'
import { sealToX25519 } from '../crypto/seal-box.ts'
import type { AllocatedFile } from '../durable/append.ts'
import type { CollectorPublicKey, Home, SensorKey } from '../durable/home.ts'
import { HomeError } from '../durable/home-keys.ts'
import { type FileLayer, toSystemCode } from '../durable/layer.ts'
import { readBootId, readOwnProcess } from '../durable/process.ts'
import { createDirectory, sweepTemporaries } from '../durable/write.ts'
import { claimCounter, type StreamClaim, tryWriteClaim } from './claim.ts'
import { encodeGroup, toHash } from './commit.ts'
import { type SpoolError, toSpoolError } from './error.ts'
import { encodePreambleFrame } from './frame.ts'
import { openCallsMax, segmentBytesMax, spoolBytesMax } from './limits.ts'
import { encodePreamble } from './preamble.ts'
import { prepareRecord, type StreamFrom } from './prepare.ts'
import { allocateFirst, Segments } from './segments.ts'
import { StreamWriter } from './writer.ts'

/** Says that a record is durable, or (`recorded` false) that it was let pass under an open, durable gap. */
export interface Receipt {
  recorded: boolean
  /** Of the record; where it passed unrecorded, of the `gap` record that says so. */
  seq: number
  /** Header hash, 32 bytes; likewise. */
  hash: Uint8Array
}

export type CloseReason = 'exit' | 'signal' | 'idle' | 'error'

export interface StreamOptions {
  home: Home
  /** Default: the home's. */
  layer?: FileLayer
  /** Name and version of the program, for the opening record. */
  software: string
  /** Where a stream before this one ended, as far as this process knows better than the home folder. */
  knownHead?: StreamHead | undefined
  /** Bytes of all segments in the home at which new requests are refused. Default 4 GiB. */
  spoolBytesMax?: number
  /** Written bytes at which a stream goes on in a new segment. Default 64 MiB. */
  segmentBytesMax?: number
  /** Calls that may be open at a time; more are refused with `too_many_open`. Default 16,384. */
  openCallsMax?: number
}

export interface SpoolStream {
  readonly streamId: string
  /** The last record known to be durable. */
  readonly head: StreamHead
  /** Why the stream accepts nothing any more. */
  readonly failure: SpoolError | undefined
  /**
   * Resolves when the record is durable and signed. Rejects with SpoolError, or with RecordError where the draft makes no
   * valid header. A `requested` reserves room for its `completed`; a `completed` larger than that may be refused with
   * `record_too_large` and then be offered again, smaller.
   */
  append(draft: Draft, sections: Sections): Promise<Receipt>
  /** Writes the closing record; resolves when it is durable. Of a failed stream it only frees what it holds. */
  close(reason: CloseReason): Promise<void>
}

/**
 * Opens a new stream: takes the sensor's next counter, writes the opening record, durable when it resolves. Throws
 * SpoolError. A crash after the counter was taken leaves a claim without a head; one after the segment was created leaves
 * a stream of one record.
 */
export async function openStream(options: StreamOptions): Promise<SpoolStream> {
  const { home } = options
  const layer = options.layer ?? home.layer
  try {
    return await open(options, layer)
  } catch (error) {
    // A malformed key is nothing that waiting or another stream could change.
    throw error instanceof HomeError && error.cause === undefined ? error : toSpoolError(home.paths.spool, error)
  }
}

async function open(options: StreamOptions, layer: FileLayer): Promise<SpoolStream> {
  const { home } = options
  await createDirectory(layer, home.paths.spoolStreams)
  const [sensor, collector] = await Promise.all([home.sensorKey(), home.collectorPublicKey()])
  const { tenant, epoch } = home.identity
  const streamId = formatUuidV7(Date.now(), randomBytes(16))
  const from: StreamFrom = { tenant, epoch, streamId, bootId: readBootId(), secret: randomBytes(32) }
  const segmentsOptions = {
    layer,
    directory: home.paths.spool,
    streamId,
    preambleFrame: makePreambles(from, sensor, collector),
    segmentBytesMax: options.segmentBytesMax ?? segmentBytesMax,
    spoolBytesMax: options.spoolBytesMax ?? spoolBytesMax,
  }
  // Space comes before the counter, so that attempts on a full disk use up no counters.
  const space = await allocateFirst(segmentsOptions)
  const { claim, detail } = await takeCounter(options, layer, { sensor, streamId, space })
  const record = prepareRecord(from, { seq: 0, prev: undefined }, { kind: 'stream', detail }, {})
  const head: StreamHead = { streamId, seq: 0, hash: record.hash }
  const opening = encodeGroup([record], { head, durableCount: 0 }, sensor.privateKey)
  const segments = await Segments.begin(segmentsOptions, space, opening)
  // Beside the first records: what it adds to the evidence is in the segment already.
  const claimed = tryWriteClaim(layer, home.paths.spoolStreams, { ...claim, head })
  const onEnd = async (ended: 'closed' | 'abandoned', last: StreamHead) => {
    await claimed
    await tryWriteClaim(layer, home.paths.spoolStreams, { ...claim, head: last, ended })
  }
  void trySweep(layer, home.paths.spool)
  return new StreamWriter({
    from,
    path: home.paths.spool,
    segments,
    privateKey: sensor.privateKey,
    openCallsMax: options.openCallsMax ?? openCallsMax,
    head,
    onEnd,
  })
}

const staleMs = 60 * 60 * 1000

/** What crashed processes left takes up space and nothing else, so not being able to remove it changes nothing. */
async function trySweep(layer: FileLayer, directory: string): Promise<void> {
  try {
    await sweepTemporaries(layer, directory, staleMs)
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
  }
}

/** Preambles differ in the segment's number alone. */
function makePreambles(from: StreamFrom, sensor: SensorKey, collector: CollectorPublicKey) {
  const shared = {
    v: 1 as const,
    streamId: from.streamId,
    sensorId: sensor.sensorId,
    sensorKey: sensor.publicKey,
    collectorKeyId: collector.keyId,
    sealedSecret: sealToX25519(collector.publicKey, from.secret),
    process: readOwnProcess(),
  }
  return (segment: number) => encodePreambleFrame(encodePreamble({ ...shared, segment }, sensor.privateKey))
}

type Opened = Extract<StreamDetail, { event: 'opened' }>

async function takeCounter(
  { home, knownHead, software }: StreamOptions,
  layer: FileLayer,
  { sensor, streamId, space }: { sensor: SensorKey; streamId: string; space: AllocatedFile },
): Promise<{ claim: StreamClaim; detail: Opened }> {
  const { sensorId } = sensor
  const directory = home.paths.spoolStreams
  try {
    const { claim, previous } = await claimCounter(layer, directory, { sensorId, streamId })
    const last = previous === undefined ? undefined : await settle(layer, directory, { claim: previous, knownHead })
    const { counter } = claim
    const sensorKey = toHash(sensor.publicKey)
    return { claim, detail: { event: 'opened', sensorId, sensorKey, counter, previous: last ?? null, software } }
  } catch (error) {
    await space.discard()
    throw error
  }
}

/** Where the stream before ended, as far as it is known. One that this process saw fail is marked, now that writing works again. */
async function settle(
  layer: FileLayer,
  directory: string,
  { claim, knownHead }: { claim: StreamClaim; knownHead: StreamHead | undefined },
): Promise<StreamHead | undefined> {
  if (knownHead?.streamId !== claim.streamId) return claim.head
  if (claim.ended === undefined)
    await tryWriteClaim(layer, directory, { ...claim, head: knownHead, ended: 'abandoned' })
  return knownHead
}
