import { type Draft, emptyDraft, type Path } from '../draft.ts'
import { effectOfVerb } from '../effect.ts'
import type { SqlDialect, SqlEffect, SqlUnseen } from '../reading.ts'
import type { Cursor } from './cursor.ts'

/** What the forms of fixed shape are made of. A form returns a draft where the statement has its shape. */
export type Form = (cursor: Cursor) => Draft | undefined

export const plain = (verb: string, effect: SqlEffect = effectOfVerb(verb)): Draft => ({
  ...emptyDraft,
  verb,
  effect,
  bound: 'none',
})
export const onTables = (draft: Draft, paths: readonly Path[], access: 'read' | 'write'): Draft => ({
  ...draft,
  tables: paths.map((path) => ({ path, isWritten: access === 'write' })),
})
export const columnsOf = (path: Path, names: readonly string[]) => names.map((name) => ({ path, name }))
export const unseen = (draft: Draft, ...parts: readonly SqlUnseen[]): Draft => ({ ...draft, unseen: parts })

const mysqls: readonly SqlDialect[] = ['mysql', 'mariadb']
export const isMysql = (cursor: Cursor) => mysqls.includes(cursor.dialect)

const starters = new Set([
  'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'DROP', 'EXEC', 'EXECUTE', 'TRUNCATE', 'CALL', 'ALTER', 'CREATE', 'DECLARE', 'SET',
  'IF', 'WHILE', 'BACKUP', 'RESTORE', 'BULK', 'GRANT', 'REVOKE', 'DENY', 'SHUTDOWN', 'CHECKPOINT', 'RECONFIGURE', 'KILL', 'USE',
]) // biome-ignore format: a list

/** Words and numbers alone: no room for a query, a function or a second statement. */
export const isBare = (cursor: Cursor, max: number) => {
  const rest = cursor.tokens.slice(cursor.at)
  return rest.length <= max && rest.every((token) => !starters.has(token.text) && !['(', ')'].includes(token.text))
}
