import type { JsonToken } from '@affidavit/evidence/record/json-scan'
import { ContentDetector, type ContentReading } from '../classify/content/detector.ts'
import { RowCount } from '../classify/content/rows.ts'
import { spot } from '../redact/spot.ts'

/** What there is in a result, read while it goes by: kinds of content and rows, and its beginning. */
export interface ResultReading extends ContentReading {
  /** Elements of the longest list in it; 0 where there is none. */
  rows: number
  /** Its first 64 KiB, until it is known whose result it is; gone with the message. */
  head: Uint8Array
}

export class ResultWatch {
  readonly #detector = new ContentDetector(spot)
  readonly #rows = new RowCount()
  #readTo: number

  /** `begin`: the token that the result begins with. */
  constructor(begin: JsonToken) {
    this.#readTo = begin.start
    this.#rows.take(begin)
  }

  /** Reads up to offset `to`; `chunk` begins at `chunkStart` and holds everything since the last call. */
  readOn(to: number, chunk: Uint8Array, chunkStart: number): void {
    if (to <= this.#readTo) return
    this.#detector.push(chunk.subarray(Math.max(this.#readTo, chunkStart) - chunkStart, to - chunkStart))
    this.#readTo = to
  }

  /** Tokens inside the result, in order. */
  take(token: JsonToken): void {
    this.#rows.take(token)
  }

  end(): ResultReading {
    return { ...this.#detector.end(), rows: this.#rows.most, head: Buffer.concat(this.#detector.head) }
  }
}
