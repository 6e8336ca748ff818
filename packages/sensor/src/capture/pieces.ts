const smallBytesMax = 512
const smallPiecesMax = 1024

/**
 * Bytes in the pieces they came in, small ones joined: a peer that sends a megabyte byte by byte must not cost a hundred bytes
 * of memory for each of them.
 */
export class Pieces {
  #length = 0
  #parts: Uint8Array[] = []
  #small: Uint8Array[] = []

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    this.#length += bytes.length
    if (bytes.length >= smallBytesMax) {
      this.#joinSmall()
      this.#parts.push(bytes)
    } else if (this.#small.push(bytes) >= smallPiecesMax) this.#joinSmall()
  }

  /** All of them in order; none is left here. */
  take(): Uint8Array[] {
    this.#joinSmall()
    const parts = this.#parts
    this.#parts = []
    this.#length = 0
    return parts
  }

  /** All of them in one piece, which stays. */
  whole(): Uint8Array {
    this.#joinSmall()
    const [only] = this.#parts
    if (only !== undefined && this.#parts.length === 1) return only
    const joined = Buffer.concat(this.#parts)
    this.#parts = [joined]
    return joined
  }

  #joinSmall(): void {
    const [only] = this.#small
    if (only === undefined) return
    this.#parts.push(this.#small.length === 1 ? only : Buffer.concat(this.#small))
    this.#small = []
  }
}
