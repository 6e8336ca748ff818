import type { Check, SuiteRun } from './suite.ts'

/** The same subject, tested three times: twice directly, so that what the suite itself lets waver is known, and once through the gateway. */
export interface Ways {
  direct: SuiteRun
  again: SuiteRun
  gateway: SuiteRun
}
/** A check of which two runs say different things; each side lists the statuses of all its occurrences. */
export interface Difference {
  scenario: string
  id: string
  expected: string
  found: string
}
export interface Verdict {
  scenarios: number
  checks: number
  statuses: Record<string, number>
  /** Between the direct run and the one through the gateway. */
  differences: Difference[]
  /** Between the two direct runs. */
  unstable: Difference[]
  crashed: string[]
  /** Checks that neither passed nor only inform; alike on all ways where there are no differences. */
  unpassed: Check[]
  isEqual: boolean
}

const count = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

function statusesByCheck(checks: readonly Check[]): Map<string, string> {
  const statuses = new Map<string, string[]>()
  for (const { scenario, id, status } of checks) {
    const key = `${scenario}\n${id}`
    statuses.set(key, [...(statuses.get(key) ?? []), status])
  }
  return new Map([...statuses].map(([key, found]) => [key, found.sort().join(' ')]))
}

export function differ(expected: readonly Check[], found: readonly Check[]): Difference[] {
  const [a, b] = [statusesByCheck(expected), statusesByCheck(found)]
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => a.get(key) !== b.get(key))
    .map((key) => {
      const [scenario = '', id = ''] = key.split('\n')
      return { scenario, id, expected: a.get(key) ?? 'absent', found: b.get(key) ?? 'absent' }
    })
}

/** Equality is claimed only where something was checked, nothing crashed and nothing wavers. */
export function judge({ direct, again, gateway }: Ways): Verdict {
  const differences = differ(direct.checks, gateway.checks)
  const unstable = differ(direct.checks, again.checks)
  const crashed = [...new Set([direct, again, gateway].flatMap((run) => run.crashed))]
  const { checks } = direct
  return {
    scenarios: new Set(checks.map(({ scenario }) => scenario)).size,
    checks: checks.length,
    statuses: count(checks.map(({ status }) => status)),
    differences,
    unstable,
    crashed,
    unpassed: checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO'),
    isEqual: checks.length > 0 && differences.length + unstable.length + crashed.length === 0,
  }
}
