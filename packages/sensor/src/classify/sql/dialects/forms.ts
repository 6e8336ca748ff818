import type { Draft } from '../draft.ts'
import { type Cursor, has, isDone, peek, take, takeColumns, takeKind, takeOne, takePath, takePaths } from './cursor.ts'
import { objectForms } from './objects.ts'
import { columnsOf, type Form, isBare, isMysql, onTables, plain, unseen } from './shape.ts'
import { transferForms } from './transfer.ts'

/** Statements of fixed shape, which general parsers leave out: read from their lexemes, or not at all. */
const transactions = new Set([
  'TRANSACTION',
  'TRAN',
  'WORK',
  'DEFERRED',
  'IMMEDIATE',
  'EXCLUSIVE',
  'CONCURRENT',
  'NAME',
  'DISTRIBUTED',
])

/** BEGIN alone opens a block in T-SQL and BigQuery, a transaction elsewhere. */
function begin(cursor: Cursor): Draft | undefined {
  const isBlock = ['tsql', 'bigquery'].includes(cursor.dialect) && isDone(cursor)
  const isOwn = isDone(cursor) || transactions.has(peek(cursor)?.text ?? '')
  return !isBlock && isOwn && isBare(cursor, 12) ? plain('begin') : undefined
}

const bare =
  (verb: string, max: number): Form =>
  (cursor) =>
    isBare(cursor, max) ? plain(verb) : undefined

/** GLOBAL and PERSIST outlast the session. A value that is a query is for the parser. */
function set(cursor: Cursor): Draft | undefined {
  if (
    has(
      cursor,
      'SELECT',
      'EXEC',
      'EXECUTE',
      'INSERT',
      'UPDATE',
      'DELETE',
      'DROP',
      'MERGE',
      'TRUNCATE',
      'IF',
      'WHILE',
      'DECLARE',
    )
  )
    return undefined
  const lasting =
    isMysql(cursor) &&
    (has(cursor, 'GLOBAL', 'PERSIST', 'PERSIST_ONLY', '@@GLOBAL', '@@PERSIST', 'PASSWORD') ||
      has(cursor, '@@PERSIST_ONLY'))
  return plain('set', lasting ? 'write' : 'read')
}

function declare(cursor: Cursor): Draft | undefined {
  const isQuiet = !has(
    cursor,
    'SELECT',
    'INSERT',
    'UPDATE',
    'DELETE',
    'EXEC',
    'EXECUTE',
    'DROP',
    'MERGE',
    'SET',
    'TRUNCATE',
    'IF',
    'WHILE',
  )
  return peek(cursor)?.text.startsWith('@') === true || cursor.dialect === 'bigquery'
    ? isQuiet
      ? plain('declare')
      : undefined
    : undefined
}

const shownTables = new Set(['COLUMNS', 'FIELDS', 'INDEX', 'INDEXES', 'KEYS'])

function show(cursor: Cursor): Draft | undefined {
  if (!isMysql(cursor)) return has(cursor, 'SELECT') ? undefined : plain('show')
  takeOne(cursor, 'FULL', 'EXTENDED')
  if (take(cursor, 'CREATE', 'TABLE') || take(cursor, 'CREATE', 'VIEW')) {
    const path = takePath(cursor)
    return path === undefined ? undefined : onTables(plain('show'), [path], 'read')
  }
  if (!shownTables.has(peek(cursor)?.text ?? '')) return has(cursor, 'SELECT') ? undefined : plain('show')
  cursor.at++
  const table = takeOne(cursor, 'FROM', 'IN') && takePath(cursor)
  const schema = takeOne(cursor, 'FROM', 'IN') && takePath(cursor)
  return table ? onTables(plain('show'), [[...(schema ?? []), ...table]], 'read') : undefined
}

/** DESCRIBE of a table; DESCRIBE of a statement is EXPLAIN, which the reader takes before it comes here. */
function describe(cursor: Cursor): Draft | undefined {
  const kind = takeOne(cursor, 'TABLE', 'VIEW', 'EXTERNAL', 'STAGE', 'USER', 'WAREHOUSE', 'PROCEDURE', 'FUNCTION')
  const path = takePath(cursor)
  if (path === undefined) return undefined
  const isRelation = kind === undefined || kind === 'TABLE' || kind === 'VIEW'
  return isRelation ? onTables(plain('describe'), [path], 'read') : plain('describe')
}

const pragmaTables = new Set([
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'foreign_key_list',
  'foreign_key_check',
])

/** A pragma with a value sets something; with a table in parentheses it reads. */
function pragma(cursor: Cursor): Draft | undefined {
  const name = takePath(cursor)?.at(-1)
  if (name === undefined) return undefined
  if (isDone(cursor))
    return plain('pragma', ['incremental_vacuum', 'wal_checkpoint', 'optimize'].includes(name) ? 'write' : 'read')
  if (take(cursor, '=')) return plain('pragma', 'write')
  if (!take(cursor, '(')) return undefined
  if (!pragmaTables.has(name))
    return plain('pragma', name.endsWith('_info') || name.endsWith('_check') ? 'read' : 'write')
  const path = takePath(cursor)
  return path === undefined ? plain('pragma', 'read') : onTables(plain('pragma', 'read'), [path], 'read')
}

