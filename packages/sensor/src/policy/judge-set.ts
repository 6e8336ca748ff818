import type { Cedar } from './cedar-engine.ts'
import type { CedarRequest } from './cedar-request.ts'
import { actionOf, resourceOf, toCedarRequest } from './cedar-request.ts'
import type { ArgumentProblem } from './cedar-value.ts'
import type { CompiledPolicy, CompiledSet } from './compile.ts'
import type { PolicyRequest } from './decision-point.ts'
import { toPrincipal } from './principal.ts'

/** What a clause came to: `holds` lets its policy apply further, whether it is a `when` or an `unless`. */
export type ClauseResult = 'holds' | 'fails' | 'error'

export interface JudgedPolicy {
  policy: CompiledPolicy
  verdict: 'permit' | 'forbid' | 'inapplicable' | 'error'
  /** One per clause up to the first that did not hold; those after it were not evaluated. */
  clauses: ClauseResult[]
  /** What the engine said where it could not evaluate it. */
  error?: string
}

export interface Judgement {
  decision: 'allow' | 'deny'
  /** Every policy whose scope matches. */
  applicable: JudgedPolicy[]
  determining: string[]
  request: CedarRequest | undefined
  problem?: ArgumentProblem | 'engine_failed'
}

/** Policies that have the scope of one request in common, as the engine keeps them. */
interface Group {
  policies: readonly CompiledPolicy[]
  /** Names under which the engine has the policies, and their clauses one by one. */
  name: string
  probes: string
  keys: ReadonlySet<string> | 'all'
}

const groupsMax = 128
const scopesMax = 4096

/** Judges requests by one set of policies, which the engine has parsed before. */
export interface Judge {
  judge(request: PolicyRequest): Judgement
}

/**
 * Which policies apply depends on principal, action and resource only and is the same for most calls, so it is asked once
 * per scope; then only those are evaluated. A policy whose scope does not match takes no part in Cedar's decision. `name`:
 * under which the engine keeps what is made of the set.
 */
export function createJudge(cedar: Cedar, set: CompiledSet, name: string): Judge {
  prepare(cedar, `${name}/scopes`, Object.fromEntries(set.policies.map(({ id, scope }) => [id, scope])))
  const everything = prepareGroup(cedar, `${name}/all`, set.policies)
  const groups = new Map<string, Group>()
  const scopes = new WeakMap<Uint8Array, Map<string, readonly CompiledPolicy[]>>()

  const applicableTo = (request: PolicyRequest): readonly CompiledPolicy[] => {
    const action = actionOf(request)
    const resource = resourceOf({ ...request, resources: undefined })
    const key = JSON.stringify([action.uid.id, resource.uid])
    const known = scopes.get(request.identity) ?? new Map<string, readonly CompiledPolicy[]>()
    scopes.set(request.identity, known)
    const found = known.get(key)
    if (found !== undefined) return found
    const { uid: principal, entities } = toPrincipal(request.identity)
    const answer = ask(cedar, `${name}/scopes`, {
      principal,
      action: action.uid,
      resource: resource.uid,
      entities: [...entities, action, resource],
      context: {},
    })
    const ids = new Set(answer.diagnostics.reason)
    const applicable = set.policies.filter(({ id }) => ids.has(id))
    if (known.size >= scopesMax) known.clear()
    known.set(key, applicable)
    return applicable
  }

  const groupOf = (policies: readonly CompiledPolicy[]): Group => {
    const key = policies.map(({ id }) => id).join('\n')
    const known = groups.get(key)
    if (known !== undefined) return known
    if (groups.size >= groupsMax || policies.length === set.policies.length) return { ...everything, policies }
    const group = prepareGroup(cedar, `${name}/${groups.size}`, policies)
    groups.set(key, group)
    return group
  }

  return {
    judge(asked) {
      const group = groupOf(applicableTo(asked))
      const built = toCedarRequest(asked, group.keys)
      if ('problem' in built) return unjudged(group, undefined, built.problem)
      return judgeGroup(cedar, group, built.request)
    },
  }
}

function prepareGroup(cedar: Cedar, name: string, policies: readonly CompiledPolicy[]): Group {
  prepare(cedar, name, Object.fromEntries(policies.map(({ id, text }) => [id, text])))
  const probes = policies.flatMap(({ id, clauses }) => clauses.map(({ probe }, i) => [`${id}\n${i}`, probe] as const))
  prepare(cedar, `${name}/probes`, Object.fromEntries(probes))
  const all = policies.map(({ argumentKeys }) => argumentKeys)
  const keys = all.includes('all') ? 'all' : new Set(all.flatMap((each) => (each === 'all' ? [] : [...each])))
  return { policies, name, probes: `${name}/probes`, keys }
}

function prepare(cedar: Cedar, name: string, staticPolicies: Record<string, string>): void {
  const answer = cedar.preparsePolicySet(name, { staticPolicies })
  if (answer.type === 'failure') throw new EngineError(answer.errors.map(({ message }) => message).join('; '))
}

/** The engine did not take what was compiled, or what was built for it. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code = 'engine_failed'
  readonly retry = false
}

function ask(cedar: Cedar, preparsedPolicySetId: string, request: CedarRequest) {
  const answer = cedar.statefulIsAuthorized({ ...request, preparsedPolicySetId })
  if (answer.type === 'failure') throw new EngineError(answer.errors.map(({ message }) => message).join('; '))
  return answer.response
}

function judgeGroup(cedar: Cedar, group: Group, request: CedarRequest): Judgement {
  const { decision, diagnostics } = ask(cedar, group.name, request)
  const determining = new Set(diagnostics.reason)
  const errors = new Map(diagnostics.errors.map(({ policyId, error }) => [policyId, error.message]))
  const isUnknown = ({ id, clauses }: CompiledPolicy) =>
    clauses.length > 0 && !determining.has(id) && (clauses.length > 1 || !errors.has(id))
  const probed = group.policies.some(isUnknown) ? ask(cedar, group.probes, request).diagnostics : undefined
  const holding = new Set(probed?.reason)
  const failing = new Set(probed?.errors.map(({ policyId }) => policyId))
  const resultOf = (id: string, i: number): ClauseResult =>
    holding.has(`${id}\n${i}`) ? 'holds' : failing.has(`${id}\n${i}`) ? 'error' : 'fails'
  const applicable = group.policies.map((policy): JudgedPolicy => {
    const { id, effect, clauses } = policy
    const error = errors.get(id)
    if (determining.has(id)) return { policy, verdict: effect, clauses: clauses.map(() => 'holds') }
    if (error !== undefined && clauses.length === 1) return { policy, verdict: 'error', clauses: ['error'], error }
    const results = clauses.map((_, i) => resultOf(id, i))
    const end = results.findIndex((result) => result !== 'holds')
    const evaluated = end < 0 ? results : results.slice(0, end + 1)
    if (error !== undefined) return { policy, verdict: 'error', clauses: evaluated, error }
    return { policy, verdict: end < 0 ? effect : 'inapplicable', clauses: evaluated }
  })
  return { decision, applicable, determining: diagnostics.reason.toSorted(), request }
}

function unjudged({ policies }: Group, request: CedarRequest | undefined, problem: ArgumentProblem): Judgement {
  const applicable = policies.map((policy): JudgedPolicy => ({ policy, verdict: 'error', clauses: [], error: problem }))
  return { decision: 'deny', applicable, determining: [], request, problem }
}
