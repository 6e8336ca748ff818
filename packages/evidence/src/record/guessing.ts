const bitsMin = 40
const charsMin = 8

/**
 * Whether a digest of the value may be kept: a holder of the key who tries what values of its shape there are needs 2^40 guesses.
 * Numbers up to 12 digits (SSN, IPv4, most phone numbers) and eight lower-case letters stay below, which would be tried in minutes.
 * It looks at the shape alone: a word of a dictionary is long and is guessed all the same.
 */
export function resistsGuessing(value: string): boolean {
  return value.length >= charsMin && bitsOf(value) >= bitsMin
}

/** Its length times the alphabet that it visibly uses. */
function bitsOf(value: string): number {
  const packed = value.replace(/[\s().+/:-]/g, '')
  if (/^\d*$/.test(packed)) return packed.length * Math.log2(10)
  const kinds = [/\d/, /[a-z]/, /[A-Z]/, /[^A-Za-z\d]/]
  const sizes = [10, 26, 26, 33]
  const alphabet = kinds.reduce((sum, kind, i) => sum + (kind.test(value) ? (sizes[i] ?? 0) : 0), 0)
  return value.length * Math.log2(alphabet)
}
