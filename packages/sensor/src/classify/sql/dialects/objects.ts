import type { Draft, Path } from '../draft.ts'
import { type Cursor, isDone, peek, take, takeOne, takePath, takePaths, takeRest } from './cursor.ts'
import { type Form, isBare, onTables, plain, unseen } from './shape.ts'

/** Statements about objects as a whole, and about rights on them. */

function truncate(cursor: Cursor): Draft | undefined {
  take(cursor, 'TABLE')
  take(cursor, 'IF', 'EXISTS')
  const paths = takePaths(cursor)
  const isWhole = isDone(cursor) || take(cursor, 'WITH') || take(cursor, 'WAIT') || take(cursor, 'NOWAIT')
  return paths === undefined || !isWhole
    ? undefined
    : { ...onTables(plain('truncate'), paths, 'write'), bound: 'unbounded' }
}

const relations = new Set(['TABLE', 'VIEW'])

function drop(cursor: Cursor): Draft | undefined {
  takeOne(cursor, 'TEMPORARY', 'MATERIALIZED', 'EXTERNAL', 'SNAPSHOT')
  const kind = peek(cursor)
  if (kind?.kind !== 'word') return undefined
  cursor.at++
  take(cursor, 'IF', 'EXISTS')
  if (!relations.has(kind.text)) return isBare(cursor, 40) ? plain('drop') : undefined
  const paths = takePaths(cursor)
  takeOne(cursor, 'CASCADE', 'RESTRICT')
  return paths === undefined || !isDone(cursor) ? undefined : onTables(plain('drop'), paths, 'write')
}

/** GRANT … ON [TABLE] name TO …; rights on anything but a table name none. */
const grant =
  (verb: string): Form =>
  (cursor) => {
    while (!isDone(cursor) && peek(cursor)?.text !== 'ON' && peek(cursor)?.text !== 'TO') cursor.at++
    if (!take(cursor, 'ON')) return isDone(cursor) ? undefined : plain(verb)
    const kind = takeOne(
      cursor,
      'TABLE',
      'VIEW',
      'OBJECT',
      'SCHEMA',
      'DATABASE',
      'WAREHOUSE',
      'FUNCTION',
      'PROCEDURE',
      'ALL',
      'FUTURE',
      'ROLE',
    )
    take(cursor, ':', ':')
    if (kind !== undefined && !['TABLE', 'VIEW', 'OBJECT'].includes(kind)) return plain(verb)
    const path = takePath(cursor)
    const isTable = path !== undefined && !['.', '*'].includes(peek(cursor)?.text ?? '')
    return isTable ? onTables(plain(verb), [path], 'write') : takeRest(cursor) && plain(verb)
  }

function rename(cursor: Cursor): Draft | undefined {
  if (!takeOne(cursor, 'TABLE', 'TABLES')) return undefined
  const paths: Path[] = []
  do {
    const from = takePath(cursor)
    const to = take(cursor, 'TO') ? takePath(cursor) : undefined
    if (from === undefined || to === undefined) return undefined
    paths.push(from, to)
  } while (take(cursor, ','))
  return isDone(cursor) ? onTables(plain('rename'), paths, 'write') : undefined
}

/** Routines and triggers: their text is code, which is not read; a trigger's table is. */
function create(cursor: Cursor): Draft | undefined {
  while (takeOne(cursor, 'OR', 'REPLACE', 'ALTER', 'TEMP', 'TEMPORARY', 'SECURE', 'AGGREGATE'));
  if (take(cursor, 'DEFINER', '='))
    while (!isDone(cursor) && !['PROCEDURE', 'FUNCTION', 'TRIGGER', 'EVENT'].includes(peek(cursor)?.text ?? ''))
      cursor.at++
  const kind = takeOne(cursor, 'PROCEDURE', 'PROC', 'FUNCTION', 'TRIGGER', 'EVENT', 'TASK')
  if (take(cursor, 'VIRTUAL', 'TABLE')) {
    take(cursor, 'IF', 'NOT', 'EXISTS')
    const path = takePath(cursor)
    return path === undefined ? undefined : onTables(plain('create'), [path], 'write')
  }
  if (kind === undefined) return undefined
  const draft = unseen(plain('create'), 'code')
  if (kind !== 'TRIGGER') return draft
  while (!isDone(cursor) && !take(cursor, 'ON')) cursor.at++
  const path = takePath(cursor)
  return path === undefined ? undefined : onTables(draft, [path], 'write')
}

export const objectForms: Readonly<Record<string, Form>> = {
  TRUNCATE: truncate,
  DROP: drop,
  GRANT: grant('grant'),
  REVOKE: grant('revoke'),
  DENY: grant('deny'),
  RENAME: rename,
  CREATE: create,
}
