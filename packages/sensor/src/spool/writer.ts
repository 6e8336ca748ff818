import type { KeyObject } from 'node:crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import type { Draft, StreamHead } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import { toSystemCode } from '../durable/layer.ts'
import { encodeGroup, fromHash } from './commit.ts'
import { SpoolError, toSpoolError } from './error.ts'
import { Gathering } from './gathering.ts'
import { commitBytesMax, completedBytesMax, fullRetryMs, recordBytesMax } from './limits.ts'
import type { Offer, Queued } from './offer.ts'
import { type Place, type PreparedRecord, prepareRecord, type StreamFrom } from './prepare.ts'
import { admit, carriedBytes, emptyRoom, fits, isReserved, verifyMayOpen } from './room.ts'
import type { Segments } from './segments.ts'
import type { CloseReason, Receipt, SpoolStream } from './stream.ts'

export interface WriterOptions {
  from: StreamFrom
  /** Names the stream in errors. */
  path: string
  segments: Segments
  privateKey: KeyObject
  openCallsMax: number
  /** The opening record, durable with the first segment. */
  head: StreamHead
  /** Called once, when the stream has ended, with its head; its failures are the writer's. */
  onEnd: (ended: 'closed' | 'abandoned', head: StreamHead) => Promise<void>
}

/**
 * Group commit over the segments of one stream. Records that were offered in one turn of the event loop get their places,
 * hashes and frames together in the next: code and tables stay in the processor's caches, which makes it half as much work.
 * All that is queued when a descriptor is free goes out as one write and one sync, signed over the head. Receipts come in
 * order. After a failure nothing is accepted any more: the caller opens another stream.
 */
export class StreamWriter implements SpoolStream {
  readonly streamId: string
  readonly #options: WriterOptions
  readonly #segments: Segments
  readonly #room = emptyRoom()
  #place: Place
  #head: StreamHead
  #offered: Offer[] = []
  #queue: Queued[] = []
  #waiting: Offer[] = []
  #failure: SpoolError | undefined
  #ended: Promise<void> | undefined
  #growing = false
  #grown: Promise<void> = Promise.resolve()
  #flushing = false
  readonly #gathering = new Gathering()
  /** Room was refused to a record; until allocation succeeds, only what is reserved is accepted. */
  #full = false
  #refusedAtMs = Number.NEGATIVE_INFINITY
  #refusal = ''

