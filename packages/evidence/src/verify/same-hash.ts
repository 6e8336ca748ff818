import { hashBytes } from '../log/hash.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0))
const textLength = 44

/** Whether `text` is the base64 of these 32 bytes, in ASCII. Called per entry, so it allocates nothing. */
export function sameHash(bytes: Uint8Array, text: Uint8Array): boolean {
  if (bytes.length !== hashBytes || text.length !== textLength) return false
  let at = 0
  for (let i = 0; i < 30; i += 3) {
    if (!sameWord((byteAt(bytes, i) << 16) | (byteAt(bytes, i + 1) << 8) | byteAt(bytes, i + 2), text, at)) return false
    at += 4
  }
  const last = (byteAt(bytes, 30) << 16) | (byteAt(bytes, 31) << 8)
  return (
    text[40] === codes[last >>> 18] && text[41] === codes[(last >>> 12) & 63] && text[42] === codes[(last >>> 6) & 63]
  )
}

function sameWord(word: number, text: Uint8Array, at: number): boolean {
  return (
    text[at] === codes[word >>> 18] &&
    text[at + 1] === codes[(word >>> 12) & 63] &&
    text[at + 2] === codes[(word >>> 6) & 63] &&
    text[at + 3] === codes[word & 63]
  )
}

function byteAt(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0
}
