import { isUtf8 } from 'node:buffer'

/** A string as it reads after one encoding is undone, with the way back. */
export interface View {
  text: string
  /** Offset in the encoded string of every unit of `text`, and of its end. */
  offsets: Int32Array
}

const percent = /%[0-9A-Fa-f]{2}/
const escaped = /\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|["/\\nrt])/

const entity = /&(?:quot|apos|amp|lt|gt|#\d{1,5}|#x[0-9A-Fa-f]{1,4});/

/** Undoes URL encoding (RFC 3986 §2.1, `+` stays). Undefined where nothing is encoded. */
export function percentView(text: string): View | undefined {
  return percent.test(text) ? view(text, /(?:%[0-9A-Fa-f]{2})+/g, decodePercent) : undefined
}

/** Undoes backslash escapes in text that is not JSON, such as a cut-off JSON string or source code. */
export function escapeView(text: string): View | undefined {
  return escaped.test(text) ? view(text, /\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|["/\\bfnrt])/g, decodeEscape) : undefined
}

/** Undoes the character references of HTML and XML that hide quotes and signs. */
export function entityView(text: string): View | undefined {
  return entity.test(text)
    ? view(text, /&(?:quot|apos|amp|lt|gt|#\d{1,5}|#x[0-9A-Fa-f]{1,4});/g, decodeEntity)
    : undefined
}

interface Piece {
  text: string
  /** Encoded units per decoded unit, in order. */
  widths: readonly number[]
}

function view(text: string, pattern: RegExp, decode: (encoded: string) => Piece): View {
  const offsets = new Int32Array(text.length + 1)
  const parts: string[] = []
  let length = 0
  let at = 0
  const keep = (end: number) => {
    parts.push(text.slice(at, end))
    for (; at < end; at++) offsets[length++] = at
  }
  for (const found of text.matchAll(pattern)) {
    keep(found.index)
    const piece = decode(found[0])
    parts.push(piece.text)
    for (const width of piece.widths) {
      offsets[length++] = at
      at += width
    }
  }
  keep(text.length)
  offsets[length] = text.length
  return { text: parts.join(''), offsets: offsets.subarray(0, length + 1) }
}

/** Bytes that are not UTF-8 are read as Latin-1: one of them must not hide the rest. */
function decodePercent(encoded: string): Piece {
  const bytes = Buffer.from(encoded.replaceAll('%', ''), 'hex')
  if (!isUtf8(bytes)) return { text: bytes.toString('latin1'), widths: new Array<number>(bytes.length).fill(3) }
  const text = bytes.toString('utf8')
  const widths: number[] = []
  for (const point of text) {
    if (point.length === 2) widths.push(0)
    widths.push(3 * Buffer.byteLength(point))
  }
  return { text, widths }
}

const named: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function decodeEscape(encoded: string): Piece {
  const kind = encoded[1] ?? ''
  const isHex = kind === 'u' || kind === 'x'
  const text =
    isHex && encoded.length > 2 ? String.fromCharCode(Number.parseInt(encoded.slice(2), 16)) : (named[kind] ?? kind)
  return { text, widths: [encoded.length] }
}

const entities: Record<string, string> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' }

function decodeEntity(encoded: string): Piece {
  const name = encoded.slice(1, -1)
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  const text = name.startsWith('#') ? String.fromCharCode(code) : (entities[name] ?? '')
  return { text, widths: [encoded.length] }
}
