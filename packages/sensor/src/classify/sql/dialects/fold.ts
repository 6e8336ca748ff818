import type { Path } from '../draft.ts'
import type { SqlDialect } from '../reading.ts'
import { isNode, type Node, nodeAt, textAt } from '../tree.ts'

/**
 * How a dialect tells identifiers apart. `keep`: as written (table names of MySQL and BigQuery, which depend on the
 * file system or are case-sensitive). `lower`: any case is the same (SQLite; SQL Server under its default collations;
 * columns of MySQL and BigQuery). `upper-bare`: unquoted ones in upper case, quoted ones as they are (Snowflake).
 */
type Rule = 'keep' | 'lower' | 'upper-bare'
type Role = 'table' | 'column'

const rules: Readonly<Record<SqlDialect, Record<Role, Rule>>> = {
  postgresql: { table: 'keep', column: 'keep' },
  mysql: { table: 'keep', column: 'lower' },
  mariadb: { table: 'keep', column: 'lower' },
  sqlite: { table: 'lower', column: 'lower' },
  tsql: { table: 'lower', column: 'lower' },
  bigquery: { table: 'keep', column: 'lower' },
  snowflake: { table: 'upper-bare', column: 'upper-bare' },
}

export interface Written {
  text: string
  isQuoted: boolean
}

export function fold(dialect: SqlDialect, written: Written, role: Role): string {
  const rule = rules[dialect][role]
  if (rule === 'keep') return written.text
  if (rule === 'lower') return written.text.toLowerCase()
  return written.isQuoted ? written.text : written.text.toUpperCase()
}

/** BigQuery quotes whole paths; SQL Server's four parts arrive with two of them in one. */
export function foldPath(dialect: SqlDialect, parts: readonly Written[]): Path {
  const splits = (part: Written) =>
    part.text.includes('.') && (dialect === 'bigquery' || (dialect === 'tsql' && !part.isQuoted))
  return parts
    .flatMap((part) => (splits(part) ? part.text.split('.').map((text) => ({ ...part, text })) : [part]))
    .map((part) => fold(dialect, part, 'table'))
}

export function writtenOf(value: unknown): Written | undefined {
  const node = isNode(value) ? (nodeAt(value, 'identifier') ?? value) : undefined
  const text = textAt(node, 'name')
  return text === undefined ? undefined : { text, isQuoted: node?.quoted === true }
}

/** A column's name, or a source's alias, which is compared like one. */
export function nameOf(dialect: SqlDialect, value: unknown): string | undefined {
  const written = writtenOf(value)
  return written === undefined ? undefined : fold(dialect, written, 'column')
}

/** Names of a list; some lists hold plain strings. */
export const namesOf = (dialect: SqlDialect, values: unknown): string[] =>
  (Array.isArray(values) ? values : [])
    .map((value) => (typeof value === 'string' ? nameOf(dialect, { name: value }) : nameOf(dialect, value)))
    .filter((name) => name !== undefined)

/** A table's path as the dialect compares it with qualifiers and with common table expressions. */
export const tableKey = (dialect: SqlDialect, path: Path): Path =>
  path.map((part) => (dialect === 'snowflake' ? part : part.toLowerCase()))

export function tablePath(dialect: SqlDialect, table: Node): Path {
  const parts = [table.catalog, table.schema, table.name].map(writtenOf)
  return foldPath(
    dialect,
    parts.filter((part) => part !== undefined),
  )
}
