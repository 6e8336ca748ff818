import { toBase64 } from '../log/base64.ts'
import type { Sha256 } from '../record/crypto.ts'
import type { Envelope } from '../record/envelope.ts'
import type { Header, StreamHead, StreamHeader } from '../record/header.ts'
import type { Place, ProblemSink } from './problem.ts'
import { sameHash } from './same-hash.ts'
import { enterGenesis, type Sensors } from './sensors.ts'

/** What is remembered of one stream: a few hundred bytes, however long it is. */
export interface StreamState {
  readonly streamId: string
  seq: number
  hash: Uint8Array
  genesisHash: Uint8Array
  /** Raw Ed25519 key its genesis declared; undefined until then. */
  sensorKey: string | undefined
  signed: { readonly seq: number; readonly hash: Uint8Array; readonly signature: string } | undefined
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

/** One record with its place in the log (or in a spool, where there is no index). */
export interface StreamRecord {
  readonly header: Header
  readonly headerHash: Uint8Array
  readonly envelope: Pick<Envelope, 'signature'>
  /** Leaf index; left out for a record that is in a spool and in no log yet. */
  readonly index?: number
}

export interface StreamContext {
  readonly sha256: Sha256
  readonly problems: ProblemSink
}

/** Holds a record to its stream: seq contiguous from 0, `prev` the hash before it, genesis first, nothing after the end. */
export function followStream(streams: Streams, record: StreamRecord, context: StreamContext): void {
  const { header, headerHash, index } = record
  const place = { streamId: header.streamId, seq: header.seq, ...(index === undefined ? {} : { index }) }
  const state = streams.byId.get(header.streamId)
  if (state === undefined) openStream(streams, record, { place, ...context })
  else continueStream(state, record, { place, ...context })
  const now = state ?? streams.byId.get(header.streamId)
  if (now === undefined) return
  if (header.kind === 'stream') followStreamRecord(streams, now, { header, headerHash, place }, context)
  now.seq = header.seq
  now.hash = headerHash
  now.lastIndex = index
  const { signature } = record.envelope
  if (signature !== undefined) now.signed = { seq: header.seq, hash: headerHash, signature }
}

type At = StreamContext & { readonly place: Place }

function openStream(streams: Streams, { header, headerHash, index }: StreamRecord, { place, problems }: At): void {
  const isGenesis = header.kind === 'stream' && header.detail.event === 'opened'
  if (header.seq !== 0)
    problems.add('seq_broken', place, `stream begins with seq ${header.seq}: what is before it is gone`)
  // The epoch record is a stream of its own: the log's signature vouches for it, no sensor's.
  else if (!isGenesis && header.kind !== 'epoch')
    problems.add('genesis_missing', place, 'stream begins without its opening record')
  streams.byId.set(header.streamId, {
    streamId: header.streamId,
    seq: header.seq,
    hash: headerHash,
    genesisHash: headerHash,
    sensorKey: undefined,
    signed: undefined,
    closed: header.kind === 'epoch',
    lastIndex: index,
  })
}

function continueStream(state: StreamState, { header }: StreamRecord, { place, problems }: At): void {
  if (state.closed) problems.add('record_after_end', place, 'record after the one that closed the stream')
  if (header.seq !== state.seq + 1) {
    problems.add('seq_broken', place, `expected seq ${state.seq + 1} of the stream, found ${header.seq}`)
    return
  }
  if (header.prev !== undefined && sameHash(state.hash, header.prev)) return
  const evidence = { expected: toBase64(state.hash), found: header.prev ?? 'none' }
  problems.add('prev_broken', place, 'prev is not the hash of the record before', evidence)
}

interface Placed {
  header: StreamHeader
  headerHash: Uint8Array
  place: Place
}

function followStreamRecord(streams: Streams, state: StreamState, placed: Placed, context: StreamContext): void {
  const { header, place } = placed
  const { detail } = header
  if (detail.event === 'closed') state.closed = true
  if (detail.event === 'recovered') followRecovery(streams, detail.head, place, context)
  if (detail.event !== 'opened') return
  if (header.seq !== 0) context.problems.add('genesis_misplaced', place, 'stream is opened in its middle')
  state.sensorKey = detail.sensorKey
  state.genesisHash = placed.headerHash
  enterGenesis(streams.sensors, { streamId: header.streamId, detail, place }, context)
}

function followRecovery(streams: Streams, head: StreamHead, place: Place, { problems }: StreamContext): void {
  const state = streams.byId.get(head.streamId)
  const matches = state !== undefined && state.seq === head.seq && sameHash(state.hash, head.hash)
  if (!matches)
    problems.add('recovery_wrong', place, `recovered head of stream ${head.streamId} is not its last record`)
}
