import { hash } from 'node:crypto'
import { createBoundedMap } from '../identity/bounded-map.ts'

const rememberedMax = 64
/** Longer ones are rarely the same twice. */
const rememberedBytesMax = 8 * 1024

/**
 * `read`, but not again for bytes that peers send with every message. They are known by their hash: of them nothing stays in
 * memory but what `read` made.
 */
export function remember<T extends object>(read: (bytes: Uint8Array) => T): (bytes: Uint8Array) => T {
  const known = createBoundedMap<T>(rememberedMax)
  return (bytes) => {
    if (bytes.length > rememberedBytesMax) return read(bytes)
    const key = hash('sha256', bytes, 'base64')
    const before = known.get(key)
    if (before !== undefined) return before
    const made = read(bytes)
    known.set(key, made)
    return made
  }
}
