import { basename, dirname, resolve } from 'node:path'
import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import { type EmbeddedDecisionPoint, openEmbedded } from '../policy/embedded.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { casesSchema, type PolicyCase, toPolicyRequest } from './policy-cases.ts'
import { toPrintable } from './printable.ts'
import { UsageError } from './usage-error.ts'
import { parseYamlConfig, readText } from './yaml-config.ts'

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
  const text = readText(path, sayNoCases)
  const { policies, schema, onError = 'deny', cases } = parseYamlConfig(path, text, { schema: casesSchema, remedy })
  const named = (kind: 'policy' | 'schema') => (file: string) => ({
    name: basename(file),
    text: readText(resolve(dirname(path), file), (missing) => sayNotBeside(path, kind, missing)),
  })
  const source = {
    policies: policies.map(named('policy')),
    schema: schema === undefined ? undefined : named('schema')(schema),
  }
  const point = await openOrSay(() => openEmbedded({ source, onError }))
  const results = cases.map((each) => testCase(point, each))
  const tested = new Set(results.flatMap(({ determining }) => determining))
  return { hash: point.hash, results, untested: point.ids.filter((id) => !tested.has(id)) }
}

const smallest = `policies: [starter.cedar]          # relative to this file
cases:
  - name: an agent reads
    request: { effect: read, server: wiki, tool: search }
    expect: { decision: permit }`

/** Whoever has no such file begins. */
function sayNoCases(path: string): UsageError {
  return new UsageError(
    'AFD_CONFIG_UNREADABLE',
    `there is no file of expectations ${resolve(path)}`,
    'Begin with the smallest (docs/POLICY.md has the form), or copy content/policies/starter.test.yaml.',
    `\n${smallest}\n`,
  )
}

function sayNotBeside(path: string, kind: 'policy' | 'schema', missing: string): UsageError {
  const key = kind === 'policy' ? 'policies' : 'schema'
  return new UsageError(
    'AFD_CONFIG_UNREADABLE',
    `${path} names under ${key} a file that is not there: ${missing}`,
    `Paths in it are relative to ${dirname(resolve(path))}. A policy to begin with: @id("all") permit (principal, action, resource);`,
  )
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
    ...differApproval(expect.approval, ruling.asksApproval),
  ]
  return { name, decision, determining, wrong, section }
}

function differ(what: string, expected: readonly string[] | undefined, got: readonly string[]): string[] {
  if (expected === undefined || expected.toSorted().join('\n') === got.toSorted().join('\n')) return []
  const list = (all: readonly string[]) => (all.length === 0 ? 'none' : all.join(', '))
  return [`expected ${what} ${list(expected)}, got ${list(got)}`]
}

/** Whether somebody could let it pass, where approvals are configured. */
function differApproval(expected: boolean | undefined, asking: readonly string[] | undefined): string[] {
  if (expected === undefined || expected === (asking !== undefined)) return []
  return [
    expected
      ? 'expected that an approval would do, and it would not'
      : 'expected that no approval would do, and one would',
  ]
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
