/** Protocol Buffers wire format: as much of it as OTLP and the SPIFFE Workload API need. Iterative; nothing is copied. */

export class WireError extends Error {
  override readonly name = 'WireError'
}

export type WireField = { number: number } & (
  | { type: 'varint' | 'fixed64' | 'fixed32'; value: bigint }
  | { type: 'bytes'; value: Uint8Array }
)

/** The fields of one message in the order they come. Throws WireError where the bytes are none; groups are refused. */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    at = tag.end
    const number = Number(tag.value >> 3n)
    if (number === 0 || number > 0x1fffffff) throw new WireError('a field without a number')
    const type = Number(tag.value & 7n)
    if (type === 0) {
      const { value, end } = readVarint(bytes, at)
      at = end
      yield { number, type: 'varint', value }
    } else if (type === 1 || type === 5) {
      const length = type === 1 ? 8 : 4
      if (at + length > bytes.length) throw new WireError('a number ends early')
      const value = type === 1 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))
      at += length
      yield { number, type: type === 1 ? 'fixed64' : 'fixed32', value }
    } else if (type === 2) {
      const length = readVarint(bytes, at)
      if (length.value > BigInt(bytes.length - length.end)) throw new WireError('a field is longer than its message')
      const end = length.end + Number(length.value)
      const value = bytes.subarray(length.end, end)
      at = end
      yield { number, type: 'bytes', value }
    } else throw new WireError('a wire type that is not understood')
  }
}

/** At most ten bytes, of which the last has one bit. */
function readVarint(bytes: Uint8Array, from: number): { value: bigint; end: number } {
  let low = 0
  let at = from
  // Seven bytes fit a double without loss; longer ones are rare.
  for (let shift = 0; shift < 49; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) throw new WireError('a number ends early')
    low += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value: BigInt(low), end: at }
  }
  let value = BigInt(low)
  for (let shift = 49n; shift <= 63n; shift += 7n) {
    const byte = bytes[at++]
    if (byte === undefined) throw new WireError('a number ends early')
    value |= BigInt(byte & 0x7f) << shift
    if (byte >= 0x80) continue
    if (value >> 64n !== 0n) break
    return { value, end: at }
  }
  throw new WireError('a number is too long')
}

/** The bytes of a field that holds bytes, text or a message. */
export function bytesOf(field: WireField): Uint8Array {
  if (field.type !== 'bytes') throw new WireError('a number where bytes belong')
  return field.value
}

export function numberOf(field: WireField): bigint {
  if (field.type === 'bytes') throw new WireError('bytes where a number belongs')
  return field.value
}

/** One field with bytes in it. */
export function encodeBytes(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([encodeVarint((number << 3) | 2), encodeVarint(value.length), value])
}

/** One field with a small number in it. */
export function encodeNumber(number: number, value: number): Uint8Array {
  return Buffer.concat([encodeVarint(number << 3), encodeVarint(value)])
}

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80)
  return Uint8Array.from([...bytes, left])
}
