import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { Resource, Statement } from '@affidavit/evidence/record/resources-section'

/** Something that an argument names, as it is named there: not redacted yet. */
export interface Named {
  type: Resource['type']
  name: string
  access?: Resource['access'] | undefined
  /** The database may take it for a value all the same, as SQLite does with a quoted name that it does not know. */
  mayBeValue?: true
}

export interface Extracted {
  named: Named[]
  /** What the text itself does, where it is one that does something; `unknown`: it may do anything. */
  effects?: readonly (EffectClass | 'unknown')[]
  /** Why there may be more than is named, as a code. */
  problem?: string
  statements?: readonly Omit<Statement, 'source'>[]
  /** How many statements there are that nobody looked at. */
  unreadStatements?: number
}

/** Parts by their names (docs/CATALOGUE.md); `text` where one argument holds the whole. */
export type Parts = Readonly<Record<string, string>>

export type Extractor = (parts: Parts) => Extracted

export const nothingNamed: Extracted = { named: [] }

export function unreadable(problem: string): Extracted {
  return { named: [], problem }
}
