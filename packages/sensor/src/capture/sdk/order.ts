import type { Verdict } from '../line.ts'

const passes: Verdict = { pass: true }

/**
 * Lets messages of one direction go in the order they came: one that waits for its record makes those behind it wait.
 * What has nothing to wait for goes at once, in the same turn, as it would without us.
 */
export class Order {
  #last: Promise<void> | undefined

  /** `release` must not throw, where there is something to wait for. Verdicts never reject. */
  run(verdict: Promise<Verdict> | undefined, release: (verdict: Verdict) => void): void {
    if (verdict === undefined && this.#last === undefined) {
      release(passes)
      return
    }
    const before = this.#last
    const turn = this.#wait(before, verdict, release)
    this.#last = turn
    void turn.then(() => {
      if (this.#last === turn) this.#last = undefined
    })
  }

  get isIdle(): boolean {
    return this.#last === undefined
  }

  /** Everything that came so far has gone. */
  async idle(): Promise<void> {
    await this.#last
  }

  async #wait(
    before: Promise<void> | undefined,
    verdict: Promise<Verdict> | undefined,
    release: (verdict: Verdict) => void,
  ): Promise<void> {
    await before
    release((await verdict) ?? passes)
  }
}
