import { type Draft, emptyDraft, type Path } from '../draft.ts'
import type { SqlEffect } from '../reading.ts'
import {
  type Cursor,
  has,
  isDone,
  peek,
  take,
  takeColumns,
  takeKind,
  takeOne,
  takeParenthesized,
  takePath,
} from './cursor.ts'

/** Statements that carry rows or whole databases in and out. */

const moves = (verb: string, effect: SqlEffect, functions: readonly string[]): Draft => ({
  ...emptyDraft,
  verb,
  effect,
  functions,
  bound: 'none',
})

const into = (draft: Draft, path: Path, columns: readonly string[]): Draft => ({
  ...draft,
  tables: [{ path, isWritten: true }],
  columns: columns.map((name) => ({ path, name })),
})

/** LOAD DATA | XML … INFILE 'x' … INTO TABLE t … [(columns)] [SET …] (MySQL); LOAD DATA INTO t FROM FILES (BigQuery). */
function load(cursor: Cursor): Draft | undefined {
  if (!takeOne(cursor, 'DATA', 'XML')) return undefined
  if (cursor.dialect === 'bigquery') {
    const isOverwrite = takeOne(cursor, 'INTO', 'OVERWRITE') === 'OVERWRITE'
    const path = takePath(cursor)
    return path === undefined
      ? undefined
      : into(moves('load', isOverwrite ? 'destructive' : 'write', ['file']), path, ['*'])
  }
  while (takeOne(cursor, 'LOW_PRIORITY', 'CONCURRENT', 'LOCAL'));
  if (!take(cursor, 'INFILE') || !takeKind(cursor, 'string')) return undefined
  takeOne(cursor, 'REPLACE', 'IGNORE')
  const path = take(cursor, 'INTO', 'TABLE') ? takePath(cursor) : undefined
  if (path === undefined || has(cursor, 'SELECT')) return undefined
  while (!isDone(cursor) && peek(cursor)?.text !== '(' && peek(cursor)?.text !== 'SET') cursor.at++
  const listed = takeColumns(cursor) ?? []
  const columns = [...listed, ...assigned(cursor)]
  return into(moves('load', 'write', ['file']), path, columns.length > 0 ? columns : ['*'])
}

/** SET a = …, b = …: the names before the equal signs. */
function assigned(cursor: Cursor): string[] {
  const names: string[] = []
  if (!take(cursor, 'SET')) return names
  while (!isDone(cursor)) {
    const name = takePath(cursor)?.at(-1)
    if (name !== undefined && take(cursor, '=')) names.push(name.toLowerCase())
    while (!isDone(cursor) && !(peek(cursor)?.text === ',' && peek(cursor)?.depth === 0)) cursor.at++
    take(cursor, ',')
  }
  return names
}

/** BULK INSERT t FROM 'file' [WITH (…)]. */
function bulk(cursor: Cursor): Draft | undefined {
  const path = take(cursor, 'INSERT') ? takePath(cursor) : undefined
  if (path === undefined || !take(cursor, 'FROM') || !takeKind(cursor, 'string')) return undefined
  if (take(cursor, 'WITH') && !takeParenthesized(cursor)) return undefined
  return isDone(cursor) ? into(moves('bulk insert', 'write', ['file']), path, ['*']) : undefined
}

/** Where a backup goes to, or a database comes from, is outside, whatever the medium. */
function backup(cursor: Cursor): Draft | undefined {
  return takeOne(cursor, 'DATABASE', 'LOG', 'CERTIFICATE') && has(cursor, 'TO')
    ? moves('backup', 'external-send', ['file'])
    : undefined
}

function restore(cursor: Cursor): Draft | undefined {
  const kind = takeOne(cursor, 'DATABASE', 'LOG', 'FILELISTONLY', 'HEADERONLY', 'LABELONLY', 'VERIFYONLY')
  if (kind === undefined) return undefined
  return moves('restore', kind.endsWith('ONLY') ? 'read' : 'destructive', ['file'])
}

/** PUT file:///… @stage, GET @stage file:///…: between the client's machine and a stage (Snowflake). */
const transfer =
  (verb: string): ((cursor: Cursor) => Draft | undefined) =>
  (cursor) =>
    cursor.dialect === 'snowflake' ? moves(verb, 'external-send', ['file', 'stage']) : undefined

const stages = (verb: string, effect: SqlEffect) => (cursor: Cursor) =>
  cursor.dialect === 'snowflake' && peek(cursor)?.text.startsWith('@') === true
    ? moves(verb, effect, ['stage'])
    : undefined

/** A stage or an external location: `@name/path`, `@%table`, or a string. */
function takeLocation(cursor: Cursor): boolean {
  if (takeKind(cursor, 'string')) return true
  if (peek(cursor)?.text.startsWith('@') !== true) return false
  cursor.at++
  const path = new Set(['/', '.', '%', '~', '-', '@'])
  while (!isDone(cursor)) {
    const token = peek(cursor)
    const previous = cursor.tokens[cursor.at - 1]
    if (token === undefined || token.start !== previous?.end) return true
    if (token.kind === 'punctuation' && !path.has(token.text)) return true
    cursor.at++
  }
  return true
}

/** COPY INTO table FROM stage, COPY INTO stage FROM table (Snowflake). Queries are for the parser: see reader.ts. */
function copy(cursor: Cursor): Draft | undefined {
  if (cursor.dialect !== 'snowflake' || !take(cursor, 'INTO')) return undefined
  if (takeLocation(cursor)) {
    const path = take(cursor, 'FROM') ? takePath(cursor) : undefined
    if (path === undefined) return undefined
    const draft = into(moves('copy', 'external-send', ['stage']), path, ['*'])
    return { ...draft, tables: [{ path, isWritten: false }], bound: 'unbounded' }
  }
  const path = takePath(cursor)
  const columns = takeColumns(cursor) ?? ['*']
  if (path === undefined || !take(cursor, 'FROM') || !takeLocation(cursor)) return undefined
  return into(moves('copy', 'write', ['stage']), path, columns)
}

export const transferForms = {
  LOAD: load,
  BULK: bulk,
  BACKUP: backup,
  RESTORE: restore,
  PUT: transfer('put'),
  GET: transfer('get'),
  LIST: stages('list', 'read'),
  LS: stages('list', 'read'),
  REMOVE: stages('remove', 'destructive'),
  RM: stages('remove', 'destructive'),
  COPY: copy,
} as const
