import { type Deferred, defer } from './deferred.ts'

/** What one direction still has to let go, strictly in the order it came. */

export interface LaneLimits {
  bytesMax: number
  itemsMax: number
}

/**
 * Runs one release after the other. A release that waits for durability makes all after it wait: order is part of what
 * client and server would see without us. Nobody else waits: the other direction has its own lane.
 */
export class Lane {
  readonly #limits: LaneLimits
  readonly #onFault: (fault: unknown) => void
  #last: Promise<void> = Promise.resolve()
  #bytes = 0
  #items = 0
  #room: Deferred<void> | undefined

  /** `onFault` hears of releases that rejected, which is a defect; those after them run all the same. */
  constructor(limits: LaneLimits, onFault: (fault: unknown) => void) {
    this.#limits = limits
    this.#onFault = onFault
  }

  /** `bytes` is what the release keeps in memory until it has run. */
  push(bytes: number, release: () => Promise<void>): void {
    this.#bytes += bytes
    this.#items++
    this.#last = this.#last
      .then(release)
      .catch(this.#onFault)
      .then(() => {
        this.#bytes -= bytes
        this.#items--
        if (!this.#isFull()) this.#openRoom()
      })
  }

  /** Undefined where there is room; else what to wait for before more is read. */
  room(): Promise<void> | undefined {
    if (!this.#isFull()) return undefined
    this.#room ??= defer()
    return this.#room.promise
  }

  /** Everything pushed so far has been released. */
  idle(): Promise<void> {
    return this.#last
  }

  #isFull(): boolean {
    return this.#bytes > this.#limits.bytesMax || this.#items > this.#limits.itemsMax
  }

  #openRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
