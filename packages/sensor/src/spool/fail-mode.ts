import { randomBytes } from 'node:crypto'
import type { Draft, StreamHead } from '@affidavit/evidence/record/header'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import type { Effect } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import { SpoolError, toSpoolError } from './error.ts'
import { closingOf, countMissing, createGap, type Gap, isEmpty, openIn, uncountMissing } from './gap.ts'
import type { CloseReason, Receipt, SpoolStream } from './stream.ts'

export interface RecorderOptions {
  /** Opens a stream; called again, at most every 500 ms, after one failed. Pass `known` to openStream as knownHead. */
  open: (known?: StreamHead) => Promise<SpoolStream>
  /** Effect classes whose calls pass unrecorded, under a durable gap, when they cannot be recorded. */
  failOpen: ReadonlySet<Effect>
}

export interface Recorder {
  /**
   * Resolves when the record is durable, or (`recorded` false) when it may pass unrecorded because a gap is. Rejects with
   * SpoolError: then a request must not go on and a result must not be released. `record_too_large` for a `completed`
   * means that it may be emitted again with less in it. The `completed` of a call that passed unrecorded is dropped: the
   * gap has counted it.
   */
  emit(draft: Draft, sections: Sections): Promise<Receipt>
  /** Writes a heartbeat. Rejects with SpoolError where nothing can be recorded; unlike emit it leaves no gap behind. */
  probe(): Promise<void>
  /** Closes an open gap and the stream. Rejects where what is missing could not be said. */
  close(reason: CloseReason): Promise<void>
}

const reopenMs = 500

/** The fail mode per effect class over streams that may fail (DESIGN §2, invariant 2). */
export function createRecorder(options: RecorderOptions): Recorder {
  return new StreamRecorder(options)
}

class StreamRecorder implements Recorder {
  readonly #options: RecorderOptions
  #stream: SpoolStream | undefined
  #opening: Promise<SpoolStream> | undefined
  #openFailure: SpoolError | undefined
  #openFailedAtMs = Number.NEGATIVE_INFINITY
  #gap: Gap | undefined
  /** Gaps that are over and whose closing records could not be written. */
  #unclosed: Gap[] = []
  #closingGaps: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined
  /** Effect classes of the calls that are recorded and not completed. */
  readonly #effects = new Map<string, Effect>()
  /** Calls that passed unrecorded, with the receipt of their gap. */
  readonly #unrecorded = new Map<string, Receipt>()

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  async emit(draft: Draft, sections: Sections): Promise<Receipt> {
    if (this.#closed !== undefined) throw new SpoolError('spool_closed', 'the recorder was closed')
    const passed = this.#passedBefore(draft)
    if (passed !== undefined) return passed
    try {
      return await this.#record(draft, sections)
    } catch (error) {
      if (!(error instanceof SpoolError) || !error.retry) throw error
      return await this.#passUnrecorded(draft, error)
    }
  }

  async probe(): Promise<void> {
    if (this.#closed !== undefined) throw new SpoolError('spool_closed', 'the recorder was closed')
    await this.#record({ kind: 'heartbeat' }, {})
  }

  #passedBefore(draft: Draft): Receipt | undefined {
    if (!('stage' in draft) || draft.stage !== 'completed') return undefined
    const receipt = this.#unrecorded.get(draft.callId)
    this.#unrecorded.delete(draft.callId)
    return receipt
  }

  async #record(draft: Draft, sections: Sections): Promise<Receipt> {
    const stream = await this.#usable()
    try {
      return this.#onRecorded(draft, stream, await stream.append(draft, sections))
    } catch (error) {
      // A closed request is answered with an error: it has not been executed, and the next one finds a new stream. For
      // everything else recording elsewhere is better than losing it.
      if (stream.failure === undefined || this.#effectOfClosed(draft) !== undefined) throw error
      const other = await this.#usable()
      return this.#onRecorded(draft, other, await other.append(draft, sections))
    }
  }

  #effectOfClosed(draft: Draft): Effect | undefined {
    if (!('stage' in draft) || draft.stage !== 'requested') return undefined
    return this.#options.failOpen.has(draft.effect) ? undefined : draft.effect
  }

