import type { JsonToken, JsonTokenType } from './json-scan.ts'

/** Of most tokens nobody asks for the bytes, so the view is made for those who do. */
export class ScannedToken implements JsonToken {
  readonly type: JsonTokenType
  readonly start: number
  readonly end: number
  readonly depth: number
  /** The token's bytes from `#from` on; undefined where they are not kept. */
  readonly #bytes: Uint8Array | undefined
  readonly #from: number

  constructor(
    type: JsonTokenType,
    place: { start: number; end: number; depth: number },
    bytes: Uint8Array | undefined,
    from: number,
  ) {
    this.type = type
    this.start = place.start
    this.end = place.end
    this.depth = place.depth
    this.#bytes = bytes
    this.#from = from
  }

  get raw(): Uint8Array | undefined {
    return this.#bytes?.subarray(this.#from, this.#from + this.end - this.start)
  }
}
