import { VerifyError, type VerifyErrorCode } from './error.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const values = new Int8Array(128).fill(-1)
for (const [value, digit] of [...alphabet].entries()) values[digit.charCodeAt(0)] = value
/** Two digits for every 12 bits: a hash is written per log entry, and this halves its time. */
const pairs = Array.from({ length: 4096 }, (_, bits) => `${alphabet[bits >>> 6]}${alphabet[bits & 63]}`)

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % 3)
  let text = ''
  for (let i = 0; i < whole; i += 3) {
    const word = (byteAt(bytes, i) << 16) | (byteAt(bytes, i + 1) << 8) | byteAt(bytes, i + 2)
    text += `${pairs[word >>> 12]}${pairs[word & 4095]}`
  }
  const last = (byteAt(bytes, whole) << 16) | (byteAt(bytes, whole + 1) << 8)
  if (bytes.length - whole === 2) return `${text}${pairs[last >>> 12]}${alphabet[(last >>> 6) & 63]}=`
  return bytes.length - whole === 1 ? `${text}${pairs[last >>> 12]}==` : text
}

function byteAt(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0
}

/**
 * Inverse of toBase64, and of nothing else: no white space, no missing padding, no stray bits (RFC 4648 §3.5), so that
 * one value has one spelling. Throws VerifyError with `code`.
 */
export function fromBase64(text: string, code: VerifyErrorCode = 'bad_base64'): Uint8Array {
  if (text.length % 4 !== 0) throw badBase64(text, code)
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array((text.length / 4) * 3 - padding)
  let word = 0
  let at = 0
  const end = text.length - padding
  for (let i = 0; i < end; i++) {
    const value = values[text.charCodeAt(i)] ?? -1
    if (value < 0) throw badBase64(text, code)
    word = ((word << 6) | value) & 0xffffff
    if (i % 4 !== 0) out[at++] = (word >>> (6 - 2 * (i % 4))) & 0xff
  }
  const strayBits = padding === 2 ? word & 0x0f : padding === 1 ? word & 0x03 : 0
  if (strayBits !== 0) throw badBase64(text, code)
  return out
}

function badBase64(text: string, code: VerifyErrorCode): VerifyError {
  // The text itself stays out: it may be a private key.
  return new VerifyError(code, 'not standard base64 with padding', { characters: String(text.length) })
}
