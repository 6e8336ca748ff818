/** What can be told of a SQL text without asking the database. Plain values: no literal of the text is ever among them. */

export const sqlDialects = ['postgresql', 'mysql', 'mariadb', 'sqlite', 'tsql', 'bigquery', 'snowflake'] as const
export type SqlDialect = (typeof sqlDialects)[number]

/** DESIGN §6 classes; `unknown` where the statement runs code that is not in the text. */
export type SqlEffect = 'read' | 'write' | 'destructive' | 'external-send' | 'unknown'

/**
 * Whether the statement itself says which or how many rows (docs/SQL.md defines it); `unknown` where the rows come from
 * code that is not in the text, `none` where the question does not arise.
 */
export type SqlBound = 'bounded' | 'unbounded' | 'unknown' | 'none'

/** `code`: text of code that was not read. `routine`: a routine or prepared statement whose text is elsewhere. */
export type SqlUnseen = 'code' | 'routine'

export interface SqlTable {
  /** Qualified as written, folded as the dialect folds identifiers; parts that hold a dot or a quote stand in double quotes. */
  name: string
  access: 'read' | 'write'
}

export interface SqlColumn {
  /** Absent where the text does not tell the table. */
  table?: string
  /** `*` for all columns of the table. */
  name: string
}

export interface SqlStatement {
  kind: 'statement'
  /** In lower case, `select` or `bulk insert`. */
  verb: string
  effect: SqlEffect
  bound: SqlBound
  tables: SqlTable[]
  columns: SqlColumn[]
  /** Table functions, routines, functions that reach outside; `file`, `program`, `stage` for what else is named outside the database. */
  functions: string[]
  unseen: SqlUnseen[]
  /** How many tables, columns and functions were left off the lists. */
  unlisted: number
}

export const unparsableReasons = [
  'syntax',
  'too-long',
  'too-deep',
  'too-many-operators',
  'not-text',
  'no-parser',
  'failed',
] as const
export type UnparsableReason = (typeof unparsableReasons)[number]

/** A statement that no parser took. `verb` is what its leading keywords say; absent where they are none of the dialect's. */
export interface UnparsableStatement {
  kind: 'unparsable'
  reason: UnparsableReason
  verb?: string
  /** What that verb does at the least; `unknown` where there is none, or where it can do several things. */
  effect: SqlEffect
}

export interface SqlReading {
  dialect: SqlDialect
  statements: (SqlStatement | UnparsableStatement)[]
  /** Statements beyond the limit, which were not looked at. */
  unread: number
}
