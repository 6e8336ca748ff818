import type { Difference, Verdict } from './compare.ts'
import { testSubjects } from './conformance.ts'

/**
 * `npm run conformance`: the official suite against servers on the official SDKs, directly and through the gateway. Prints
 * what was checked and everything that is not alike; exits with 1 where anything differs, wavers, crashed, or was not checked.
 */
const lines = (title: string, found: readonly Difference[]) =>
  found.map(({ scenario, id, expected, found }) => `  ${title}: ${scenario} / ${id}: ${expected} | ${found}`)

function tell(name: string, verdict: Verdict): void {
  const statuses = Object.entries(verdict.statuses).map(([status, times]) => `${times} ${status}`)
  const sums = `${verdict.scenarios} scenarios, ${verdict.checks} checks (${statuses.join(', ')})`
  console.log(`${name}: ${sums}: ${verdict.isEqual ? 'equal' : 'NOT EQUAL'}`)
  const told = [
    ...verdict.unpassed.map(({ scenario, id, status }) => `  not passed directly: ${scenario} / ${id}: ${status}`),
    ...lines('direct | gateway', verdict.differences),
    ...lines('wavers, direct | direct again', verdict.unstable),
    ...verdict.crashed.map((scenario) => `  crashed: ${scenario}`),
  ]
  for (const line of told) console.log(line)
}

const help = `Usage: npm run conformance

Runs the official MCP conformance suite against servers on the official SDKs: directly, directly again, and through
'affidavit gateway'. Prints what was checked and whatever is not alike.

Exit codes: 0 equal; 1 something differs, wavers, crashed or was not checked; 2 the arguments are wrong.
`

async function main(argv: readonly string[]): Promise<number> {
  if (argv.length > 0) {
    const isHelp = argv[0] === '--help' || argv[0] === '-h'
    ;(isHelp ? process.stdout : process.stderr).write(help)
    return isHelp ? 0 : 2
  }
  const verdicts = await testSubjects((name, verdict) => tell(`asked again: ${name}`, verdict))
  for (const [name, verdict] of verdicts) tell(name, verdict)
  return [...verdicts.values()].every(({ isEqual }) => isEqual) ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
