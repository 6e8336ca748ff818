import { type Check, flaw, matchingPlain, plainText } from './shape.ts'

/** Limit of a name that a server chose, in bytes of UTF-8. */
export const nameBytesMax = 256
const loneSurrogate = /\p{Surrogate}/u
const utf8 = new TextEncoder()

/** Well-formed text of min…max bytes of UTF-8, kept exactly, control characters included: whoever shows it escapes it. */
export function text(bytesMax: number, bytesMin = 1): Check {
  const bad = flaw('bad_value', '', `expected text of ${bytesMin} to ${bytesMax} bytes`)
  const check = (value: unknown) => {
    if (typeof value !== 'string' || value.length < bytesMin) return bad
    // A UTF-16 code unit takes at most three bytes, so short text needs no counting.
    if (value.length * 3 > bytesMax && utf8Length(value) > bytesMax) return bad
    return loneSurrogate.test(value) ? bad : undefined
  }
  return plainText(check, bytesMin, Math.min(bytesMax, nameBytesMax))
}

/** A name that a server chose; it may be empty. */
export const serverChosenName = text(nameBytesMax, 0)
/** A name or short reason that we chose. */
export const shortText = text(nameBytesMax)
/** A stable word of ours, such as `spool_full`. */
export const code = matchingPlain(/^[a-z][a-z0-9_]{0,63}$/, 'a code: lower-case letters, digits and _, at most 64')

function utf8Length(value: string): number {
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    // Half of a surrogate pair counts two of the pair's four bytes.
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return length
}

/** Whether a name that a server chose can be kept exactly: well-formed and at most 256 bytes. */
export function isKeptName(name: string): boolean {
  return serverChosenName(name) === undefined
}

/**
 * Text that others chose, made fit for a section: well-formed (lone surrogates become U+FFFD) and at most bytesMax bytes,
 * cut between characters and then marked by a final `…`. Not for names that must be kept exactly.
 */
export function clipText(value: string, bytesMax: number = nameBytesMax): string {
  const wellFormed = value.slice(0, bytesMax + 1).replace(/\p{Surrogate}/gu, '\ufffd')
  if (value.length <= bytesMax && utf8Length(wellFormed) <= bytesMax) return wellFormed
  const bytes = utf8.encode(wellFormed)
  let end = Math.max(0, bytesMax - 3)
  // Continuation bytes are 10xxxxxx: step back to the start of the character that would be cut.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`
}
