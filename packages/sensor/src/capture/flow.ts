import { type Deferred, defer } from './deferred.ts'
import { HeldBytes } from './hold.ts'
import type { Verdict } from './line.ts'
import { Pieces } from './pieces.ts'
import { type Sink, writeAll } from './sink.ts'

const tailMemoryBytesMax = 64 * 1024
const queueBytesMax = 256 * 1024

/** What a message that is too long to hold keeps in memory while it flows. */
export const flowBytes = queueBytesMax

/**
 * A long message on its way: a short queue that flows, and an end without which it is no message, and which waits for the
 * verdict.
 */
export class Flow {
  readonly #tail = new HeldBytes(tailMemoryBytesMax)
  readonly #verdict: Deferred<Verdict> = defer()
  readonly #queue = new Pieces()
  #isFinished = false
  #wake: Deferred<void> = defer()
  #room: Deferred<void> | undefined

  /** Bytes that may go on. A promise where the receiver is slower than the sender: no further bytes before it settles. */
  append(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined
    this.#queue.push(bytes)
    this.#wake.resolve()
    if (this.#queue.length <= queueBytesMax) return undefined
    this.#room ??= defer()
    return this.#room.promise
  }

  /** Bytes of the end. Nothing may be appended after them. */
  hold(bytes: Uint8Array): Promise<void> | undefined {
    return bytes.length === 0 ? undefined : this.#tail.append(bytes)
  }

  /** The message is over; `verdict` never rejects. */
  finish(verdict: Promise<Verdict>): void {
    void verdict.then(this.#verdict.resolve)
    this.#isFinished = true
    this.#wake.resolve()
  }

  /** Writes what may go on while it comes, and the end where the verdict lets it go. Returns the verdict. */
  async release(sink: Sink): Promise<Verdict> {
    for (;;) {
      const parts = this.#takeQueue()
      if (parts.length > 0) {
        await writeAll(sink, ...parts)
        continue
      }
      // Asked in the same moment as the queue: what is appended while anything is waited for belongs to the message.
      if (this.#isFinished) break
      await this.#wake.promise
      this.#wake = defer()
    }
    const verdict = await this.#verdict.promise
    if (verdict.pass) for await (const piece of this.#tail.pieces(0, this.#tail.length)) await writeAll(sink, piece)
    await this.#tail.close()
    return verdict
  }

  #takeQueue(): Uint8Array[] {
    const parts = this.#queue.take()
    this.#room?.resolve()
    this.#room = undefined
    return parts
  }
}
