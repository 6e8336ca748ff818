/** Resumable JSON tokenizer over bytes (RFC 8259), for text an attacker wrote. Iterative: nesting costs a byte per level. */

import {
  isInSequence, literalOf, notUtf8, numberAccepts, numberStart, skipStringText,
  startOfSequence, stepNumber, stepString, stringClosed, stringText,
} from './json-grammar.ts' // biome-ignore format: one list
import { ScannedToken } from './json-token.ts'

export type JsonTokenType =
  | 'beginObject' | 'endObject' | 'beginArray' | 'endArray' | 'key' | 'string' | 'number' | 'true' | 'false' | 'null' // biome-ignore format: one list

export interface JsonToken {
  type: JsonTokenType
  /** Byte offsets from the first byte pushed; [start, end) includes the quotes of strings and keys. */
  start: number
  end: number
  /** Containers open around the token: 0 for the top value and its own brackets, 1 for its keys and members. */
  depth: number
  /**
   * The token's bytes; undefined where it is longer than tokenBytesMax. A view into the chunk just pushed where the token
   * lies within it: copy what must outlive the call if the chunk is going to be reused.
   */
  readonly raw: Uint8Array | undefined
}

const empty = new Uint8Array(0)

export interface JsonProblem {
  code: 'not_json' | 'not_utf8' | 'too_deep'
  /** The first byte that cannot continue the text; its length where it ended too early. */
  offset: number
}

export interface JsonScanOptions {
  /** Default 512. Deeper text is a problem, not a crash. */
  depthMax?: number
  /** Default unlimited. */
  tokenBytesMax?: number
}

/** What the grammar allows next between tokens. */
type Expected = 'value' | 'valueOrEnd' | 'keyOrEnd' | 'key' | 'colon' | 'commaOrEnd' | 'nothing'
/** Inside which kind of token the last chunk ended. */
type Inside = 'none' | 'string' | 'number' | 'literal'

const inObject = 1
const inArray = 2

/**
 * push() bytes as they come, end() when the text is over. Tokens reach onToken in order, each once. After a problem
 * nothing more is reported and end() returns it; undefined means exactly one well-formed JSON value in valid UTF-8.
 * Lone surrogate escapes and duplicate keys are well-formed here: the caller judges them.
 */
export class JsonScanner {
  readonly #onToken: (token: JsonToken) => void
  readonly #depthMax: number
  readonly #tokenBytesMax: number

  #problem: JsonProblem | undefined
  #ended = false
  #expected: Expected = 'value'
  #inside: Inside = 'none'
  #stack = new Uint8Array(32)
  #depth = 0

  /** Offset of the current chunk's first byte. */
  #chunkStart = 0
  #chunk: Uint8Array = empty
  #tokenStart = 0
  #tokenType: JsonTokenType = 'null'
  /** The token's bytes from earlier chunks. */
  #carried: Uint8Array = empty
  #carriedLength = 0

  /** Where in a string or number the last byte led (json-grammar.ts). */
  #state = 0
  #literal: Uint8Array = empty
  #literalAt = 0

  constructor(onToken: (token: JsonToken) => void, options: JsonScanOptions = {}) {
    this.#onToken = onToken
    this.#depthMax = options.depthMax ?? 512
    this.#tokenBytesMax = options.tokenBytesMax ?? Number.POSITIVE_INFINITY
  }

