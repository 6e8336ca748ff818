import { type IdentitySection, parseIdentity } from '@affidavit/evidence/record/identity-section'
import type { FetchedCall } from '../query/fetch.ts'
import { parseOpened } from '../query/opened-section.ts'
import { readPurpose } from '../query/purpose.ts'
import type { Parent } from '../query/sqlite/lineage.ts'
import type { TracedCall } from '../query/sqlite/trace.ts'
import { toolCell } from './call-columns.ts'
import { formatLatency, formatNumberOf } from './format.ts'
import { describePosture } from './posture-text.ts'
import { purposeLines } from './purpose-text.ts'
import { actorSteps, describeToken, rankOf, requestLink } from './trace-actors.ts'
import type { LogLine } from './trace-log.ts'
import { resourceSteps } from './trace-resources.ts'
import { breakStep, chain, type StepLink, type TraceStep } from './trace-step.ts'

/** What the steps of a trace are made from. */
export interface TraceMatter {
  /** All records of the calls, by the leaf of their `requested`. */
  fetched: ReadonlyMap<number, FetchedCall>
  /** By call id. */
  lines: ReadonlyMap<string, LogLine[]>
  /** Where values of the call at this leaf went, and came from, in sentences. */
  flowsOf(leaf: number): string[]
  /** Whether there was a log to look into. */
  hasLog: boolean
  /** Where the credential with this digest was judged. */
  judgementOf(digest: string): { leaf: number; expires?: string } | undefined
}

/** Of the policies that decided; `show` has all. */
const conditionsMax = 8

/** Paths from who began them to the data. Calls that the same chain of actors made hang under one chain. */
export function toSteps(roots: readonly TracedCall[], matter: TraceMatter): TraceStep[] {
  const chains = new Map<string, { steps: TraceStep[]; calls: TraceStep[] }>()
  for (const root of roots) {
    const identity = bestIdentity(root, matter)
    const steps =
      identity === undefined
        ? [breakStep('nothing says who made this call: its section identity is erased, or its key is not here')]
        : actorSteps(identity)
    const key = JSON.stringify(steps)
    const known = chains.get(key) ?? { steps, calls: [] }
    const why = root.parent.type === 'break' ? [breakStep(root.parent.why)] : []
    known.calls.push(...why, callStep(root, matter))
    chains.set(key, known)
  }
  return [...chains.values()].flatMap(({ steps, calls }) => chain(steps, calls))
}

function callStep(traced: TracedCall, matter: TraceMatter): TraceStep {
  const { call, parent, children } = traced
  const counted = recordsOf(traced, matter)[0]
  const inner = children.map((child) => callStep(child, matter))
  const named = { type: 'call', callId: call.place.callId } as const
  if (counted === undefined)
    return {
      ...named,
      name: `call ${call.place.callId}`,
      facts: [],
      next: [breakStep('its record cannot be read'), ...inner],
    }
  const { name, version } = counted.call.fields.server.value ?? { name: call.server }
  return {
    ...named,
    name: `${toolCell(counted)} on ${name}${version === undefined ? '' : ` ${version}`}`,
    link: callLink(traced, parent, matter),
    facts: callFacts(traced, matter),
    next: [...inner, ...endSteps(traced, matter)],
  }
}

function recordsOf({ call }: TracedCall, { fetched }: TraceMatter): FetchedCall[] {
  return call.records.flatMap(({ leaf }) => fetched.get(leaf) ?? [])
}

/** As the vantage that could prove the most has it; the server's own, which counts, may have no keys to check with. */
function bestIdentity(traced: TracedCall, matter: TraceMatter): IdentitySection | undefined {
  const all = recordsOf(traced, matter).flatMap(({ requested }) => {
    const identity = parseOpened(requested.sections.identity, parseIdentity)
    return identity === undefined ? [] : [identity]
  })
  return all.reduce<IdentitySection | undefined>(
    (best, each) => (best === undefined || rankOf(each) > rankOf(best) ? each : best),
    undefined,
  )
}

const joins: Record<Exclude<Parent, { type: 'none' | 'break' }>['by'], string> = {
  group: 'the call group: it came back with the task or the state that the server had given out',
  'parent-call': 'the id of the call it was made for, which came with the request',
  trace: 'trace context: the only call of the same trace, by another client, that was under way when this one began',
}

function callLink(traced: TracedCall, parent: Parent, matter: TraceMatter): StepLink {
  if (parent.type === 'call') return { by: parent.by, assurance: 'claimed', text: joins[parent.by] }
  const identity = bestIdentity(traced, matter)
  if (identity !== undefined) return requestLink(identity)
  return { by: 'request', assurance: 'claimed', text: 'its request; who sent it is not known' }
}

function callFacts(traced: TracedCall, matter: TraceMatter): TraceStep['facts'] {
  const records = recordsOf(traced, matter)
  const [counted, ...others] = records
  if (counted === undefined) return []
  const { requested, completed, call } = counted
  const { header } = requested
  const identity = bestIdentity(traced, matter)
  const token = identity !== undefined && !('absent' in identity.token) ? identity.token : undefined
  const took = completed?.header.latencyUs
  const outcome = `${completed?.header.outcome ?? 'open'}${took === undefined ? '' : ` in ${formatLatency(took)}`}`
  const [purpose] = records.flatMap((each) => readPurpose(each.requested.sections) ?? [])
  const vantages = [...new Set([...others, counted].map((each) => each.requested.header.vantage))].join('+')
  const told = header.reported === undefined ? '' : `, reported by ${header.reported}: everything in it is claimed`
  return [
    { name: 'call', text: `${call.callId}, ${header.time}, seen at ${vantages}${told}` },
    { name: 'outcome', text: outcome },
    ...matter.flowsOf(traced.call.place.leaf).map((text) => ({ name: 'values', text })),
    ...postureFacts(records),
    ...decisionFacts(records),
    ...(purpose === undefined ? [] : purposeLines(purpose).map((text) => ({ name: 'for', text }))),
    ...(token === undefined
      ? []
      : [{ name: 'credential', text: describeToken(token, matter.judgementOf(token.digest)) }]),
    ...agentFact(traced.parent, identity),
    ...joinFacts(traced, header),
  ]
}

