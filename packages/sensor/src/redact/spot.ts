import type { RuleClass } from './rule.ts'
import { type Scan, scanString } from './scan-string.ts'

const classes: ReadonlySet<RuleClass> = new Set(['secret', 'card', 'iban', 'email', 'ssn', 'phone'])
const workPerUnit = 4
const workMin = 16_384

/**
 * What the default rules find in a text that nobody is going to keep: to say what kind of text it is. Throws nothing that
 * scanning does not; users' patterns and their switches are for what is kept, and play no part.
 */
export function spot(text: string, onFound: (found: { class: RuleClass; value: string }) => void): void {
  const scan: Scan = {
    enabled: classes,
    disabledRules: new Set(),
    userRules: [],
    known: new Map(),
    work: { left: text.length * workPerUnit + workMin },
    deadline: Number.POSITIVE_INFINITY,
    cleanNames: [],
    scanNested: () => undefined,
  }
  for (const match of scanString(text, scan, 0)) for (const removed of match.removed) onFound(removed)
}