  push(chunk: Uint8Array): void {
    if (this.#problem !== undefined || this.#ended) return
    this.#chunk = chunk
    let at = 0
    while (at < chunk.length && this.#problem === undefined) {
      if (this.#inside === 'none') at = this.#scanStructure(chunk, at)
      else if (this.#inside === 'string') at = this.#scanString(chunk, at)
      else if (this.#inside === 'number') at = this.#scanNumber(chunk, at)
      else at = this.#scanLiteral(chunk, at)
    }
    if (this.#inside !== 'none') this.#carry(chunk)
    this.#chunkStart += chunk.length
    this.#chunk = empty
  }

  /** The text is over. Returns the first problem, or undefined for exactly one well-formed value. */
  end(): JsonProblem | undefined {
    if (this.#problem !== undefined || this.#ended) return this.#problem
    this.#ended = true
    if (this.#inside === 'number' && numberAccepts(this.#state)) this.#finish(0)
    if (this.#inside !== 'none' || this.#expected !== 'nothing')
      this.#fail(this.#inside === 'string' && isInSequence(this.#state) ? 'not_utf8' : 'not_json', 0)
    return this.#problem
  }

  /** Whitespace, punctuation and the first byte of scalars, until a token begins that has a body. */
  #scanStructure(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
      if (byte === 0x22) this.#beginString(at)
      else if (byte === 0x2c) this.#comma(at)
      else if (byte === 0x3a) this.#colon(at)
      else if (byte === 0x7b || byte === 0x5b) this.#open(byte, at)
      else if (byte === 0x7d || byte === 0x5d) this.#close(byte, at)
      else this.#beginScalar(byte, at)
      if (this.#inside !== 'none' || this.#problem !== undefined) return at + 1
    }
    return chunk.length
  }

  #comma(at: number): void {
    if (this.#expected !== 'commaOrEnd') this.#fail('not_json', at)
    else this.#expected = this.#stack[this.#depth - 1] === inObject ? 'key' : 'value'
  }

  #colon(at: number): void {
    if (this.#expected !== 'colon') this.#fail('not_json', at)
    else this.#expected = 'value'
  }

  #open(byte: number, at: number): void {
    if (!this.#valueMayBegin()) this.#fail('not_json', at)
    else if (this.#depth >= this.#depthMax) this.#fail('too_deep', at)
    else {
      const isObject = byte === 0x7b
      this.#emit(isObject ? 'beginObject' : 'beginArray', at)
      if (this.#depth === this.#stack.length) this.#stack = widen(this.#stack, this.#depth * 2)
      this.#stack[this.#depth++] = isObject ? inObject : inArray
      this.#expected = isObject ? 'keyOrEnd' : 'valueOrEnd'
    }
  }

  #close(byte: number, at: number): void {
    const isObject = byte === 0x7d
    const open = this.#depth === 0 ? 0 : this.#stack[this.#depth - 1]
    const mayClose = this.#expected === 'commaOrEnd' || this.#expected === (isObject ? 'keyOrEnd' : 'valueOrEnd')
    if (!mayClose || open !== (isObject ? inObject : inArray)) this.#fail('not_json', at)
    else {
      this.#depth--
      this.#emit(isObject ? 'endObject' : 'endArray', at)
      this.#afterValue()
    }
  }

  #beginString(at: number): void {
    const isKey = this.#expected === 'key' || this.#expected === 'keyOrEnd'
    if (isKey || this.#valueMayBegin()) this.#begin('string', isKey ? 'key' : 'string', at)
    else this.#fail('not_json', at)
    this.#state = stringText
  }

  #beginScalar(byte: number, at: number): void {
    const literal = literalOf(byte)
    const state = stepNumber(numberStart, byte)
    if (byte >= 0x80 && startOfSequence(byte) < 0) this.#fail('not_utf8', at)
    else if (!this.#valueMayBegin()) this.#fail('not_json', at)
    else if (literal !== undefined) {
      this.#literal = literal.bytes
      this.#literalAt = 1
      this.#begin('literal', literal.type, at)
    } else if (state >= 0) {
      this.#state = state
      this.#begin('number', 'number', at)
    } else this.#fail('not_json', at)
  }

  #scanString(chunk: Uint8Array, from: number): number {
    let at = from
    while (at < chunk.length) {
      if (this.#state === stringText) at = skipStringText(chunk, at)
      if (at >= chunk.length) return at
      const next = stepString(this.#state, chunk[at] ?? 0)
      if (next === stringClosed) {
        this.#finish(at + 1)
        return at + 1
      }
      if (next < 0) return this.#fail(next === notUtf8 ? 'not_utf8' : 'not_json', at)
      this.#state = next
      at++
    }
    return at
  }

  #scanNumber(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const next = stepNumber(this.#state, chunk[at] ?? 0)
      if (next < 0) {
        if (!numberAccepts(this.#state)) return this.#fail('not_json', at)
        this.#finish(at)
        return at
      }
      this.#state = next
    }
    return chunk.length
  }

  #scanLiteral(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      if (chunk[at] !== this.#literal[this.#literalAt]) return this.#fail('not_json', at)
      if (++this.#literalAt === this.#literal.length) {
        this.#finish(at + 1)
        return at + 1
      }
    }
    return chunk.length
  }

  #valueMayBegin(): boolean {
    return this.#expected === 'value' || this.#expected === 'valueOrEnd'
  }

  #afterValue(): void {
    this.#expected = this.#depth === 0 ? 'nothing' : 'commaOrEnd'
  }

  #begin(inside: Inside, type: JsonTokenType, at: number): void {
    this.#inside = inside
    this.#tokenType = type
    this.#tokenStart = this.#chunkStart + at
    this.#carriedLength = 0
  }

  /** The token that began earlier ends before byte `end` of this chunk. */
  #finish(end: number): void {
    const type = this.#tokenType
    const start = this.#tokenStart
    const stop = this.#chunkStart + end
    this.#inside = 'none'
    if (type === 'key') this.#expected = 'colon'
    else this.#afterValue()
    const isKept = stop - start <= this.#tokenBytesMax
    const isWithin = start >= this.#chunkStart
    const bytes = isWithin ? this.#chunk : isKept ? this.#gather(end, stop - start) : undefined
    const from = isWithin ? start - this.#chunkStart : 0
    this.#onToken(new ScannedToken(type, { start, end: stop, depth: this.#depth }, isKept ? bytes : undefined, from))
  }

  /** The bytes of a token that began in an earlier chunk. */
  #gather(end: number, length: number): Uint8Array {
    const raw = new Uint8Array(length)
    raw.set(this.#carried.subarray(0, this.#carriedLength))
    raw.set(this.#chunk.subarray(0, end), this.#carriedLength)
    return raw
  }

  /** Keeps what this chunk holds of an unfinished token, unless it is already longer than anybody wants. */
  #carry(chunk: Uint8Array): void {
    const part = chunk.subarray(Math.max(0, this.#tokenStart - this.#chunkStart))
    const length = this.#carriedLength + part.length
    const isTooLong = this.#chunkStart + chunk.length - this.#tokenStart > this.#tokenBytesMax
    if (isTooLong) {
      this.#carried = empty
      this.#carriedLength = 0
      return
    }
    if (length > this.#carried.length) this.#carried = widen(this.#carried, Math.max(length, this.#carried.length * 2))
    this.#carried.set(part, this.#carriedLength)
    this.#carriedLength = length
  }

  #emit(type: JsonTokenType, at: number): void {
    const start = this.#chunkStart + at
    this.#onToken(new ScannedToken(type, { start, end: start + 1, depth: this.#depth }, this.#chunk, at))
  }

  /** Returns `at`, the index scanning stops at. */
  #fail(code: JsonProblem['code'], at: number): number {
    this.#problem ??= { code, offset: this.#chunkStart + at }
    return at
  }
}

function widen(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const wider = new Uint8Array(length)
  wider.set(bytes)
  return wider
}
