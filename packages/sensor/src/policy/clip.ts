import { clipText } from '@affidavit/evidence/record/text'

const plain = /^[ -~]*$/

/** Like clipText, at once for the short plain text that most of it is. */
export function clip(text: string, bytesMax: number): string {
  return text.length <= bytesMax && plain.test(text) ? text : clipText(text, bytesMax)
}
