import { markerStart } from './marker.ts'

/**
 * What may join a name to its value, in text of any language: `=` and `:` with their relatives (`:=`, `=>`, `?=`), `<-`, `||`,
 * an element's `>`, the space behind a flag, `set`, `define` or `ENV`, the word `is`, the comma in `("name", "value")` and
 * the bracket of `withToken("value")`.
 */
export const separators = new RegExp(
  [
    '[=:]',
    '<-(?=[ \\t])',
    '\\|\\||\\?\\?',
    '(?<=<[\\w:.-]{1,64})>',
    '(?<=(?:^|[\\s"\'`[(,])--?[A-Za-z][\\w-]{1,60})[ \\t]',
    '(?<=\\b(?:define|set|setenv|putenv|ENV|ARG|SET)[ \\t]{1,4}[\\w.-]{2,64})[ \\t]',
    '(?<=[A-Za-z])[ \\t](?:is|was)[ \\t:]',
    '(?<=["\'`]),(?=[ ]?["\'`])',
    '(?<=\\b(?:with|set|add|put)[A-Z_]\\w{1,40})\\((?=["\'`])',
  ].join('|'),
  'g',
)

const nameCharsMax = 96
const nameChar = /[\p{L}\p{N}_.$-]/u
const gaps = new Set(' \t\r\n"\'`\\]?:+|=><*.!(')
const typeWords = /^(?:string|str|text|char|bytes|any|final|nsstring|cstring|object|mut|&str)$/i
const halfNames = /^(?:key|token|code|phrase|string|secret|word|password)s?$/i

/** The name that ends before `at`, over quotes, brackets, spaces and a type; two words where the last alone says little. */
export function readName(text: string, at: number): string | undefined {
  const [start, end] = wordBefore(text, at)
  if (start === end || text.startsWith(markerStart, start - markerStart.length)) return undefined
  const word = text.slice(start, end)
  if (typeWords.test(word)) {
    const [typedStart, typedEnd] = wordBefore(text, start)
    if (typedStart < typedEnd) return unescaped(text, typedStart, typedEnd)
  }
  if (!halfNames.test(word) || text[start - 1] !== ' ') return unescaped(text, start, end)
  const before = nameStart(text, start - 1)
  return before === start - 1 ? word : `${text.slice(before, start - 1)}_${word}`
}

function wordBefore(text: string, at: number): readonly [number, number] {
  let end = at
  const gapMin = Math.max(0, at - 12)
  while (end > gapMin && gaps.has(text[end - 1] ?? '')) end--
  return [nameStart(text, end), end]
}

/** `\\ntoken` is a line break and a token. */
function unescaped(text: string, start: number, end: number): string {
  const isEscape = text[start - 1] === '\\' && /[nrt]/.test(text[start] ?? '')
  return text.slice(isEscape ? start + 1 : start, end)
}

function nameStart(text: string, end: number): number {
  let start = end
  const startMin = Math.max(0, end - nameCharsMax)
  while (start > startMin && isNameChar(text, start - 1)) start--
  return start
}

function isNameChar(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (code < 128)
    return (
      (code >= 48 && code <= 57) ||
      (code >= 65 && code <= 90) ||
      (code >= 97 && code <= 122) ||
      code === 95 ||
      code === 45 ||
      code === 46 ||
      code === 36
    )
  return nameChar.test(text[at] ?? '')
}
