import type { SqlDialect } from './reading.ts'

/** One lexeme of a text. Comments and blanks are left out. */
export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'number' | 'punctuation'
  start: number
  end: number
  /** Parentheses around it. */
  depth: number
  /** Words in upper case, the content of quoted identifiers, punctuation as it is; empty for strings and numbers: no value leaves the lexer. */
  text: string
  /** Whether it ran to the end of the text without its closing mark. */
  isOpen: boolean
}

interface Lexis {
  /** What opens an identifier, and what closes it. */
  identifiers: Readonly<Record<string, string>>
  strings: string
  hasBackslash: boolean
  hasHashComments: boolean
  hasSlashComments: boolean
  hasNestedComments: boolean
  /** MySQL reads what stands in such a comment; so does this. */
  hasLiveComments: boolean
  hasDollarQuotes: boolean
  hasTripleQuotes: boolean
  /** `--` opens a comment only before a blank. */
  needsBlankAfterDashes: boolean
}

const plain: Lexis = {
  identifiers: { '"': '"' },
  strings: "'",
  hasBackslash: false,
  hasHashComments: false,
  hasSlashComments: false,
  hasNestedComments: false,
  hasLiveComments: false,
  hasDollarQuotes: false,
  hasTripleQuotes: false,
  needsBlankAfterDashes: false,
}
const mysql: Lexis = {
  ...plain,
  identifiers: { '`': '`' },
  strings: '\'"',
  hasBackslash: true,
  hasHashComments: true,
  hasLiveComments: true,
  needsBlankAfterDashes: true,
}

export const lexis: Readonly<Record<SqlDialect, Lexis>> = {
  postgresql: { ...plain, hasNestedComments: true, hasDollarQuotes: true },
  mysql,
  mariadb: mysql,
  sqlite: { ...plain, identifiers: { '"': '"', '`': '`', '[': ']' } },
  tsql: { ...plain, identifiers: { '"': '"', '[': ']' }, hasNestedComments: true },
  bigquery: {
    ...plain,
    identifiers: { '`': '`' },
    strings: '\'"',
    hasBackslash: true,
    hasHashComments: true,
    hasTripleQuotes: true,
  },
  snowflake: { ...plain, hasBackslash: true, hasDollarQuotes: true, hasSlashComments: true },
}

const blank = /\s+/y
const word = /[\p{L}_@#$:][\p{L}\p{N}_@#$]*/uy
const number = /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[\p{L}\p{N}_]*/uy
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
const liveOpening = /\/\*M?!\d*/y

const matchAt = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

/** The end of a comment at this place, or the place itself. */
function commentEnd(text: string, at: number, rules: Lexis): number {
  const isDashes = text.startsWith('--', at) && (!rules.needsBlankAfterDashes || /^[\s]?$/.test(text.charAt(at + 2)))
  const isLine = isDashes || (rules.hasHashComments && text.charAt(at) === '#')
  if (isLine || (rules.hasSlashComments && text.startsWith('//', at))) {
    const end = text.indexOf('\n', at)
    return end === -1 ? text.length : end
  }
  if (!text.startsWith('/*', at)) return at
  if (rules.hasLiveComments) {
    const live = matchAt(liveOpening, text, at)
    if (live > at) return live
  }
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text.startsWith('/*', i) && (rules.hasNestedComments || depth === 0)) {
      depth++
      i++
    } else if (text.startsWith('*/', i)) {
      depth--
      i++
      if (depth === 0) return i + 1
    }
  }
  return text.length
}

/** The end of what `mark` closes; a doubled mark is part of it. */
function closing(text: string, from: number, quote: { mark: string; hasBackslash: boolean }): number | undefined {
  for (let i = from; i < text.length; i++) {
    if (quote.hasBackslash && text.charAt(i) === '\\') i++
    else if (text.startsWith(quote.mark, i)) {
      if (quote.mark.length > 1 || text.charAt(i + 1) !== quote.mark) return i + quote.mark.length
      i++
    }
  }
  return undefined
}

