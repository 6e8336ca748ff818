import type { EffectClass } from '@affidavit/evidence/record/kinds'
import type { Resource } from '@affidavit/evidence/record/resources-section'

/** Something that an argument names, as it is named there: not redacted yet. */
export interface Named {
  type: Resource['type']
  name: string
}

export interface Extracted {
  named: Named[]
  /** What the text itself does, where it is one that does something; `unknown`: it may do anything. */
  effect?: EffectClass | 'unknown'
  /** Why there may be more than is named, as a code. */
  problem?: string
}

/** Parts by their names (docs/CATALOGUE.md); `text` where one argument holds the whole. */
export type Parts = Readonly<Record<string, string>>

export type Extractor = (parts: Parts) => Extracted

export const nothingNamed: Extracted = { named: [] }

export function unreadable(problem: string): Extracted {
  return { named: [], problem }
}
