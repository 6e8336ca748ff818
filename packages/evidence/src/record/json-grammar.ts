/** The byte-level grammar of JSON (RFC 8259 §3, §6, §7) and UTF-8 that the scanner steps through. */

const utf8 = new TextEncoder()

const literals = [
  { type: 'true', bytes: utf8.encode('true') },
  { type: 'false', bytes: utf8.encode('false') },
  { type: 'null', bytes: utf8.encode('null') },
] as const

/** The literal that begins with this byte. */
export function literalOf(byte: number): (typeof literals)[number] | undefined {
  if (byte === 0x74) return literals[0]
  if (byte === 0x66) return literals[1]
  return byte === 0x6e ? literals[2] : undefined
}

/** States of a number (RFC 8259 §6): what has been read so far. */
const numberState = {
  start: 0,
  minus: 1,
  zero: 2,
  integer: 3,
  point: 4,
  fraction: 5,
  e: 6,
  sign: 7,
  exponent: 8,
} as const

/** State before the first byte of a number. */
export const numberStart = numberState.start

/** Next state, or −1 where the byte does not continue a number. */
export function stepNumber(state: number, byte: number): number {
  const isDigit = byte >= 0x30 && byte <= 0x39
  const isE = byte === 0x65 || byte === 0x45
  switch (state) {
    case numberState.start:
      if (byte === 0x2d) return numberState.minus
      return isDigit ? firstDigit(byte) : -1
    case numberState.minus:
      return isDigit ? firstDigit(byte) : -1
    case numberState.zero:
      if (byte === 0x2e) return numberState.point
      return isE ? numberState.e : -1
    case numberState.integer:
      if (isDigit) return numberState.integer
      if (byte === 0x2e) return numberState.point
      return isE ? numberState.e : -1
    case numberState.point:
      return isDigit ? numberState.fraction : -1
    case numberState.fraction:
      if (isDigit) return numberState.fraction
      return isE ? numberState.e : -1
    case numberState.e:
      if (byte === 0x2b || byte === 0x2d) return numberState.sign
      return isDigit ? numberState.exponent : -1
    default:
      return isDigit ? numberState.exponent : -1
  }
}

function firstDigit(byte: number): number {
  return byte === 0x30 ? numberState.zero : numberState.integer
}

/** Whether a number may end in this state. */
export function numberAccepts(state: number): boolean {
  return (
    state === numberState.zero ||
    state === numberState.integer ||
    state === numberState.fraction ||
    state === numberState.exponent
  )
}

/** States of a string: in text, hex digits of `\u` still due, after a backslash, closed. Higher ones lie within a UTF-8 sequence. */
export const stringText = 0
const stringEscape = 5
export const stringClosed = 6
const notJson = -1
/** What stepString returns where the byte makes the text something else than UTF-8; −1 means not JSON. */
export const notUtf8 = -2

/** What the next byte of a sequence must be and which state follows: Unicode, table 3-7, one row per state from 7 on. */
const sequences = [
  { low: 0x80, high: 0xbf, next: stringText },
  { low: 0x80, high: 0xbf, next: 7 },
  { low: 0xa0, high: 0xbf, next: 7 },
  { low: 0x80, high: 0x9f, next: 7 },
  { low: 0x80, high: 0xbf, next: 8 },
  { low: 0x90, high: 0xbf, next: 8 },
  { low: 0x80, high: 0x8f, next: 8 },
] as const

export function isInSequence(state: number): boolean {
  return state > stringClosed
}

/** State after this lead byte of a sequence, or notUtf8 where it cannot lead one. */
export function startOfSequence(byte: number): number {
  if (byte < 0xc2 || byte > 0xf4) return notUtf8
  if (byte <= 0xdf) return 7
  if (byte <= 0xef) return byte === 0xe0 ? 9 : byte === 0xed ? 10 : 8
  return byte === 0xf0 ? 12 : byte === 0xf4 ? 13 : 11
}

/** Next state of a string, stringClosed after its quote, or −1 (not JSON) or notUtf8 where the byte does not belong. */
export function stepString(state: number, byte: number): number {
  if (state === stringText) {
    if (byte === 0x22) return stringClosed
    if (byte === 0x5c) return stringEscape
    if (byte >= 0x80) return startOfSequence(byte)
    return byte < 0x20 ? notJson : stringText
  }
  if (isInSequence(state)) {
    const row = sequences[state - stringClosed - 1]
    return row !== undefined && byte >= row.low && byte <= row.high ? row.next : notUtf8
  }
  if (state === stringEscape) {
    if (byte === 0x75) return 4
    return isSimpleEscape[byte] === 1 ? stringText : notJson
  }
  const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
  return isHex ? state - 1 : notJson
}