function stringEnd(text: string, at: number, prefix: { text: string; rules: Lexis }): number | undefined {
  const mark = text.charAt(at)
  const triple = mark.repeat(3)
  const isTriple = prefix.rules.hasTripleQuotes && text.startsWith(triple, at)
  const isRaw = /^(r|br|rb)$/i.test(prefix.text) && prefix.rules.hasTripleQuotes
  // A raw string ends at its mark as well, but a mark behind a backslash does not end it: the same rule.
  const hasBackslash = isRaw || prefix.rules.hasBackslash || /^e$/i.test(prefix.text)
  return closing(text, at + (isTriple ? 3 : 1), { mark: isTriple ? triple : mark, hasBackslash })
}

/** Text → lexemes, in linear time; whatever stands in it, there is an end. */
export function* tokenize(text: string, dialect: SqlDialect): Generator<Token> {
  const rules = lexis[dialect]
  let depth = 0
  let at = 0
  while (at < text.length) {
    const after = Math.max(matchAt(blank, text, at), commentEnd(text, at, rules))
    if (after > at) {
      at = after
      continue
    }
    if (rules.hasLiveComments && text.startsWith('*/', at)) {
      at += 2
      continue
    }
    const token = lexeme(text, at, rules)
    if (token.text === '(') depth++
    yield { ...token, start: at, depth: token.text === '(' ? depth - 1 : depth }
    if (token.text === ')' && token.kind === 'punctuation') depth = Math.max(0, depth - 1)
    at = token.end
  }
}

type Lexeme = Omit<Token, 'start' | 'depth'>

function lexeme(text: string, at: number, rules: Lexis): Lexeme {
  const char = text.charAt(at)
  const close = rules.identifiers[char]
  if (close !== undefined) {
    const end = closing(text, at + 1, { mark: close, hasBackslash: false })
    const content = text.slice(at + 1, (end ?? text.length + 1) - 1).replaceAll(close + close, close)
    return { kind: 'quoted', end: end ?? text.length, text: content, isOpen: end === undefined }
  }
  if (rules.strings.includes(char)) return stringToken(text, at, { text: '', rules })
  if (rules.hasDollarQuotes && char === '$') {
    const tagEnd = matchAt(dollarTag, text, at)
    const end = tagEnd === at ? -1 : text.indexOf(text.slice(at, tagEnd), tagEnd)
    if (end !== -1) return { kind: 'string', end: end + tagEnd - at, text: '', isOpen: false }
  }
  const isColons = char === ':' && (/[:=]/.test(text.charAt(at + 1)) || text.charAt(at - 1) === ':')
  const wordEnd = isColons ? at : matchAt(word, text, at)
  if (wordEnd > at && char !== ':') {
    const content = text.slice(at, wordEnd)
    const isPrefix = wordEnd - at <= 2 && rules.strings.includes(text.charAt(wordEnd)) && text.charAt(wordEnd) !== ''
    if (isPrefix && /^(e|n|b|x|r|br|rb)$/i.test(content)) return stringToken(text, wordEnd, { text: content, rules })
    return { kind: 'word', end: wordEnd, text: content.toUpperCase(), isOpen: false }
  }
  if (wordEnd > at + 1) return { kind: 'punctuation', end: wordEnd, text: ':', isOpen: false }
  const numberEnd = matchAt(number, text, at)
  if (numberEnd > at) return { kind: 'number', end: numberEnd, text: '', isOpen: false }
  return { kind: 'punctuation', end: at + 1, text: char, isOpen: false }
}

function stringToken(text: string, at: number, prefix: { text: string; rules: Lexis }): Lexeme {
  const end = stringEnd(text, at, prefix)
  return { kind: 'string', end: end ?? text.length, text: '', isOpen: end === undefined }
}
