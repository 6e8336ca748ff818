/**
 * The parts of a line that differ from record to record: judged byte by byte, as the parsers in record/ judge them. Each
 * returns where the part ends, or −1 where it is not surely one; then the parser decides.
 */
export type Slot = (line: Uint8Array, at: number) => number

const digit = 1
const hexDigit = 2
const base64Digit = 4
const plainCharacter = 8
const classes = new Uint8Array(256)
const mark = (characters: string, flag: number) => {
  for (const character of characters) {
    const code = character.charCodeAt(0)
    classes[code] = (classes[code] ?? 0) | flag
  }
}
mark('0123456789', digit)
mark('0123456789abcdef', hexDigit)
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', base64Digit)
for (let code = 0x20; code < 0x7f; code++)
  if (code !== 0x22 && code !== 0x5c) mark(String.fromCharCode(code), plainCharacter)

function isRun(line: Uint8Array, from: number, to: number, flag: number): boolean {
  if (to > line.length) return false
  for (let i = from; i < to; i++) if (((classes[line[i] ?? 0] ?? 0) & flag) === 0) return false
  return true
}

const oneOf = (characters: string) => {
  const allowed = new Uint8Array(256)
  for (const character of characters) allowed[character.charCodeAt(0)] = 1
  return (line: Uint8Array, at: number) => allowed[line[at] ?? 0] === 1
}
const isDash = oneOf('-')
const isSeven = oneOf('7')
const isVariant = oneOf('89ab')
const isPadding = oneOf('=')
const endsHash = oneOf('AEIMQUYcgkosw048')
const endsSignature = oneOf('AQgw')
const isColon = oneOf(':')
const isPoint = oneOf('.')
const isZero = oneOf('0')
const isOne = oneOf('1')
const isTwo = oneOf('2')
const upToThree = oneOf('0123')
const upToFive = oneOf('012345')

/** UUID of version 7, lower case (record/id.ts). */
export const uuidSlot: Slot = (line, at) =>
  isRun(line, at, at + 8, hexDigit) &&
  isDash(line, at + 8) &&
  isRun(line, at + 9, at + 13, hexDigit) &&
  isDash(line, at + 13) &&
  isSeven(line, at + 14) &&
  isRun(line, at + 15, at + 18, hexDigit) &&
  isDash(line, at + 18) &&
  isVariant(line, at + 19) &&
  isRun(line, at + 20, at + 23, hexDigit) &&
  isDash(line, at + 23) &&
  isRun(line, at + 24, at + 36, hexDigit)
    ? at + 36
    : -1

/** Base64 of 32 bytes in its one spelling (record/digest.ts). */
export const hashSlot: Slot = (line, at) =>
  isRun(line, at, at + 42, base64Digit) && endsHash(line, at + 42) && isPadding(line, at + 43) ? at + 44 : -1

/** Base64 of 64 bytes in its one spelling (record/digest.ts). */
export const signatureSlot: Slot = (line, at) =>
  isRun(line, at, at + 85, base64Digit) &&
  endsSignature(line, at + 85) &&
  isPadding(line, at + 86) &&
  isPadding(line, at + 87)
    ? at + 88
    : -1

/** Canonical integer from 1 on, of at most 15 digits. */
export const countSlot: Slot = (line, at) => (isZero(line, at) ? -1 : integerSlot(line, at))

/** Canonical integer from 0 on, of at most 15 digits: surely below 2^53. */
export const integerSlot: Slot = (line, at) => {
  let end = at
  while (end < line.length && ((classes[line[end] ?? 0] ?? 0) & digit) !== 0) end++
  const isCanonical = end === at + 1 || !isZero(line, at)
  return end > at && end - at <= 15 && isCanonical ? end : -1
}

/** `HH:MM:SS.mmm`; the date before it belongs to the form, so no calendar is needed here (record/timestamp.ts). */
export const clockSlot: Slot = (line, at) =>
  (((isZero(line, at) || isOne(line, at)) && isRun(line, at + 1, at + 2, digit)) ||
    (isTwo(line, at) && upToThree(line, at + 1))) &&
  isColon(line, at + 2) &&
  upToFive(line, at + 3) &&
  isRun(line, at + 4, at + 5, digit) &&
  isColon(line, at + 5) &&
  upToFive(line, at + 6) &&
  isRun(line, at + 7, at + 8, digit) &&
  isPoint(line, at + 8) &&
  isRun(line, at + 9, at + 12, digit)
    ? at + 12
    : -1

/** 16 hex digits. */
export const referenceSlot: Slot = (line, at) => (isRun(line, at, at + 16, hexDigit) ? at + 16 : -1)

/** Printable ASCII that JSON does not escape, at most 256 characters: a name that a server chose (record/text.ts). */
export const nameSlot: Slot = (line, at) => {
  let end = at
  while (end < line.length && ((classes[line[end] ?? 0] ?? 0) & plainCharacter) !== 0) end++
  return end - at <= 256 ? end : -1
}
