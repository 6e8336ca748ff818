import { clipText } from '@affidavit/evidence/record/text'

const plain = /^[ -~]*$/

/** Like clipText, at once for the short plain text that most of it is. */
export function clip(text: string, bytesMax: number): string {
  return text.length <= bytesMax && plain.test(text) ? text : clipText(text, bytesMax)
}

/** Lone surrogates become U+FFFD: the engine takes text, and they are none. */
export function wellFormed(text: string): string {
  return plain.test(text) ? text : text.replace(/\p{Surrogate}/gu, '\ufffd')
}
