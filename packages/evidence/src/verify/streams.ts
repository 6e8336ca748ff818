import { toBase64 } from '../log/base64.ts'
import { hashBytes } from '../log/hash.ts'
import type { Sha256 } from '../record/crypto.ts'
import type { StreamHead, StreamHeader } from '../record/header.ts'
import type { Link } from './link.ts'
import type { Place, ProblemSink } from './problem.ts'
import { sameHash } from './same-hash.ts'
import { enterGenesis, type Sensors } from './sensors.ts'

/**
 * What is remembered of one stream: a few hundred bytes, however long it is. Hashes are copied into its own arrays, since
 * those that come with a record may share memory with thousands of others and would keep it alive.
 */
export interface StreamState {
  readonly streamId: string
  seq: number
  readonly hash: Uint8Array
  readonly genesisHash: Uint8Array
  /** Raw Ed25519 key its genesis declared; undefined until then. */
  sensorKey: string | undefined
  /** Last signed record; the signature is base64 in ASCII. */
  signed: { seq: number; readonly hash: Uint8Array; readonly signature: Uint8Array } | undefined
  closed: boolean
  /** Leaf index of its last record; undefined where that came from a spool. */
  lastIndex: number | undefined
}

export interface Streams {
  readonly byId: Map<string, StreamState>
  readonly sensors: Sensors
}

export function createStreams(): Streams {
  return { byId: new Map(), sensors: new Map() }
}

export interface StreamContext {
  readonly sha256: Sha256
  readonly problems: ProblemSink
  /** Leaf index; left out for a record that is in a spool and in no log yet. */
  readonly index?: number
}

export function placeOf({ streamId, seq }: Link, index: number | undefined): Place {
  return { streamId, seq, ...(index === undefined ? {} : { index }) }
}

/** Holds a record to its stream: seq contiguous from 0, `prev` the hash before it, genesis first, nothing after the end. */
export function followStream(streams: Streams, link: Link, context: StreamContext): void {
  const known = streams.byId.get(link.streamId)
  const state = known ?? openStream(streams, link, context)
  if (known !== undefined) continueStream(known, link, context)
  if (link.header?.kind === 'stream') followStreamRecord(streams, state, { link, header: link.header }, context)
  state.seq = link.seq
  state.hash.set(link.headerHash)
  state.lastIndex = context.index
  if (link.signature !== undefined) keepSignature(state, link.signature)
}

function keepSignature(state: StreamState, signature: Uint8Array): void {
  state.signed ??= { seq: state.seq, hash: new Uint8Array(hashBytes), signature: new Uint8Array(signature.length) }
  state.signed.seq = state.seq
  state.signed.hash.set(state.hash)
  state.signed.signature.set(signature)
}

function openStream(streams: Streams, link: Link, { problems, index }: StreamContext): StreamState {
  const { header, headerHash, seq, streamId } = link
  const isGenesis = header?.kind === 'stream' && header.detail.event === 'opened'
  if (seq !== 0) {
    const message = `stream begins with seq ${seq}: what is before it is gone`
    problems.add('seq_broken', placeOf(link, index), message)
  }
  // The epoch record is a stream of its own: the log's signature vouches for it, no sensor's.
  else if (!isGenesis && header?.kind !== 'epoch')
    problems.add('genesis_missing', placeOf(link, index), 'stream begins without its opening record')
  const state = {
    streamId,
    seq,
    hash: headerHash.slice(),
    genesisHash: headerHash.slice(),
    sensorKey: undefined,
    signed: undefined,
    closed: header?.kind === 'epoch',
    lastIndex: index,
  }
  streams.byId.set(streamId, state)
  return state
}

function continueStream(state: StreamState, link: Link, { problems, index }: StreamContext): void {
  if (state.closed)
    problems.add('record_after_end', placeOf(link, index), 'record after the one that closed the stream')
  if (link.seq !== state.seq + 1) {
    const message = `expected seq ${state.seq + 1} of the stream, found ${link.seq}`
    problems.add('seq_broken', placeOf(link, index), message)
    return
  }
  if (link.prev !== undefined && sameHash(state.hash, link.prev)) return
  const evidence = { expected: toBase64(state.hash), found: new TextDecoder().decode(link.prev) }
  problems.add('prev_broken', placeOf(link, index), 'prev is not the hash of the record before', evidence)
}

interface StreamRecord {
  readonly link: Link
  readonly header: StreamHeader
}

function followStreamRecord(
  streams: Streams,
  state: StreamState,
  { link, header: { detail } }: StreamRecord,
  context: StreamContext,
): void {
  const place = placeOf(link, context.index)
  if (detail.event === 'closed') state.closed = true
  if (detail.event === 'recovered') followRecovery(streams, detail.head, place, context)
  if (detail.event !== 'opened') return
  if (link.seq !== 0) context.problems.add('genesis_misplaced', place, 'stream is opened in its middle')
  state.sensorKey = detail.sensorKey
  state.genesisHash.set(link.headerHash)
  enterGenesis(streams.sensors, { streamId: link.streamId, detail, place }, context)
}

function followRecovery(streams: Streams, head: StreamHead, place: Place, { problems }: StreamContext): void {
  const state = streams.byId.get(head.streamId)
  const matches = state !== undefined && state.seq === head.seq && toBase64(state.hash) === head.hash
  if (!matches)
    problems.add('recovery_wrong', place, `recovered head of stream ${head.streamId} is not its last record`)
}