/** By byte: 1 plain string text, 2 backslash, 3 lead byte of a sequence, 0 everything that needs a closer look. */
const textClass = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22 || byte < 0x20) return 0
  if (byte === 0x5c) return 2
  if (byte < 0x80) return 1
  return startOfSequence(byte) < 0 ? 0 : 3
})
const isSimpleEscape = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
)

/**
 * First index from `from` on that is not string text lying whole within the chunk: a quote, a control byte, `\u`, an
 * escape or sequence that is cut or wrong. The tight loop that decides how fast long strings are read.
 */
export function skipStringText(chunk: Uint8Array, from: number): number {
  const length = chunk.length
  let pause = wideAfter
  let stop = Math.min(length, from + wideAfter)
  let at = skipTextBytes(chunk, from, stop)
  if (at < stop || at === length) return at
  const words = wordsOf(chunk)
  while (at < length) {
    if (((chunk.byteOffset + at) & 3) === 0) {
      const next = skipPlainWords(words, chunk, at)
      // Text full of escapes or of other scripts is read byte by byte, and looked at in words ever more rarely.
      pause = next - at >= plainRunMin ? wideAgain : Math.min(pause * 2, length)
      at = next
    }
    stop = Math.min(length, at + pause)
    at = skipTextBytes(chunk, at, stop)
    if (at < stop) return at
    while (at < length && ((chunk.byteOffset + at) & 3) !== 0) {
      const next = skipTextBytes(chunk, at, at + 1)
      if (next === at) return at
      at = next
    }
  }
  return at
}

/** Like skipStringText, byte by byte: to `stop`, or where an escape or sequence reaches past it, a little further. */
function skipTextBytes(chunk: Uint8Array, from: number, stop: number): number {
  const length = chunk.length
  let at = from
  while (at < stop) {
    const kind = textClass[chunk[at] ?? 0]
    if (kind === 1) at++
    else if (kind === 2 && at + 1 < length && isSimpleEscape[chunk[at + 1] ?? 0] === 1) at += 2
    else if (kind === 3) {
      const bytes = sequenceLength(chunk, at)
      if (bytes === 0) return at
      at += bytes
    } else return at
  }
  return at
}

/** Most strings are shorter than this; a view of the chunk would cost them more than it gives. */
const wideAfter = 64
/** After a plain run the next one may be near. */
const wideAgain = 8
const plainRunMin = 24

/** The chunk as words of four bytes, from its first word boundary on. */
function wordsOf(chunk: Uint8Array): Int32Array {
  const first = (chunk.byteOffset + 3) & ~3
  const count = Math.max(0, chunk.byteOffset + chunk.length - first) >> 2
  return new Int32Array(chunk.buffer, first, count)
}

/**
 * First index from `from` on, which is on a word boundary, of a word that is not all plain: ASCII but for quote, backslash
 * and control bytes. Each test sets the top bit of a byte that is not plain, or of one above such a byte.
 */
function skipPlainWords(words: Int32Array, chunk: Uint8Array, from: number): number {
  const offset = words.byteOffset - chunk.byteOffset
  const first = (from - offset) >> 2
  let i = first
  for (; i < words.length; i++) {
    const word = words[i] ?? 0
    const quote = word ^ 0x22222222
    const backslash = word ^ 0x5c5c5c5c
    const isControl = (word - 0x20202020) & ~word
    const isQuote = (quote - 0x01010101) & ~quote
    const isBackslash = (backslash - 0x01010101) & ~backslash
    if (((word | isControl | isQuote | isBackslash) & 0x80808080) !== 0) break
  }
  return from + (i - first) * 4
}

/** Length of the well-formed sequence at `at`; 0 where it is malformed or reaches past the chunk. */
function sequenceLength(chunk: Uint8Array, at: number): number {
  const lead = chunk[at] ?? 0
  const second = chunk[at + 1] ?? 0
  if (lead < 0xe0) return isContinuation(second) ? 2 : 0
  if (lead < 0xf0) {
    if (second < (lead === 0xe0 ? 0xa0 : 0x80) || second > (lead === 0xed ? 0x9f : 0xbf)) return 0
    return isContinuation(chunk[at + 2] ?? 0) ? 3 : 0
  }
  if (second < (lead === 0xf0 ? 0x90 : 0x80) || second > (lead === 0xf4 ? 0x8f : 0xbf)) return 0
  return isContinuation(chunk[at + 2] ?? 0) && isContinuation(chunk[at + 3] ?? 0) ? 4 : 0
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf
}
