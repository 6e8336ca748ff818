import { chainMax, depthMax, lexemesMax, nestingWordsMax, statementCharsMax, statementsMax } from './limits.ts'
import type { SqlDialect, UnparsableReason } from './reading.ts'
import { type Token, tokenize } from './tokens.ts'

/** One statement of a text by its lexemes alone. */
export interface Piece {
  /** From its first lexeme to its last, without the semicolon. */
  start: number
  end: number
  /** All of them where the statement is within the limits; else at least the head, for the verb. */
  tokens: readonly Token[]
  /** The limit it exceeds. */
  excess?: UnparsableReason
  isOpen: boolean
}

const operators = new Set(['+', '-', '*', '/', '|', '&', '^', '%', '.', '[', '<', '>', '=', '!', '~', '?', ':'])
const nesting = new Set(['UNION', 'EXCEPT', 'INTERSECT', 'MINUS', 'NOT', 'CASE', 'JOIN'])
/** Keywords that a chain of operators does not go beyond. */
const separators = new Set([
  'SELECT',
  'FROM',
  'WHERE',
  'AND',
  'OR',
  'ON',
  'WHEN',
  'THEN',
  'ELSE',
  'VALUES',
  'SET',
  'BY',
  'HAVING',
  'AS',
])
const routine = new Set(['PROCEDURE', 'PROC', 'FUNCTION', 'TRIGGER', 'EVENT', 'PACKAGE'])

interface Growing {
  tokens: Token[]
  lexemes: number
  /** Operators since the last comma or keyword. */
  chain: number
  nestingWords: number
  excess?: UnparsableReason
  isOpen: boolean
  end: number
  /** BEGIN and CASE without their END, in the definition of a routine. */
  blocks: number
  isRoutine: boolean
}

const begin = (): Growing => ({
  tokens: [],
  lexemes: 0,
  chain: 0,
  nestingWords: 0,
  isOpen: false,
  end: 0,
  blocks: 0,
  isRoutine: false,
})

/** Statements of a text, cut at semicolons outside parentheses and outside the bodies of routines. */
export function splitText(text: string, dialect: SqlDialect): { pieces: Piece[]; unread: number } {
  const pieces: Piece[] = []
  let unread = 0
  let growing = begin()
  const finish = () => {
    const [first] = growing.tokens
    if (first !== undefined && pieces.length >= statementsMax) unread++
    else if (first !== undefined)
      pieces.push({
        start: first.start,
        end: growing.end,
        tokens: growing.tokens,
        isOpen: growing.isOpen,
        ...(growing.excess !== undefined && { excess: growing.excess }),
      })
    growing = begin()
  }
  for (const token of tokenize(text, dialect)) {
    const isEnd = token.kind === 'punctuation' && token.text === ';' && token.depth === 0
    if (isEnd && !isInside(growing, dialect)) finish()
    else if (isBatchEnd(token, dialect, text)) finish()
    else grow(growing, token)
  }
  finish()
  return { pieces, unread }
}

/** A routine's body has semicolons of its own; in T-SQL it goes on to the end of the batch. */
const isInside = (growing: Growing, dialect: SqlDialect) =>
  growing.isRoutine && (dialect === 'tsql' || growing.blocks > 0)

/** GO on a line of its own ends a batch; clients of SQL Server cut there. */
function isBatchEnd(token: Token, dialect: SqlDialect, text: string): boolean {
  if (dialect !== 'tsql' || token.text !== 'GO' || token.kind !== 'word') return false
  const before = text.slice(text.lastIndexOf('\n', token.start - 1) + 1, token.start)
  const next = text.indexOf('\n', token.end)
  return before.trim() === '' && /^[ \t\r\d]*$/.test(text.slice(token.end, next === -1 ? text.length : next))
}

function grow(growing: Growing, token: Token): void {
  const [first] = growing.tokens
  const previous = growing.tokens.at(-1)
  growing.end = token.end
  growing.isOpen ||= token.isOpen
  growing.lexemes++
  countChain(growing, token)
  if (token.end - (first ?? token).start > statementCharsMax || growing.lexemes > lexemesMax)
    growing.excess ??= 'too-long'
  if (token.depth > depthMax) growing.excess ??= 'too-deep'
  if (growing.chain > chainMax || growing.nestingWords > nestingWordsMax) growing.excess ??= 'too-many-operators'
  countBlocks(growing, token, previous)
  // Beyond a limit only the head is of use, for the verb.
  if (growing.excess === undefined || growing.tokens.length < 64) growing.tokens.push(token)
}

function countChain(growing: Growing, token: Token): void {
  if (token.kind === 'punctuation' && token.text === ',') growing.chain = 0
  else if (token.kind === 'punctuation' && operators.has(token.text)) growing.chain++
  if (token.kind !== 'word') return
  if (separators.has(token.text)) growing.chain = 0
  if (nesting.has(token.text)) growing.nestingWords++
}

function countBlocks(growing: Growing, token: Token, previous: Token | undefined): void {
  if (token.kind !== 'word') return
  const isDefinition = growing.tokens[0]?.text === 'CREATE' || growing.tokens[0]?.text === 'ALTER'
  if (isDefinition && growing.tokens.length < 12 && routine.has(token.text)) growing.isRoutine = true
  if (!growing.isRoutine) return
  if (token.text === 'BEGIN' || (token.text === 'CASE' && previous?.text !== 'END')) growing.blocks++
  else if (previous?.text === 'END' && ['IF', 'LOOP', 'WHILE', 'REPEAT', 'FOR'].includes(token.text)) growing.blocks++
  else if (token.text === 'END') growing.blocks = Math.max(0, growing.blocks - 1)
}
