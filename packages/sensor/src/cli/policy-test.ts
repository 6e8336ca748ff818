import { basename, dirname, resolve } from 'node:path'
import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import { type EmbeddedDecisionPoint, openEmbedded } from '../policy/embedded.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { casesSchema, type PolicyCase, toPolicyRequest } from './policy-cases.ts'
import { toPrintable } from './printable.ts'
import { UsageError } from './usage-error.ts'
import { loadYamlConfig, readText } from './yaml-config.ts'

/** What came of one expectation. `wrong` is empty where it was met. */
export interface CaseResult {
  name: string
  decision: 'permit' | 'deny'
  determining: readonly string[]
  wrong: string[]
  section: DecisionSection
}

export interface TestedPolicies {
  hash: string
  results: CaseResult[]
  /** Policies that determined no decision of any case: what they say is not tested. */
  untested: string[]
}

const remedy = 'docs/POLICY.md has the form of such a file.'

/** Decides every case of a file. Throws UsageError where the file, or a policy, is none. */
export async function testPolicies(path: string): Promise<TestedPolicies> {
  const { policies, schema, onError = 'deny', cases } = loadYamlConfig(path, { schema: casesSchema, remedy })
  const named = (file: string) => ({ name: basename(file), text: readText(resolve(dirname(path), file)) })
  const source = { policies: policies.map(named), schema: schema === undefined ? undefined : named(schema) }
  const point = await openOrSay(() => openEmbedded({ source, onError }))
  const results = cases.map((each) => testCase(point, each))
  const tested = new Set(results.flatMap(({ determining }) => determining))
  return { hash: point.hash, results, untested: point.ids.filter((id) => !tested.has(id)) }
}

async function openOrSay(open: () => Promise<EmbeddedDecisionPoint>): Promise<EmbeddedDecisionPoint> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(error.code, error.message, error.remedy)
    throw error
  }
}

/** Nothing is redacted: the values are those of the file. */
function testCase(point: EmbeddedDecisionPoint, { name, request, expect }: PolicyCase): CaseResult {
  const ruling = point.decide(toPolicyRequest(request), { keepsValues: true, redact: (json) => json })
  const { section } = ruling
  const decision = ruling.disposition === 'granted' ? 'permit' : 'deny'
  const { determining = [], obligations } = section
  const wrong = [
    ...(decision === expect.decision ? [] : [`expected ${expect.decision}, got ${decision}`]),
    ...differ('determined by', expect.determining, determining),
    ...differ('obligations', expect.obligations, obligations),
  ]
  return { name, decision, determining, wrong, section }
}

function differ(what: string, expected: readonly string[] | undefined, got: readonly string[]): string[] {
  if (expected === undefined || expected.toSorted().join('\n') === got.toSorted().join('\n')) return []
  const list = (all: readonly string[]) => (all.length === 0 ? 'none' : all.join(', '))
  return [`expected ${what} ${list(expected)}, got ${list(got)}`]
}

/** For people: a line per case, and of those that failed what every condition saw. */
export function formatTested({ results, untested }: TestedPolicies): string {
  const failed = results.filter(({ wrong }) => wrong.length > 0)
  const lines = results.flatMap((result) =>
    result.wrong.length === 0 ? [`ok    ${result.name}`] : formatFailed(result),
  )
  const untestedLine = untested.length === 0 ? [] : [`no case is decided by: ${untested.join(', ')}`]
  const sum = `${results.length - failed.length} passed, ${failed.length} failed`
  return [...lines, '', ...untestedLine, sum, ''].map(toPrintable).join('\n')
}

function formatFailed({ name, wrong, section }: CaseResult): string[] {
  const seen = section.conditions.map(
    ({ policy, condition, value, result }) =>
      `      ${policy}: ${condition} ${result}${value === '' ? '' : ` (${value})`}`,
  )
  return [`FAIL  ${name}`, ...wrong.map((each) => `      ${each}`), `      ${section.rationale}`, ...seen]
}
