/**
 * A commit costs a signature, a trip through the thread pool and a sync, whatever it holds: it waits until a turn of the event
 * loop brings no further record, which is at once where calls are few, and at most this long.
 */
const gatherMs = 3

/** When the records that come turn after turn are to be committed. */
export class Gathering {
  #sinceMs: number | undefined

  /** To be asked in every turn until it says no; `brought`: records that came in this turn. */
  goesOn(brought: number): boolean {
    const nowMs = performance.now()
    this.#sinceMs ??= nowMs
    if (brought > 0 && nowMs - this.#sinceMs < gatherMs) return true
    this.#sinceMs = undefined
    return false
  }
}
