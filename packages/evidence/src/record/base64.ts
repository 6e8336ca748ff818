import { RecordError } from './error.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const values = new Int8Array(128).fill(-1)
for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += alphabet.charAt(word >>> 18) + alphabet.charAt((word >>> 12) & 63)
    text += left > 1 ? alphabet.charAt((word >>> 6) & 63) : '='
    text += left > 2 ? alphabet.charAt(word & 63) : '='
  }
  return text
}

/**
 * Inverse of toBase64 and of nothing else (no white space, no missing padding, no stray bits): one value, one spelling.
 * Throws RecordError `bad_value` at `at`.
 */
export function fromBase64(text: string, at: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array(Math.max(0, (text.length / 4) * 3 - padding))
  let word = 0
  let length = 0
  for (let i = 0; i < text.length - padding; i++) {
    const value = values[text.charCodeAt(i)] ?? -1
    if (value < 0) throw new RecordError('bad_value', at, 'not standard base64')
    word = ((word << 6) | value) & 0xffffff
    if (i % 4 !== 0) bytes[length++] = (word >>> (6 - 2 * (i % 4))) & 0xff
  }
  const strayBits = padding === 2 ? word & 0x0f : padding === 1 ? word & 0x03 : 0
  if (text.length % 4 !== 0 || strayBits !== 0)
    throw new RecordError('bad_value', at, 'not standard base64 with padding')
  return bytes
}
