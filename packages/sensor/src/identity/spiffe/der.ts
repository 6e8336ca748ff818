/** DER (X.690 §10) as far as certificates need it: Node shows neither key usage nor names without quoting. */

export class DerError extends Error {
  override readonly name = 'DerError'
}

export interface Element {
  tag: number
  contents: Uint8Array
  /** With tag and length. */
  whole: Uint8Array
}

export const tags = { boolean: 1, integer: 2, bitString: 3, octetString: 4, oid: 6, sequence: 0x30 } as const

/** Everything that stands in a row. Throws DerError where a length has a second spelling or reaches too far. */
export function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const { tag, contents, whole } = readElement(bytes, at)
    elements.push({ tag, contents, whole })
    at += whole.length
  }
  return elements
}

function readElement(bytes: Uint8Array, at: number): Element {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw new DerError('an element ends early')
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes')
  let length = first
  let start = at + 2
  if (first >= 0x80) {
    const count = first - 0x80
    if (count === 0 || count > 4) throw new DerError('a length that is not definite, or too long')
    length = 0
    for (const byte of bytes.subarray(start, start + count)) length = length * 256 + byte
    start += count
    const isShortest = length >= 0x80 && length >= 2 ** (8 * (count - 1))
    if (!isShortest) throw new DerError('a length that is longer than it needs to be')
  }
  const end = start + length
  if (end > bytes.length) throw new DerError('an element is longer than what holds it')
  return { tag, contents: bytes.subarray(start, end), whole: bytes.subarray(at, end) }
}

/** The one element that these bytes are. */
export function readSole(bytes: Uint8Array, tag: number): Uint8Array {
  const [element, ...more] = readElements(bytes)
  if (element === undefined || more.length > 0 || element.tag !== tag)
    throw new DerError('another element than expected')
  return element.contents
}

/** Concatenated DER, as the Workload API sends chains: one piece each. */
export function splitSequences(bytes: Uint8Array): Uint8Array[] {
  return readElements(bytes).map(({ tag, whole }) => {
    if (tag !== tags.sequence) throw new DerError('another element than expected')
    return whole
  })
}

/** In dotted form. Parts beyond 2^28 are in nothing that is looked for. */
export function readOid(contents: Uint8Array): string {
  const parts: number[] = []
  let part = 0
  for (const byte of contents) {
    if (part >= 2 ** 28) throw new DerError('an object identifier with a part that is too large')
    part = part * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    parts.push(part)
    part = 0
  }
  const [first = 0, ...rest] = parts
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - root * 40, ...rest].join('.')
}

/** X.690 §11.1. */
export function readBoolean(contents: Uint8Array): boolean {
  const [byte] = contents
  if (contents.length !== 1 || (byte !== 0 && byte !== 0xff)) throw new DerError('a boolean that is neither')
  return byte === 0xff
}

/** Not negative, and small enough to count with. */
export function readCount(contents: Uint8Array): number {
  if (contents.length === 0 || contents.length > 6 || (contents[0] ?? 0) >= 0x80)
    throw new DerError('a number out of range')
  return contents.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** IA5String (ASCII). */
export function readAscii(contents: Uint8Array): string {
  if (contents.some((byte) => byte >= 0x80)) throw new DerError('a name that is not ASCII')
  return Buffer.from(contents).toString('latin1')
}
