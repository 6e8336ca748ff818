/** JSON strings as an attacker writes them: every escape, lone surrogates, any UTF-8. */

const quote = 0x22
const backslash = 0x5c

/** Text of the string token at [start, end), quotes included. Lone surrogates survive as they are in JavaScript. */
export function decodeJsonString(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1)
  if (!text.includes('\\')) return text
  const parsed: unknown = JSON.parse(`"${text}"`)
  return typeof parsed === 'string' ? parsed : ''
}

/** Byte offset, within the token, of every UTF-16 unit of its text, and of the closing quote. */
export function jsonStringOffsets(raw: Uint8Array, units: number): Int32Array {
  const offsets = new Int32Array(units + 1)
  let at = 1
  for (let unit = 0; unit < units; unit++) {
    offsets[unit] = at
    const byte = raw[at] ?? quote
    if (byte === backslash) at += raw[at + 1] === 0x75 ? 6 : 2
    else if (byte < 0x80) at += 1
    else if (byte < 0xe0) at += 2
    else if (byte < 0xf0) at += 3
    else {
      unit++
      offsets[unit] = at
      at += 4
    }
  }
  offsets[units] = at
  return offsets
}

/** Whether one byte stands for one unit throughout, so that offsets need no table. */
export function isPlain(raw: Uint8Array, units: number): boolean {
  return raw.length === units + 2
}
