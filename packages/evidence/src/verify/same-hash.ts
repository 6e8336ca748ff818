import { toBase64 } from '../log/base64.ts'
import { hashBytes } from '../log/hash.ts'
import type { Hash } from '../record/header.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0))
const textLength = 44

/** Whether `text` is the base64 of these 32 bytes. Called per entry, so it allocates nothing. */
export function sameHash(bytes: Uint8Array, text: Hash): boolean {
  if (bytes.length !== hashBytes || text.length !== textLength) return toBase64(bytes) === text
  let at = 0
  for (let i = 0; i < 30; i += 3) {
    const word = (byteAt(bytes, i) << 16) | (byteAt(bytes, i + 1) << 8) | byteAt(bytes, i + 2)
    if (text.charCodeAt(at) !== codes[word >>> 18]) return false
    if (text.charCodeAt(at + 1) !== codes[(word >>> 12) & 63]) return false
    if (text.charCodeAt(at + 2) !== codes[(word >>> 6) & 63]) return false
    if (text.charCodeAt(at + 3) !== codes[word & 63]) return false
    at += 4
  }
  return text.slice(at) === toBase64(bytes.subarray(30))
}

function byteAt(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0
}