/** Of each machine that saw the call and knows it. */
function postureFacts(records: readonly FetchedCall[]): TraceStep['facts'] {
  const told = records.flatMap(({ requested }) => describePosture(requested.sections) ?? [])
  return [...new Set(told)].map((text) => ({ name: 'posture', text }))
}

/** As whoever was asked decided: a server behind a gateway that has policies has none itself. */
function decisionFacts(records: readonly FetchedCall[]): TraceStep['facts'] {
  const all = records.map(({ call }) => call.fields.policy.value)
  const decided = all.find((each) => each !== null && each.disposition !== 'undecided') ?? all[0]
  if (decided === undefined || decided === null) return []
  const { disposition, mode, evaluation } = decided
  const rationale = evaluation === undefined ? '' : `: ${evaluation.rationale}`
  const determining = new Set(evaluation?.determining ?? [])
  // Where no policy permitted it, what kept those that might have is the reason.
  const conditions = (evaluation?.conditions ?? []).filter(({ policy, result }) =>
    determining.size > 0 ? determining.has(policy) : result !== 'holds',
  )
  return [
    { name: 'decision', text: `${disposition} (${mode})${rationale}` },
    ...conditions.slice(0, conditionsMax).map(({ policy, condition, value, result }) => ({
      name: 'because',
      text: `${policy}: ${condition} ${result}, having seen ${value}`,
    })),
  ]
}

/** Of a call within a call: the client that its server is. */
function agentFact(parent: Parent, identity: IdentitySection | undefined): TraceStep['facts'] {
  if (parent.type !== 'call' || parent.by === 'group' || identity === undefined || 'absent' in identity.agent) return []
  const { id, name, version, assurance } = identity.agent
  return [{ name: 'by', text: `${name ?? id}${version === undefined ? '' : ` ${version}`} (${assurance})` }]
}

function joinFacts(
  { call }: TracedCall,
  { sessionSource, sessionId }: FetchedCall['requested']['header'],
): TraceStep['facts'] {
  return [
    ...(sessionId === undefined || sessionSource === 'trace'
      ? []
      : [{ name: 'session', text: `${sessionSource} ${sessionId}` }]),
    ...(call.traceId === undefined ? [] : [{ name: 'trace', text: call.traceId }]),
  ]
}

/** What the call reached, as far as anybody says, and what is wrong with its records. */
function endSteps(traced: TracedCall, matter: TraceMatter): TraceStep[] {
  const records = recordsOf(traced, matter)
  const lines = records.flatMap(({ call }) => matter.lines.get(call.callId) ?? [])
  const reached = resourceSteps(records, lines)
  const outcome = records[0]?.completed?.header.outcome
  return [
    ...records.flatMap(bodyBreaks),
    ...reached,
    ...(traced.loose.length === 0 ? [] : [breakStep(describeLoose(traced.loose))]),
    ...(outcome === undefined ? [breakStep('nothing says what came of it: it is open, or its sensor died')] : []),
    ...(isWithoutEnd(traced, { reached, outcome }) ? [breakStep(describeMissing(matter))] : []),
  ]
}

function isWithoutEnd(
  { call, children }: TracedCall,
  { reached, outcome }: { reached: TraceStep[]; outcome: string | undefined },
): boolean {
  const isHousekeeping = call.kind === 'list' || call.kind === 'session' || call.kind === 'task'
  return (
    reached.length === 0 && children.length === 0 && outcome !== 'denied' && outcome !== 'continued' && !isHousekeeping
  )
}

function describeLoose(loose: readonly string[]): string {
  const calls = formatNumberOf(loose.length, 'call', 'calls')
  const ids = `${loose.slice(0, 3).join(', ')}${loose.length > 3 ? ', …' : ''}`
  return `${calls} of its trace began while it was under way, and nothing tells whether its server made them: ${ids}`
}

function describeMissing({ hasLog }: TraceMatter): string {
  const missing = 'nothing says which data its server reached'
  return hasLog ? `${missing}: neither the record nor the log names any` : `${missing}: the record names none`
}

const standings: Partial<Record<FetchedCall['requested']['body'], string>> = {
  missing: 'the body of a record is MISSING',
  corrupt: 'the body of a record is ALTERED',
  destroyed: 'the body of a record was erased: its key is destroyed',
  locked: 'the bodies of the records are closed: keys/bodies.key is not here',
}

function bodyBreaks({ requested, completed }: FetchedCall): TraceStep[] {
  return [requested, ...(completed === undefined ? [] : [completed])].flatMap(({ body, leaf }) => {
    const why = standings[body]
    return why === undefined ? [] : [breakStep(`${why} (leaf:${leaf})`)]
  })
}

/** `2 calls` and what was left out, for the first line. */
export function describeCount({
  count,
  housekeeping,
  omitted,
}: {
  count: number
  housekeeping: number
  omitted: number
}): string {
  return [
    formatNumberOf(count, 'call', 'calls'),
    ...(housekeeping === 0
      ? []
      : [`${formatNumberOf(housekeeping, 'listing or handshake', 'listings and handshakes')} left out`]),
    ...(omitted === 0 ? [] : [`${formatNumberOf(omitted, 'call', 'calls')} more than are shown`]),
  ].join('; ')
}
