import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { Extractor } from './extract/named.ts'
import type { Matcher } from './glob.ts'
import type { NameCondition } from './read-names.ts'
import type { SqlDialect } from './sql/reading.ts'

/** An argument that must be of a kind for the entry to hold. */
export interface Condition {
  pointer: string
  matches: Matcher
}

/** What statements in the arguments do or name, as entries without such conditions have them read. */
export type StatementCondition = Pick<NameCondition, 'match'> | NameCondition

/** Which arguments an extractor reads. */
export interface Extraction {
  /** Of the extractor, then of the entry: `path starter#filesystem-read`. */
  source: string
  extract: Extractor
  /** Of `sql`. */
  dialect: SqlDialect | undefined
  /** Whether what the text does is what the call does, where all of it was read. */
  decides: 'effect' | undefined
  /** Pointers by the part that they give; several for `text`, one for the others. */
  from: readonly { part: string; pointers: readonly string[] }[]
  /** Parts that are the same in every call. */
  fixed: Readonly<Record<string, string>>
}

/** What an entry says. What it leaves out stands as it was before. */
export interface Said {
  level?: string | undefined
  effect?: EffectClass | undefined
  owner?: string | undefined
  dataTypes?: readonly string[] | undefined
  subjectClass?: string | undefined
}

export interface Entry {
  /** `FILE#ID`. */
  source: string
  server: Matcher | undefined
  tool: Matcher | undefined
  resource: Matcher | undefined
  conditions: readonly Condition[]
  ofStatements: readonly StatementCondition[]
  said: Said
  extractions: readonly Extraction[] | undefined
}

/** The entries of all files, in the order in which they are applied: the later one wins. */
export interface Catalogue {
  /** SHA-256 over the files, base64. */
  hash: string
  levels: readonly string[]
  /** Servers that are also known by another name. */
  servers: ReadonlyMap<string, string>
  entries: readonly Entry[]
  /** Values of data from this level on are followed; undefined: none is. */
  followedFrom?: number | undefined
}
