import type { RuleClass } from './rule.ts'
import { scanString } from './scan-string.ts'
import { scanNestedJson } from './walk-json.ts'

export interface Span {
  start: number
  end: number
  rule: string
  class: RuleClass
}

/** Where the rules match in plain text, and which: for measuring them. Default: secrets alone. */
export function spansOf(text: string, classes: readonly RuleClass[] = ['secret']): Span[] {
  const matches = scanString(
    text,
    {
      enabled: new Set(classes),
      disabledRules: new Set(),
      userRules: [],
      known: new Map(),
      deadline: Number.POSITIVE_INFINITY,
      cleanNames: [],
      work: { left: 100_000_000 },
      scanNested: scanNestedJson,
    },
    0,
  )
  return matches.map(({ start, end, rule, class: ruleClass }) => ({ start, end, rule, class: ruleClass }))
}
