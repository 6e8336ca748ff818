import type { SqlBound, SqlEffect, SqlUnseen } from './reading.ts'

/**
 * What a statement names and where, before names are resolved: the one shape that both parsers' trees are brought into.
 * Identifiers are folded already.
 */
export type Path = readonly string[]

export type Ref =
  | { kind: 'column'; path: Path }
  /** A bare name in ORDER BY and the like, where an output name comes before a column. */
  | { kind: 'sorted'; name: string }
  | { kind: 'star'; path: Path }
  /** A column of a table that is certain, such as one that a change assigns. */
  | { kind: 'owned'; path: Path; name: string }
  /** USING (name): a column of each side. */
  | { kind: 'shared'; name: string; sides: readonly (readonly Source[])[] }
  /** A call in an expression; kept where the function reaches outside. */
  | { kind: 'function'; name: string }
  /** Detached queries do not see the sources around them. */
  | { kind: 'query'; body: Body; isDetached: boolean }

export type Source =
  /** `key` is the path as names are compared, where that differs from how it is shown. */
  | { kind: 'table'; path: Path; key?: Path; alias?: string; isWritten: boolean }
  | { kind: 'query'; body: Body; alias?: string; columns?: readonly string[]; isLateral: boolean }
  | { kind: 'function'; name: string; alias?: string; columns?: readonly string[]; refs: readonly Ref[] }
  /** A name for rows of another source, such as EXCLUDED; never meant by a bare column. */
  | { kind: 'pseudo'; alias: string; path: Path }

export const keyOf = (source: Source & { kind: 'table' }): Path => source.key ?? source.path

export interface Cte {
  /** As names are compared. */
  name: string
  columns?: readonly string[]
  body: Body
}

export interface Change {
  kind: 'insert' | 'rows' | 'merge'
  effect: SqlEffect
  /** Where an INSERT's rows come from; absent for VALUES. */
  rows?: Body
}

export interface Body {
  ctes: readonly Cte[]
  /** Whether common table expressions see themselves and later ones. */
  isRecursive: boolean
  arms?: { operation: 'union' | 'intersect' | 'except'; left: Body; right: Body }
  from: readonly Source[]
  refs: readonly Ref[]
  /** Names of the output columns where all of them are told. */
  outputs?: readonly string[]
  /** Those names of output columns that are told. */
  labels: readonly string[]
  isFiltered: boolean
  isLimited: boolean
  /** Stands for one SELECT of the text. */
  isSelect?: true
  change?: Change
}

export interface Draft {
  verb: string
  effect: SqlEffect
  bodies: readonly Body[]
  /** Whether the bodies are executed; those of a view or a plain EXPLAIN are not. */
  isRun: boolean
  /** Tables and columns named outside any query. */
  tables: readonly { path: Path; isWritten: boolean }[]
  columns: readonly { path: Path; name: string }[]
  functions: readonly string[]
  unseen: readonly SqlUnseen[]
  /** Where the bodies do not decide. */
  bound?: SqlBound
}

export const emptyBody: Body = {
  ctes: [],
  isRecursive: false,
  from: [],
  refs: [],
  labels: [],
  isFiltered: false,
  isLimited: false,
}

export const emptyDraft: Omit<Draft, 'verb' | 'effect'> = {
  bodies: [],
  isRun: true,
  tables: [],
  columns: [],
  functions: [],
  unseen: [],
}
