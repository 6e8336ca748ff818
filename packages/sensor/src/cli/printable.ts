/**
 * What servers and agents chose goes to a person's terminal: control characters could move the cursor and rewrite the
 * lines above, bidirectional overrides could reverse a name, tags spell what nobody sees. All become visible escapes.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters that must not pass
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export function toPrintable(text: string): string {
  return text.replace(unsafe, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** East Asian Wide and Fullwidth blocks and emoji (UAX #11), as far as a table needs them. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u
const combining = /^\p{M}$/u

/** Columns that the text takes on a terminal. */
export function widthOf(text: string): number {
  if (isAscii(text)) return text.length
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

function widthOfCharacter(character: string): number {
  if (combining.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** At most `width` columns; what was cut is marked with an ellipsis. */
export function fitTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 1) return ''
  let fitted = ''
  let used = 0
  for (const character of text) {
    const next = widthOfCharacter(character)
    if (used + next > width - 1) break
    fitted += character
    used += next
  }
  return `${fitted}…`
}

/** As `fitTo`, for text of any length from anywhere: printable, and without looking at all of a text that is too long. */
export function cutText(text: string, width: number): string {
  const head = text.slice(0, width * 4)
  if (head.length === text.length) return fitTo(toPrintable(text), width)
  // The last character may be half of a pair; the ellipsis says that something is missing, however narrow the rest is.
  return fitTo(`${toPrintable(head.replace(/[\ud800-\udbff]$/, ''))}…`, width)
}
