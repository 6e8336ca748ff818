import { createHash, type Hash } from 'node:crypto'
import type { CapturedLine, Verdict } from '../line.ts'
import type { ScannedLine } from '../message.ts'
import { Pieces } from '../pieces.ts'
import { LineScan } from '../scan.ts'
import type { AnswerPlace } from './judge-answer.ts'

/** What of an event's data is kept for its record; of more, only the outline. */
export const eventMemoryBytesMax = 1024 * 1024

/** What an event's data is to capture. */
export type ToLine = (from: { scanned: ScannedLine; bytes: Uint8Array | undefined }) => CapturedLine

export interface JudgedEvent {
  verdict: Promise<Verdict>
  released: () => void
}

const passes: Verdict = { pass: true }

/** What one event says, read from a copy while it goes by. */
export class EventCopy {
  #scan: LineScan | undefined
  readonly #parts = new Pieces()
  #isLong = false
  /** Of data that is too long to keep, where the event has an id and so may be played again. */
  #hash: Hash | undefined
  id: string | undefined

  get hasData(): boolean {
    return this.#scan !== undefined
  }

  data(bytes: Uint8Array): void {
    this.#scan ??= new LineScan()
    this.#scan.push(bytes)
    if (this.#isLong) this.#hash?.update(bytes)
    else this.#parts.push(bytes)
    if (this.#isLong || this.#parts.length <= eventMemoryBytesMax) return
    this.#isLong = true
    const parts = this.#parts.take()
    if (!this.#hasId) return
    this.#hash = createHash('sha256')
    for (const part of parts) this.#hash.update(part)
  }

  get #hasId(): boolean {
    return this.id !== undefined && this.id !== ''
  }

  /** Lets capture see the event. `released` is to be called when it has gone on. The promise never rejects. */
  judge(
    { conversation, conversations }: Pick<AnswerPlace, 'conversation' | 'conversations'>,
    toLine: ToLine,
  ): JudgedEvent {
    const scanned = this.#scan?.end()
    const nothing = { verdict: Promise.resolve(passes), released: () => undefined }
    if (scanned === undefined || scanned.shape === 'blank') return nothing
    const bytes = this.#isLong ? undefined : this.#parts.whole()
    const key = this.#keyOf()
    const line = toLine({ scanned, bytes })
    // Servers that number the events of every stream from 0 send equal results under equal ids, and each is an outcome.
    if (key !== undefined && conversation.hasSeen(key) && !conversation.capture.answersOpen(line)) return nothing
    const verdict = conversation.capture.take(line)
    const { id } = this
    const released = () => {
      if (key === undefined || id === undefined) return
      conversation.markSeen(key)
      conversations.rememberEvent(conversation, id)
    }
    return { verdict: verdict ?? Promise.resolve(passes), released }
  }

  /**
   * Undefined where the event has no id and so cannot be played again, or named it after a megabyte of data, where nobody
   * puts it: played again it is then judged again.
   */
  #keyOf(): string | undefined {
    if (!this.#hasId || (this.#isLong && this.#hash === undefined)) return undefined
    const hash = this.#hash ?? createHash('sha256').update(this.#parts.whole())
    return hash
      .update('\0')
      .update(this.id ?? '')
      .digest('base64')
  }
}
