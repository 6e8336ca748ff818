import { createHash } from 'node:crypto'
import { clipText } from '@affidavit/evidence/record/text'
import type { Cedar } from './cedar-engine.ts'
import { type AttributePath, findPaths } from './clause-paths.ts'
import { PolicyError } from './policy-error.ts'
import { hashPolicySet, type NamedText, type PolicySource } from './policy-set.ts'

/** A `when` or `unless` of a policy. */
export interface Clause {
  /** As Cedar writes it: `when { context.time.hour >= 8 }`. */
  text: string
  paths: AttributePath[]
  /** A policy of this clause alone, to see what it says. */
  probe: string
}

export interface CompiledPolicy {
  id: string
  effect: 'permit' | 'forbid'
  /** SHA-256 of its text, base64. */
  definition: string
  text: string
  /** Its scope alone, as a policy, to see whether it applies. */
  scope: string
  clauses: Clause[]
  /** Of its annotation `@reason`, for people. */
  reason: string | undefined
  obligations: string[]
}

export interface CompiledSet {
  hash: string
  version: string | undefined
  policies: CompiledPolicy[]
}

const policiesMax = 10_000
type Json = NonNullable<Extract<ReturnType<Cedar['policyToJson']>, { type: 'success' }>>['json']
interface Problem {
  message: string
  sourceLocations?: { start: number }[]
}

/** Throws PolicyError `AFD_POLICY_INVALID`, which names file and line, or file and policy. */
export function compileSet(cedar: Cedar, source: PolicySource): CompiledSet {
  const policies = source.policies.flatMap((text) => compileText(cedar, text))
  if (policies.length > policiesMax) throw invalid(`the set has ${policies.length} policies, at most ${policiesMax}`)
  refuseTwice(policies.map(({ id }) => id))
  if (source.schema !== undefined) validate(cedar, policies, source.schema)
  return { hash: hashPolicySet(source), version: source.version, policies }
}

function compileText(cedar: Cedar, { name, text }: NamedText): CompiledPolicy[] {
  const parts = cedar.policySetTextToParts(text)
  if (parts.type === 'failure') throw invalid(sayProblem(name, text, parts.errors))
  if (parts.policy_templates.length > 0)
    throw invalid(`${name}: there are templates (?principal, ?resource), and nothing that links them`)
  return parts.policies.map((policy) => compilePolicy(cedar, name, policy))
}

function compilePolicy(cedar: Cedar, name: string, text: string): CompiledPolicy {
  const read = cedar.policyToJson(text)
  if (read.type === 'failure') throw invalid(sayProblem(name, text, read.errors))
  const { json } = read
  const { id, reason, obligation } = json.annotations ?? {}
  if (id === undefined || id === '')
    throw invalid(
      `${name}: a policy has no @id: ${text.trim().split('\n', 1)[0]?.slice(0, 80)}`,
      'Write @id("a-name") above it: records name policies by it.',
    )
  if (id !== clipText(id)) throw invalid(`${name}: an @id is longer than 256 bytes: ${id.slice(0, 40)}…`)
  if (holdsUnsafe(json.conditions))
    throw invalid(
      `${name}: ${id} has a number beyond 2^53`,
      'Write a smaller one: in between, numbers would be taken for others.',
    )
  const clauses = json.conditions.map((clause) => compileClause(cedar, clause))
  return {
    id,
    effect: json.effect,
    definition: createHash('sha256').update(text).digest('base64'),
    text,
    scope: print(cedar, { ...json, effect: 'permit', conditions: [], annotations: {} }),
    clauses,
    reason: reason === undefined || reason === '' ? undefined : clipText(reason, 1024),
    obligations: (obligation ?? '').split(',').flatMap((each) => (each.trim() === '' ? [] : [clipText(each.trim())])),
  }
}

/** The engine hands policies out as JSON, in which JavaScript rounds such numbers. */
function holdsUnsafe(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsUnsafe)
}

function compileClause(cedar: Cedar, clause: Json['conditions'][number]): Clause {
  const any = { op: 'All' } as const
  const probe = print(cedar, {
    effect: 'permit',
    principal: any,
    action: any,
    resource: any,
    conditions: [clause],
    annotations: {},
  })
  const [, text = clause.kind] = /\)\s*((?:when|unless)[\s\S]*?)\s*;\s*$/.exec(probe) ?? []
  return { text: clipText(text.replaceAll(/\s+/g, ' '), 1024), paths: findPaths(clause.body), probe }
}

function print(cedar: Cedar, json: Json): string {
  const printed = cedar.policyToText(json)
  if (printed.type === 'failure') throw invalid(printed.errors.map(({ message }) => message).join('; '))
  return printed.text
}

/** Attributes and types are checked against the schema now; what requests hold, nobody has to check then. */
function validate(cedar: Cedar, policies: readonly CompiledPolicy[], { name, text }: NamedText): void {
  const read = cedar.checkParseSchema(text)
  if (read.type === 'failure') throw invalid(sayProblem(name, text, read.errors))
  const staticPolicies = Object.fromEntries(policies.map((policy) => [policy.id, policy.text]))
  const answer = cedar.validate({ schema: text, policies: { staticPolicies } })
  const [problem] = answer.type === 'failure' ? answer.errors : answer.validationErrors.map(({ error }) => error)
  if (problem !== undefined) throw invalid(`by the schema ${name}: ${problem.message}`)
}

function refuseTwice(ids: readonly string[]): void {
  const seen = new Set<string>()
  const twice = ids.find((id) => seen.size === seen.add(id).size)
  if (twice !== undefined) throw invalid(`two policies have the @id ${twice}`, 'Give each a name of its own.')
}

function sayProblem(name: string, text: string, problems: readonly Problem[]): string {
  const [problem] = problems
  const start = problem?.sourceLocations?.[0]?.start
  // Cedar counts bytes.
  const line = start === undefined ? '' : `, line ${Buffer.from(text).subarray(0, start).toString().split('\n').length}`
  return `${name}${line}: ${problem?.message ?? 'cannot be read'}`
}

function invalid(message: string, remedy = 'Correct the policy; docs/POLICY.md says what requests hold.'): PolicyError {
  return new PolicyError('AFD_POLICY_INVALID', message, remedy)
}
