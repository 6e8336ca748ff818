import { createHash, type Hash } from 'node:crypto'

const spaceOrColon = new Set([0x20, 0x09, 0x0a, 0x0d, 0x3a])

/**
 * SHA-256 over the bytes of one member's value while it goes by, for values too long to keep. Hashes nothing until it
 * must: most values are kept whole.
 */
export class ValueHash {
  #hash: Hash | undefined
  #hashedTo: number

  /** `keyEnd`: offset behind the member's key. White space and the colon before the value are no part of it. */
  constructor(keyEnd: number) {
    this.#hashedTo = keyEnd
  }

  /** Hashes up to offset `to`; `chunk` begins at `chunkStart` and holds everything since the last call. */
  hashTo(to: number, chunk: Uint8Array, chunkStart: number): void {
    let from = Math.max(this.#hashedTo, chunkStart)
    if (this.#hash === undefined) while (from < to && spaceOrColon.has(chunk[from - chunkStart] ?? 0)) from++
    this.#hashedTo = Math.max(from, to)
    if (from >= to) return
    this.#hash ??= createHash('sha256')
    this.#hash.update(chunk.subarray(from - chunkStart, to - chunkStart))
  }

  digest(): Uint8Array {
    return (this.#hash ?? createHash('sha256')).digest()
  }
}
