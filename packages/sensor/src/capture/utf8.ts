import { isUtf8 } from 'node:buffer'

const question = 0x3f
const empty = new Uint8Array(0)

/**
 * Replaces every byte that is not part of well-formed UTF-8 by `?`, one byte for one byte, so that offsets stay true.
 * The official clients and servers decode lossily and go on; a copy that stopped at the first bad byte would miss what
 * they understand. Up to three bytes of an unfinished sequence wait for the next chunk.
 */
export class Utf8Mender {
  /** Whether anything had to be replaced so far. */
  mended = false
  #pending: Uint8Array = empty

  /** Bytes that are ready, possibly fewer than came in. The result may be the chunk itself. */
  mend(chunk: Uint8Array): Uint8Array {
    if (this.#pending.length === 0 && isUtf8(chunk)) return chunk
    const bytes = new Uint8Array(this.#pending.length + chunk.length)
    bytes.set(this.#pending)
    bytes.set(chunk, this.#pending.length)
    const ready = this.#replaceFaults(bytes)
    this.#pending = bytes.slice(ready)
    return bytes.subarray(0, ready)
  }

  /** What is left when the text is over: an unfinished sequence is a fault. */
  end(): Uint8Array {
    const rest = this.#pending.fill(question)
    if (rest.length > 0) this.mended = true
    this.#pending = empty
    return rest
  }

  /** Returns how many bytes are settled; fewer than all where the last sequence may continue in the next chunk. */
  #replaceFaults(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length) {
      if ((bytes[at] ?? 0) < 0x80) {
        at++
        continue
      }
      const length = sequenceLength(bytes, at)
      if (length === unfinished) return at
      if (length === faulty) {
        bytes[at++] = question
        this.mended = true
      } else at += length
    }
    return at
  }
}

const faulty = 0
const unfinished = -1

/** RFC 3629 §4: length of the well-formed sequence at a byte ≥ 0x80, else `faulty`, or `unfinished` at the end. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
  if (length === 0) return faulty
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return unfinished
    const [low, high] = i === 1 ? secondByteRange(lead) : anyContinuation
    if (byte < low || byte > high) return faulty
  }
  return length
}

const anyContinuation: readonly [number, number] = [0x80, 0xbf]

/** No overlong forms, no surrogates, nothing above U+10FFFF. */
function secondByteRange(lead: number): readonly [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf]
  if (lead === 0xed) return [0x80, 0x9f]
  if (lead === 0xf0) return [0x90, 0xbf]
  if (lead === 0xf4) return [0x80, 0x8f]
  return anyContinuation
}
