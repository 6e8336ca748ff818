/**
 * Characters that a person does not see and a model reads: control and format characters (zero width, bidirectional, tags),
 * fillers, variation selectors but for a single one as emoji have it, lone surrogates. Line feed, return and tab are text.
 */
const hidden =
  /(?![\n\r\t])(?!(?<!\p{VS})[\ufe0e\ufe0f](?!\p{VS}))[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** They stand for ASCII, and are the usual way to hide sentences. */
const tags = /[\u{e0020}-\u{e007e}]/gu
const tagOffset = 0xe0000

/** The text with its hidden characters as escapes. */
export function toVisible(text: string): string {
  return text.replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Its hidden characters as `U+200B`, with how often each comes. */
export function countHidden(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [character] of text.matchAll(hidden)) {
    const name = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** What its tag characters spell. */
export function readTags(text: string): string {
  return [...text.matchAll(tags)].map(([tag]) => String.fromCharCode((tag.codePointAt(0) ?? 0) - tagOffset)).join('')
}
