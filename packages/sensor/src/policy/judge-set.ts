import type { Cedar } from './cedar-engine.ts'
import type { CedarRequest } from './cedar-request.ts'
import { actionOf, resourceOf, toCedarRequest } from './cedar-request.ts'
import type { ArgumentProblem } from './cedar-value.ts'
import { type AttributePath, argumentKeys } from './clause-paths.ts'
import type { CompiledPolicy, CompiledSet } from './compile.ts'
import type { PolicyRequest } from './decision-point.ts'
import { toPrincipal } from './principal.ts'
import { pruneRequest } from './prune-request.ts'

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
  /** Under which the engine has their clauses, each of them once. */
  name: string
  /** Of each clause, the name that the engine has it under: policies often have clauses in common. */
  probes: ReadonlyMap<string, string>
  paths: readonly AttributePath[]
  keys: ReadonlySet<string> | 'all'
}

const groupsMax = 128
const scopesMax = 4096

/** Judges requests by one set of policies, which the engine has parsed before. */
export interface Judge {
  judge(request: PolicyRequest): Judgement
  /** What every clause of every policy whose scope matches comes to, also those after one that does not hold. */
  look(request: PolicyRequest): LookedPolicy[] | { policies: readonly CompiledPolicy[]; problem: ArgumentProblem }
}

export interface LookedPolicy {
  policy: CompiledPolicy
  clauses: ClauseResult[]
}

/**
 * Which policies apply depends on principal, action and resource only and is the same for most calls, so the engine is
 * asked once per scope; then it evaluates the clauses of those policies one by one, all in one go, and what several have
 * in common once. That tells what each of them came to, and the decision follows by Cedar's rule: a forbid that holds
 * denies, else a permit that holds allows, else nothing does. `name`: under which the engine keeps what is made of the set.
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
    look(asked) {
      const group = groupOf(applicableTo(asked))
      const built = toCedarRequest(asked, group.keys)
      if ('problem' in built) return { policies: group.policies, problem: built.problem }
      const resultOf = probeAll(cedar, group, built.request)
      return group.policies.map((policy) => ({
        policy,
        clauses: policy.clauses.map(({ probe }) => resultOf(probe).result),
      }))
    },
  }
}

function prepareGroup(cedar: Cedar, name: string, policies: readonly CompiledPolicy[]): Group {
  const clauses = policies.flatMap(({ clauses }) => clauses)
  const probes = new Map([...new Set(clauses.map(({ probe }) => probe))].map((probe, i) => [probe, `clause${i}`]))
  prepare(cedar, name, Object.fromEntries([...probes].map(([probe, id]) => [id, probe])))
  const paths = [...new Map(clauses.flatMap((clause) => clause.paths.map((path) => [path.join('\n'), path]))).values()]
  return { policies, name, probes, paths, keys: argumentKeys(paths) }
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

type ResultOf = (probe: string) => { result: ClauseResult; error?: string }

function probeAll(cedar: Cedar, group: Group, request: CedarRequest): ResultOf {
  const { reason, errors } = ask(cedar, group.name, pruneRequest(request, group.paths)).diagnostics
  const holding = new Set(reason)
  const failing = new Map(errors.map(({ policyId, error }) => [policyId, error.message]))
  return (probe) => {
    const name = group.probes.get(probe) ?? ''
    const error = failing.get(name)
    return error === undefined ? { result: holding.has(name) ? 'holds' : 'fails' } : { result: 'error', error }
  }
}

function judgeGroup(cedar: Cedar, group: Group, request: CedarRequest): Judgement {
  const resultOf = probeAll(cedar, group, request)
  const applicable = group.policies.map((policy) => judgePolicy(policy, resultOf))
  const withVerdict = (wanted: JudgedPolicy['verdict']) =>
    applicable.flatMap(({ policy, verdict }) => (verdict === wanted ? [policy.id] : []))
  const forbids = withVerdict('forbid')
  const determining = forbids.length > 0 ? forbids : withVerdict('permit')
  const isAllowed = forbids.length === 0 && determining.length > 0
  return { decision: isAllowed ? 'allow' : 'deny', applicable, determining, request }
}

/** Clauses are evaluated in their order, and none after one that does not hold (Cedar, evaluation of `&&`). */
function judgePolicy(policy: CompiledPolicy, resultOf: ResultOf): JudgedPolicy {
  const clauses: ClauseResult[] = []
  for (const { probe } of policy.clauses) {
    const { result, error } = resultOf(probe)
    clauses.push(result)
    if (error !== undefined) return { policy, verdict: 'error', clauses, error }
    if (result === 'fails') return { policy, verdict: 'inapplicable', clauses }
  }
  return { policy, verdict: policy.effect, clauses }
}

function unjudged({ policies }: Group, request: CedarRequest | undefined, problem: ArgumentProblem): Judgement {
  const applicable = policies.map((policy): JudgedPolicy => ({ policy, verdict: 'error', clauses: [], error: problem }))
  return { decision: 'deny', applicable, determining: [], request, problem }
}
