import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { Resource, Statement } from '@affidavit/evidence/record/resources-section'

/** Something that an argument names, as it is named there: not redacted yet. */
export interface Named {
  type: Resource['type']
  name: string
  access?: Resource['access'] | undefined
  /** Whether it may be a value that was meant all the same. Asked where no values are kept: it takes a look at the whole text. */
  mayBeValue?: () => boolean
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
