import { createHmac, hash } from 'node:crypto'

/**
 * HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) made of one-shot hashes: for the short messages that keys and digests are
 * made of, a third of what OpenSSL's own HMAC takes, which is set up anew for every message.
 */

const blockBytes = 64
const hashBytes = 32
/** The inner hash: the key's block, and the message. */
const inner = Buffer.alloc(16 * 1024)
/** The outer hash: the key's other block, and the inner hash. */
const outer = Buffer.alloc(blockBytes + hashBytes)

/** A key made ready: padded, and combined with the two constants of RFC 2104 §2. */
export interface HmacKey {
  raw: Uint8Array
  innerBlock: Uint8Array
  outerBlock: Uint8Array
}

export function toHmacKey(raw: Uint8Array): HmacKey {
  const short = raw.length > blockBytes ? Buffer.from(hash('sha256', raw, 'hex'), 'hex') : raw
  const innerBlock = new Uint8Array(blockBytes).fill(0x36)
  const outerBlock = new Uint8Array(blockBytes).fill(0x5c)
  for (let i = 0; i < short.length; i++) {
    const byte = short[i] ?? 0
    innerBlock[i] = byte ^ 0x36
    outerBlock[i] = byte ^ 0x5c
  }
  return { raw, innerBlock, outerBlock }
}

/** Both hashes, as one character per byte. The key's blocks are in their places, the message behind the inner one. */
function finish(keyAndMessage: Uint8Array): string {
  outer.write(hash('sha256', keyAndMessage, 'binary'), blockBytes, 'latin1')
  return hash('sha256', outer, 'binary')
}

/** Over the concatenation of the parts; 32 bytes. */
export function hmac(key: HmacKey, parts: readonly Uint8Array[]): Buffer {
  let at = blockBytes
  for (const part of parts) {
    if (at + part.length > inner.length) return hmacOfMany(key, parts)
    inner.set(part, at)
    at += part.length
  }
  inner.set(key.innerBlock)
  outer.set(key.outerBlock)
  return Buffer.from(finish(inner.subarray(0, at)), 'latin1')
}

function hmacOfMany({ raw }: HmacKey, parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', raw)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** An empty salt stands for a hash of zeros (RFC 5869 §2.2). */
const emptySalt = toHmacKey(new Uint8Array(hashBytes))

/** HKDF-Extract with an empty salt. */
export function extractKey(secret: Uint8Array): HmacKey {
  return toHmacKey(hmac(emptySalt, [secret]))
}

const purposeBytesMax = 4096
const blocksMax = 255
const purposeAt = blockBytes + hashBytes

/** HKDF-Expand. Throws RangeError where purpose or length are beyond what anybody derives (RFC 5869 §2.3). */
export function expandKey(key: HmacKey, purpose: string, length: number): Buffer {
  const blocks = Math.ceil(length / hashBytes)
  if (blocks > blocksMax || Buffer.byteLength(purpose) > purposeBytesMax) throw new RangeError('too much to derive')
  const out = Buffer.allocUnsafe(blocks * hashBytes)
  // The purpose keeps its place; before it the key's block, from the second message on with the block before in between.
  const counterAt = purposeAt + inner.write(purpose, purposeAt)
  inner[counterAt] = 1
  inner.set(key.innerBlock, hashBytes)
  outer.set(key.outerBlock)
  let last = finish(inner.subarray(hashBytes, counterAt + 1))
  out.write(last, 0, 'latin1')
  if (blocks < 2) return out.subarray(0, length)
  inner.set(key.innerBlock)
  const message = inner.subarray(0, counterAt + 1)
  for (let block = 1; block < blocks; block++) {
    inner.write(last, blockBytes, 'latin1')
    inner[counterAt] = block + 1
    last = finish(message)
    out.write(last, block * hashBytes, 'latin1')
  }
  return out.subarray(0, length)
}
