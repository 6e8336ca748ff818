import zlib from 'node:zlib'

/** Node has crc32 from 20.15 on; 20.12 to 20.14 take the table. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** The slow way, byte by byte. */
export function crc32ByTable(bytes: Uint8Array): number {
  let rest = 0xffffffff
  for (const byte of bytes) rest = (rest >>> 8) ^ (table[(rest ^ byte) & 0xff] ?? 0)
  return (rest ^ 0xffffffff) >>> 0
}

/** CRC-32 as in IEEE 802.3 and gzip (RFC 1952 §8), unsigned. Finds accidents; against people it protects nothing. */
export const crc32: (bytes: Uint8Array) => number =
  typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : crc32ByTable