  #onRecorded(draft: Draft, stream: SpoolStream, receipt: Receipt): Receipt {
    if ('stage' in draft && draft.stage === 'completed') {
      // It had its own room: no sign that there is room again.
      this.#effects.delete(draft.callId)
      return receipt
    }
    if ('stage' in draft) this.#effects.set(draft.callId, draft.effect)
    this.#closeGaps(stream)
    return receipt
  }

  /** The stream, or a new one where it failed. Throws SpoolError. */
  async #usable(): Promise<SpoolStream> {
    if (this.#stream !== undefined && this.#stream.failure === undefined) return this.#stream
    if (this.#opening === undefined) {
      if (this.#openFailure !== undefined && performance.now() - this.#openFailedAtMs < reopenMs)
        throw this.#openFailure
      this.#opening = this.#reopen()
    }
    return await this.#opening
  }

  async #reopen(): Promise<SpoolStream> {
    const failed = this.#stream
    try {
      await failed?.close('error')
      this.#stream = await this.#options.open(failed?.head)
      this.#openFailure = undefined
      return this.#stream
    } catch (error) {
      this.#openFailure = toSpoolError('spool', error)
      this.#openFailedAtMs = performance.now()
      throw this.#openFailure
    } finally {
      this.#opening = undefined
    }
  }

  async #passUnrecorded(draft: Draft, refusal: SpoolError): Promise<Receipt> {
    if (!this.#mayPass(draft)) throw refusal
    this.#gap ??= createGap(formatUuidV7(Date.now(), randomBytes(16)), refusal.code)
    const gap = this.#gap
    // Counted before the gap is durable: were it closed meanwhile, this one would be missing from the count.
    countMissing(gap, draft)
    try {
      const receipt = { ...(await this.#openGap(gap)), recorded: false }
      this.#remember(draft, receipt)
      return receipt
    } catch (error) {
      // Notifications have passed already; the count stays and is told when a stream can be written again.
      if ('stage' in draft) uncountMissing(gap, draft)
      if (isEmpty(gap) && this.#gap === gap) this.#gap = undefined
      throw new SpoolError('gap_not_durable', `no record (${refusal.message}) and no gap either`, { cause: error })
    }
  }

  #mayPass(draft: Draft): boolean {
    // What a tool became is part of the listing that waits for it, and that is a call of unknown effect.
    if (draft.kind === 'change' && draft.detail.subject === 'tool') return this.#options.failOpen.has('unknown')
    if (!('stage' in draft)) return true
    const effect = draft.stage === 'requested' ? draft.effect : (this.#effects.get(draft.callId) ?? 'unknown')
    return this.#options.failOpen.has(effect)
  }

  #remember(draft: Draft, receipt: Receipt): void {
    if (!('stage' in draft)) return
    if (draft.stage === 'requested') this.#unrecorded.set(draft.callId, receipt)
    else this.#effects.delete(draft.callId)
  }

  async #openGap(gap: Gap): Promise<Receipt> {
    const stream = this.#stream
    if (stream === undefined || stream.failure !== undefined)
      throw stream?.failure ?? this.#openFailure ?? new SpoolError('spool_closed', 'no stream')
    return await openIn(gap, stream)
  }

  #closeGaps(stream: SpoolStream): void {
    if (this.#gap === undefined && this.#unclosed.length === 0) return
    const over = this.#unclosed.splice(0)
    if (this.#gap !== undefined) over.push(this.#gap)
    this.#gap = undefined
    const written = over.map((gap) => this.#writeClosing(gap, stream))
    this.#closingGaps = Promise.all([this.#closingGaps, ...written]).then(() => undefined)
  }

  async #writeClosing(gap: Gap, stream: SpoolStream): Promise<void> {
    try {
      // A gap that was never opened here (its stream failed, or there was none) is opened now: closings need openings.
      await openIn(gap, stream)
      await stream.append(closingOf(gap), {})
    } catch (error) {
      this.#unclosed.push(gap)
      if (!(error instanceof SpoolError)) throw error
    }
  }

  close(reason: CloseReason): Promise<void> {
    this.#closed ??= this.#close(reason)
    return this.#closed
  }

  async #close(reason: CloseReason): Promise<void> {
    await this.#closingGaps
    const owes = this.#gap !== undefined || this.#unclosed.length > 0
    if (owes) this.#closeGaps(await this.#usable())
    await this.#closingGaps
    await Promise.allSettled([this.#opening])
    await this.#stream?.close(reason)
    if (this.#unclosed.length > 0) throw new SpoolError('gap_not_durable', 'what is missing could not be recorded')
  }
}
