import type { Path } from '../draft.ts'
import type { SqlDialect } from '../reading.ts'
import type { Token } from '../tokens.ts'
import { fold, foldPath, type Written } from './fold.ts'

/** A statement's lexemes, read from left to right by the forms of fixed shape. */
export interface Cursor {
  readonly dialect: SqlDialect
  readonly text: string
  readonly tokens: readonly Token[]
  at: number
}

export const createCursor = (text: string, tokens: readonly Token[], dialect: SqlDialect): Cursor => ({
  dialect,
  text,
  tokens,
  at: 0,
})

export const peek = (cursor: Cursor): Token | undefined => cursor.tokens[cursor.at]
export const isDone = (cursor: Cursor): boolean => cursor.at >= cursor.tokens.length

/** Takes these words, all or none. */
export function take(cursor: Cursor, ...words: readonly string[]): boolean {
  const isNext = words.every((word, i) => {
    const token = cursor.tokens[cursor.at + i]
    return (token?.kind === 'word' || token?.kind === 'punctuation') && token.text === word
  })
  if (isNext) cursor.at += words.length
  return isNext
}

/** Takes the first of these words that is next. */
export const takeOne = (cursor: Cursor, ...words: readonly string[]): string | undefined =>
  words.find((word) => take(cursor, word))

export function takeKind(cursor: Cursor, kind: Token['kind']): boolean {
  const isNext = peek(cursor)?.kind === kind
  if (isNext) cursor.at++
  return isNext
}

/** Everything to the end. */
export const takeRest = (cursor: Cursor): true => {
  cursor.at = cursor.tokens.length
  return true
}

export const has = (cursor: Cursor, ...words: readonly string[]): boolean =>
  cursor.tokens.slice(cursor.at).some((token) => token.kind === 'word' && words.includes(token.text))

const spelled = (cursor: Cursor, token: Token): Written => ({
  text: token.kind === 'quoted' ? token.text : cursor.text.slice(token.start, token.end),
  isQuoted: token.kind === 'quoted',
})

/** A qualified name: identifiers with dots between them; SQL Server leaves parts out (`db..t`). */
export function takePath(cursor: Cursor): Path | undefined {
  const parts: Written[] = []
  for (let isName = true; ; isName = !isName) {
    const token = peek(cursor)
    if (isName && (token?.kind === 'word' || token?.kind === 'quoted')) parts.push(spelled(cursor, token))
    else if (isName && token?.text === '.' && parts.length > 0) parts.push({ text: '', isQuoted: false })
    else if (isName) return undefined
    else if (token?.text !== '.') return foldPath(cursor.dialect, parts)
    if (!(isName && token?.text === '.')) cursor.at++
  }
}

export function takePaths(cursor: Cursor): Path[] | undefined {
  const paths: Path[] = []
  do {
    const path = takePath(cursor)
    if (path === undefined) return undefined
    paths.push(path)
  } while (take(cursor, ','))
  return paths
}

/** `(a, b)`: plain names, folded as columns; undefined where anything else stands there. */
export function takeColumns(cursor: Cursor): string[] | undefined {
  if (!take(cursor, '(')) return undefined
  const names: string[] = []
  while (!isDone(cursor)) {
    const token = peek(cursor)
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined
    cursor.at++
    // User variables take a field without storing it in a column.
    if (!token.text.startsWith('@')) names.push(fold(cursor.dialect, spelled(cursor, token), 'column'))
    if (take(cursor, ')')) return names
    if (!take(cursor, ',')) return undefined
  }
  return undefined
}

/** Skips what stands in parentheses. */
export function takeParenthesized(cursor: Cursor): boolean {
  const open = peek(cursor)
  if (open === undefined || !take(cursor, '(')) return false
  while (!isDone(cursor)) {
    const token = peek(cursor)
    cursor.at++
    if (token?.text === ')' && token.kind === 'punctuation' && token.depth === open.depth + 1) return true
  }
  return false
}