function vacuum(cursor: Cursor): Draft | undefined {
  if (take(cursor, 'INTO') || (takePath(cursor) !== undefined && take(cursor, 'INTO')))
    return { ...plain('vacuum', 'external-send'), functions: ['file'] }
  return isDone(cursor) ? plain('vacuum') : undefined
}

/** Both words: EXECUTE IMMEDIATE takes text, EXECUTE name what was prepared or stored before. */
function execute(cursor: Cursor): Draft | undefined {
  const draft = plain('execute', 'unknown')
  if (take(cursor, 'IMMEDIATE') || peek(cursor)?.text === '(') return unseen(draft, 'code')
  if (cursor.dialect !== 'tsql') return takePath(cursor) === undefined ? undefined : unseen(draft, 'routine')
  if (peek(cursor)?.text.startsWith('@') === true) {
    cursor.at++
    if (!take(cursor, '=')) return unseen(draft, 'routine')
  }
  const path = takePath(cursor)
  if (path === undefined || !isCallTail(cursor)) return undefined
  const name = path.join('.').toLowerCase()
  return unseen({ ...draft, functions: [name] }, ...(name.endsWith('sp_executesql') ? [] : (['routine'] as const)))
}

/** Arguments of EXEC are constants and variables; a statement behind them is another statement. */
const isCallTail = (cursor: Cursor) => isBare(cursor, 400)

function call(cursor: Cursor): Draft | undefined {
  const path = takePath(cursor)
  if (path === undefined || has(cursor, 'SELECT')) return undefined
  return unseen({ ...plain('call', 'unknown'), functions: [path.join('.').toLowerCase()] }, 'routine')
}

/** PREPARE name FROM 'text' or @variable. */
function prepare(cursor: Cursor): Draft | undefined {
  const isForm =
    takePath(cursor) !== undefined && take(cursor, 'FROM') && (takeKind(cursor, 'string') || takeKind(cursor, 'word'))
  return isForm && isDone(cursor) ? unseen(plain('prepare', 'unknown'), 'code') : undefined
}

function tableMaintenance(verb: string): Form {
  return (cursor) => {
    takeOne(cursor, 'LOCAL', 'NO_WRITE_TO_BINLOG')
    takeOne(cursor, 'TABLE', 'TABLES')
    if (isDone(cursor)) return plain(verb)
    const paths = takePaths(cursor)
    return paths === undefined
      ? undefined
      : onTables(plain(verb), paths, verb === 'checksum' || verb === 'lock' ? 'read' : 'write')
  }
}

const attach: Form = () => ({ ...plain('attach'), functions: ['file'] })

/** INSERT … EXEC takes its rows from a routine (T-SQL). */
function insertExec(cursor: Cursor): Draft | undefined {
  if (cursor.dialect !== 'tsql') return undefined
  take(cursor, 'INTO')
  const path = takePath(cursor)
  const columns = takeColumns(cursor) ?? ['*']
  if (path === undefined || !takeOne(cursor, 'EXEC', 'EXECUTE')) return undefined
  const run = execute(cursor)
  if (run === undefined) return undefined
  const draft = onTables({ ...run, verb: 'insert', effect: 'write', bound: 'unknown' }, [path], 'write')
  return { ...draft, columns: columnsOf(path, columns) }
}

/** By the first keyword. A form that does not match leaves the statement to the parser. */
export const forms: Readonly<Record<string, Form>> = {
  ...objectForms,
  ...transferForms,
  BEGIN: begin,
  START: (cursor) => (take(cursor, 'TRANSACTION') && isBare(cursor, 12) ? plain('begin') : undefined),
  COMMIT: bare('commit', 8),
  END: bare('commit', 3),
  ROLLBACK: bare('rollback', 8),
  ABORT: bare('rollback', 3),
  SAVEPOINT: bare('savepoint', 1),
  SAVE: bare('savepoint', 3),
  RELEASE: bare('release', 3),
  USE: bare('use', 4),
  SET: set,
  DECLARE: declare,
  SHOW: show,
  DESCRIBE: describe,
  DESC: describe,
  PRAGMA: pragma,
  VACUUM: vacuum,
  ATTACH: attach,
  DETACH: bare('detach', 3),
  EXEC: execute,
  EXECUTE: execute,
  CALL: call,
  PREPARE: prepare,
  DEALLOCATE: bare('deallocate', 3),
  INSERT: insertExec,
  ANALYZE: tableMaintenance('analyze'),
  OPTIMIZE: tableMaintenance('optimize'),
  CHECKSUM: tableMaintenance('checksum'),
  REINDEX: tableMaintenance('reindex'),
  UNLOCK: bare('unlock', 2),
  KILL: bare('kill', 3),
  CHECKPOINT: bare('checkpoint', 2),
  SHUTDOWN: bare('shutdown', 3),
}