  constructor(options: WriterOptions) {
    this.#options = options
    this.#segments = options.segments
    this.streamId = options.from.streamId
    this.#head = options.head
    this.#place = { seq: options.head.seq + 1, prev: options.head.hash }
    options.segments.onReady(() => this.#flushSoon())
  }

  get head(): StreamHead {
    return this.#head
  }

  get failure(): SpoolError | undefined {
    return this.#failure
  }

  append(draft: Draft, sections: Sections): Promise<Receipt> {
    if (this.#ended !== undefined && this.#failure === undefined)
      return Promise.reject(new SpoolError('spool_closed', `${this.#options.path} was closed`))
    return this.#offer(draft, sections)
  }

  #offer(draft: Draft, sections: Sections): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#offered.push({ draft, sections, bytes: 0, resolve, reject })
      this.#flushSoon()
    })
  }

  #admitOffered(): void {
    for (const offer of this.#offered.splice(0)) if (!this.#admit(offer)) this.#wait(offer)
  }

  /** False where there is no room now. An offer that can never be a record is rejected here, and thereby dealt with. */
  #admit(offer: Offer): boolean {
    const { draft, resolve, reject } = offer
    const prepared = this.#prepare(offer)
    if (prepared === undefined) return true
    offer.bytes = prepared.bytes
    const queues = this.#full || (this.#waiting.length > 0 && this.#waiting[0] !== offer)
    if (queues && !isReserved(this.#room, draft, prepared.bytes)) return false
    if (!fits(this.#room, this.#segments.roomBytes, draft, prepared.bytes)) return false
    admit(this.#room, draft, prepared.bytes)
    const { seq } = this.#place
    this.#queue.push({ record: prepared, seq, resolve, reject })
    this.#place = { seq: seq + 1, prev: prepared.hash }
    this.#growAhead()
    return true
  }

  #prepare({ draft, sections, reject }: Offer): PreparedRecord | undefined {
    try {
      verifyMayOpen(this.#room, draft, this.#options.openCallsMax)
      const prepared = prepareRecord(this.#options.from, this.#place, draft, sections)
      if (prepared.bytes <= recordBytesMax) return prepared
      reject(new SpoolError('record_too_large', `a record of ${prepared.bytes} bytes, at most ${recordBytesMax}`))
    } catch (error) {
      const large = error instanceof RecordError && error.code === 'too_large'
      reject(large ? new SpoolError('record_too_large', error.message, { cause: error }) : error)
    }
    return undefined
  }

  #wait(offer: Offer): void {
    if (this.#refusedLately) {
      this.#full = true
      offer.reject(this.#pushback(offer))
      return
    }
    this.#waiting.push(offer)
    this.#grow()
  }

  get #refusedLately(): boolean {
    return performance.now() - this.#refusedAtMs < fullRetryMs
  }

  /** A `completed` has its own room, so what found none is larger than that and may be offered again, smaller. */
  #pushback({ draft, bytes }: Offer): SpoolError {
    if ('stage' in draft && draft.stage === 'completed')
      return new SpoolError(
        'record_too_large',
        `${bytes} bytes; ${completedBytesMax} are reserved and no more are free`,
      )
    return new SpoolError('spool_full', this.#refusal)
  }

  #growAhead(): void {
    const carried = carriedBytes(this.#room)
    if (this.#ended !== undefined || this.#segments.roomBytes - carried >= this.#segments.lowWaterBytes) return
    if (!this.#refusedLately && !this.#segments.takesOver(carried)) this.#grow()
  }

  #grow(): void {
    if (this.#growing || this.#failure !== undefined) return
    this.#growing = true
    const carried = carriedBytes(this.#room)
    const lacking = (this.#waiting[0]?.bytes ?? 0) + completedBytesMax + carried - this.#segments.roomBytes
    this.#grown = this.#segments
      .grow(lacking, carried)
      .then(
        () => this.#onGrown(),
        (error: unknown) => this.#onRefused(error),
      )
      .catch((error: unknown) => this.#fail(error))
  }

  #onGrown(): void {
    this.#growing = false
    this.#full = false
    this.#refusedAtMs = Number.NEGATIVE_INFINITY
    this.#flushSoon()
    this.#admitWaiting()
  }

  #onRefused(error: unknown): void {
    this.#growing = false
    const refused = toSpoolError(this.#options.path, error)
    if (refused.code !== 'spool_full') {
      this.#fail(error)
      return
    }
    this.#refusedAtMs = performance.now()
    this.#refusal = refused.message
    if (this.#waiting.length > 0) this.#full = true
    for (const offer of this.#waiting.splice(0)) offer.reject(this.#pushback(offer))
  }

  #admitWaiting(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#admit(first)) break
      this.#waiting.shift()
    }
    if (this.#waiting.length > 0 && !this.#segments.takesOver(carriedBytes(this.#room))) this.#grow()
  }

  /** In the next turn of the event loop, so that records that arrived in this one share a commit. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (this.#failure !== undefined) return
    const brought = this.#offered.length
    this.#admitOffered()
    if (this.#gathering.goesOn(brought)) {
      this.#flushSoon()
      return
    }
    if (this.#segments.takesOver(carriedBytes(this.#room))) {
      // The old segment drains first; the last commit that settles comes back here.
      if (this.#segments.inFlight > 0) return
      this.#segments.takeOver().catch((error: unknown) => this.#fail(error))
      this.#admitWaiting()
    }
    while (this.#queue.length > 0 && this.#segments.ready) this.#commit(this.#takeGroup())
  }

  #takeGroup(): Queued[] {
    let bytes = 0
    const over = this.#queue.findIndex((queued) => {
      bytes += queued.record.bytes
      return bytes > commitBytesMax
    })
    const group = this.#queue.splice(0, over < 0 ? this.#queue.length : Math.max(1, over))
    for (const queued of group) this.#room.queuedBytes -= queued.record.bytes
    return group
  }

  #commit(group: Queued[]): void {
    const last = group.at(-1)
    if (last === undefined) return
    const head = { streamId: this.streamId, seq: last.seq, hash: last.record.hash }
    // Receipts come in order, so all up to the present head is durable.
    const commit = { head, durableCount: this.#head.seq + 1 }
    const bytes = encodeGroup(
      group.map(({ record }) => record),
      commit,
      this.#options.privateKey,
    )
    this.#segments.append(bytes).then(
      () => this.#onDurable(group, head),
      (error: unknown) => {
        this.#fail(error)
        for (const { reject } of group) reject(this.#failure)
      },
    )
  }

  #onDurable(group: Queued[], head: StreamHead): void {
    this.#head = head
    for (const { resolve, seq, record } of group) resolve({ recorded: true, seq, hash: fromHash(record.hash) })
    this.#flushSoon()
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    const failure = toSpoolError(this.#options.path, error)
    this.#failure = failure
    const left = [...this.#queue.splice(0), ...this.#waiting.splice(0), ...this.#offered.splice(0)]
    for (const { reject } of left) reject(failure)
    this.#ended ??= this.#abandon()
  }

  /** Closing what failed may fail as well: there is nothing left to lose, and the failure was told. */
  async #abandon(): Promise<void> {
    try {
      await this.#end('abandoned')
    } catch (error) {
      if (toSystemCode(error) === undefined) throw error
    }
  }

  /** The claim is written after what is in flight has settled, since the head may still move. */
  async #end(ended: 'closed' | 'abandoned'): Promise<void> {
    this.#segments.stopGrowing()
    await this.#grown
    await this.#segments.close()
    await this.#options.onEnd(ended, this.#head)
  }

  /** Writes the closing record and waits until all is durable. Of a failed stream it only frees the descriptors. */
  close(reason: CloseReason): Promise<void> {
    this.#ended ??= this.#close(reason)
    return this.#ended
  }

  async #close(reason: CloseReason): Promise<void> {
    const closed = new SpoolError('spool_closed', `${this.#options.path} was closed`)
    this.#admitOffered()
    for (const { reject } of this.#waiting.splice(0)) reject(closed)
    try {
      await this.#offer({ kind: 'stream', detail: { event: 'closed', reason } }, {})
    } catch (error) {
      await this.#abandon()
      throw error
    }
    await this.#end('closed')
  }
}
