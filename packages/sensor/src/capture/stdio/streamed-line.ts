import { readClock } from '../clock.ts'
import { type Deferred, defer } from '../deferred.ts'
import { HeldBytes } from '../hold.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { LineScan } from '../scan.ts'
import { writeAll } from '../sink.ts'
import type { Ending, LineBody } from './frame.ts'
import { judge, type Outlet } from './outlet.ts'

/** Lines towards the client up to this size are held whole; of larger ones only the end is held. */
export const resultMemoryBytesMax = 1024 * 1024
const tailMemoryBytesMax = 64 * 1024
const queueBytesMax = 256 * 1024
const lineFeed = Buffer.from('\n')
const nothing = new Uint8Array(0)

/**
 * A line towards the client. Above resultMemoryBytesMax it flows while it arrives, all but its end: the last byte of its
 * JSON value and what follows. Without that byte the line is not a message, so it can still be withheld.
 */
export function openStreamedLine(outlet: Outlet): LineBody {
  const scan = new LineScan()
  const start = new HeldBytes(Number.POSITIVE_INFINITY)
  let flow: Flow | undefined

  const append = (bytes: Uint8Array): Promise<void> | undefined => {
    if (bytes.length === 0) return undefined
    if (flow !== undefined) return flow.append(bytes, scan.topEnd)
    start.append(bytes)
    if (start.length <= resultMemoryBytesMax) return undefined
    flow = new Flow()
    const flowing = flow
    outlet.lane.push(queueBytesMax, () => flowing.release(outlet))
    return flow.append(start.inMemory() ?? nothing, scan.topEnd)
  }

  const send = (ending: Ending) => {
    const line: CapturedLine = {
      direction: 'server-to-client',
      scanned: scan.end(),
      arrived: readClock(),
      ending,
      bytes: flow === undefined ? start.inMemory() : undefined,
      origin: outlet.origin,
    }
    const verdict = judge(outlet, line)
    if (flow !== undefined) flow.finish(verdict)
    else outlet.lane.push(start.length, () => releaseWhole(outlet, line, verdict))
  }

  return {
    append(bytes) {
      scan.push(bytes)
      return append(bytes)
    },
    finish(bytes, ending) {
      scan.push(ending === 'terminated' ? bytes.subarray(0, -1) : bytes)
      const wait = append(bytes)
      if (wait !== undefined) return wait.then(() => send(ending))
      send(ending)
      return undefined
    },
  }
}

async function releaseWhole(outlet: Outlet, line: CapturedLine, verdict: Promise<Verdict>): Promise<void> {
  const decided = await verdict
  await writeAll(outlet.sink, decided.pass ? line.bytes : decided.instead)
  if (!decided.pass && decided.reply !== undefined) outlet.reply(decided.reply)
}

/** The part of a long line that is on its way: a short queue, and the end that waits for the verdict. */
class Flow {
  readonly #tail = new HeldBytes(tailMemoryBytesMax)
  readonly #verdict: Deferred<Verdict> = defer()
  #queue: Uint8Array[] = []
  #queued = 0
  #seen = 0
  #isFinished = false
  #wake: Deferred<void> = defer()
  #room: Deferred<void> | undefined

  /** `topEnd`: offset in the line of the last byte of its JSON value, once that was seen. */
  append(bytes: Uint8Array, topEnd: number | undefined): Promise<void> | undefined {
    const cut = topEnd === undefined ? bytes.length : Math.min(bytes.length, Math.max(0, topEnd - this.#seen))
    this.#seen += bytes.length
    const held = cut < bytes.length ? this.#tail.append(bytes.subarray(cut)) : undefined
    if (cut > 0) this.#enqueue(bytes.subarray(0, cut))
    const room = this.#queued > queueBytesMax ? this.#waitForRoom() : undefined
    return held === undefined || room === undefined ? (held ?? room) : Promise.all([held, room]).then(() => undefined)
  }

  /** The line is over; `verdict` never rejects. */
  finish(verdict: Promise<Verdict>): void {
    void verdict.then(this.#verdict.resolve)
    this.#isFinished = true
    this.#wake.resolve()
  }

  async release(outlet: Outlet): Promise<void> {
    for (;;) {
      const parts = this.#takeQueue()
      await writeAll(outlet.sink, ...parts)
      if (parts.length > 0) continue
      if (this.#isFinished) break
      await this.#wake.promise
      this.#wake = defer()
    }
    const decided = await this.#verdict.promise
    if (decided.pass) {
      for await (const piece of this.#tail.pieces(0, this.#tail.length)) await writeAll(outlet.sink, piece)
    } else {
      await writeAll(outlet.sink, lineFeed, decided.instead)
      if (decided.reply !== undefined) outlet.reply(decided.reply)
    }
    await this.#tail.close()
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#queued += bytes.length
    this.#wake.resolve()
  }

  #takeQueue(): Uint8Array[] {
    const parts = this.#queue
    this.#queue = []
    this.#queued = 0
    this.#room?.resolve()
    this.#room = undefined
    return parts
  }

  #waitForRoom(): Promise<void> {
    this.#room ??= defer()
    return this.#room.promise
  }
}
