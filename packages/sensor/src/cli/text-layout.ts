import { fitTo, widthOf } from './printable.ts'

/** Lines no wider than `width`, broken at blanks; words that are wider stand alone. Without a width one line. */
export function wrapWords(text: string, width: number | undefined): string[] {
  if (width === undefined || widthOf(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A lead and a text beside it, whose further lines stand under its first. */
export function hang(lead: string, text: string, columns: number | undefined): string[] {
  const indent = widthOf(lead)
  const width = columns === undefined ? undefined : Math.max(20, columns - indent)
  return wrapWords(text, width).map((line, i) => (i === 0 ? lead : ' '.repeat(indent)) + line)
}

/** A line of source text; what does not fit goes on below, indented further. */
export function foldSource(text: string, columns: number | undefined): string[] {
  if (columns === undefined || widthOf(text) <= columns) return [text]
  const [, indent = '', rest = ''] = /^([+\- ] *)(.*)$/.exec(text) ?? []
  const [first = '', ...more] = wrapWords(rest, Math.max(20, columns - indent.length - 4))
  const sign = text.slice(0, 1)
  const deeper = `${sign}${' '.repeat(indent.length + 3)}`
  return [indent + first, ...more.map((line) => deeper + line)]
}

/** Padded to a width, or cut to it. */
export function toWidth(text: string, width: number): string {
  const fitted = fitTo(text, width)
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)))
}

export function plural(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`
}

export function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
