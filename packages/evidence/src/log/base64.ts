import { VerifyError, type VerifyErrorCode } from './error.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digits = Uint8Array.from(alphabet, (c) => c.charCodeAt(0))
const values = new Int8Array(128).fill(-1)
for (const [value, code] of digits.entries()) values[code] = value
const pad = 0x3d
const latin1 = new TextDecoder('latin1')

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(pad)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = (at3(bytes, i) << 16) | (at3(bytes, i + 1) << 8) | at3(bytes, i + 2)
    out[at] = digits[word >>> 18] ?? pad
    out[at + 1] = digits[(word >>> 12) & 63] ?? pad
    if (left > 1) out[at + 2] = digits[(word >>> 6) & 63] ?? pad
    if (left > 2) out[at + 3] = digits[word & 63] ?? pad
    at += 4
  }
  return latin1.decode(out)
}

function at3(bytes: Uint8Array, i: number): number {
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
