import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import { asksApproval } from './approval.ts'
import { type Cedar, loadCedar } from './cedar-engine.ts'
import { type AttributePath, argumentKeys } from './clause-paths.ts'
import { type Clause, type CompiledPolicy, compileSet } from './compile.ts'
import type { OnError, PolicyRequest } from './decision-point.ts'
import {
  type ClauseResult,
  createJudge,
  EngineError,
  type Judge,
  type JudgedPolicy,
  type LookedPolicy,
} from './judge-set.ts'
import { hashPolicySet, type PolicySource } from './policy-set.ts'

/** A call as the log has it. */
export interface RecordedQuestion {
  request: PolicyRequest
  /** What the call had and the record has not, or not as it was: whatever looks at it cannot be told. */
  missing: readonly AttributePath[]
  /** What was decided then, where that is on record: what did not change since comes to the same again. */
  recorded: DecisionSection | undefined
}

export type ReplayedDecision = 'granted' | 'denied' | 'approval_required' | 'undecidable'

export interface Replayed {
  decision: ReplayedDecision
  /** Of what was decided: the policies that make it so. Of what cannot be told: those that would have to be known. */
  policies: string[]
  /** What they look at that is not on record, as places. */
  lacks: string[]
}

export interface Replay {
  hash: string
  replay(question: RecordedQuestion): Replayed
}

type Verdict = JudgedPolicy['verdict']

/** A policy with everything it may have come to. One verdict alone is certain. */
interface Possible {
  policy: CompiledPolicy
  verdicts: ReadonlySet<Verdict>
  lacks: readonly AttributePath[]
  /** It is on record what it came to. */
  isRecorded: boolean
}

/** Decides recorded calls by a set of policies. Throws PolicyError where the engine is not installed or the set is none. */
export async function openReplay(source: PolicySource, onError: OnError): Promise<Replay> {
  const cedar: Cedar = await loadCedar()
  const judge = createJudge(cedar, compileSet(cedar, source), `affidavit/replay/${replays++}`)
  const intern = createIntern()
  return {
    hash: hashPolicySet(source),
    replay(question) {
      const { request } = question
      return replayOne(judge, { ...question, request: { ...request, identity: intern(request.identity) } }, onError)
    },
  }
}

const internedMax = 4096

/** The same bytes for the same actors: which policies apply to them is asked once, and each record brings bytes of its own. */
function createIntern(): (bytes: Uint8Array) => Uint8Array {
  const known = new Map<string, Uint8Array>()
  return (bytes) => {
    const name = Buffer.from(bytes).toString('latin1')
    const before = known.get(name)
    if (before !== undefined) return before
    if (known.size >= internedMax) known.clear()
    known.set(name, bytes)
    return bytes
  }
}

let replays = 0

function replayOne(judge: Judge, question: RecordedQuestion, onError: OnError): Replayed {
  const looked = lookSafely(judge, question.request)
  if (!Array.isArray(looked)) return { decision: onError === 'permit' ? 'granted' : 'denied', policies: [], lacks: [] }
  const all = looked.map((each) => possibilitiesOf(each, question))
  const may = { allow: mayAllow(all, onError), deny: mayDeny(all, onError) }
  const isShaky = mayBeUnjudged(all, question)
  if (isShaky) may[onError === 'permit' ? 'allow' : 'deny'] = true
  if (may.allow && may.deny) return undecidable(all)
  const told = may.allow
    ? { decision: 'granted' as const, policies: all.flatMap(namesWhere('permit')), lacks: [] }
    : denied(all, onError)
  if (!isShaky) return told
  // It comes out the same where nothing was judged, but then no policy made it so, and none asked for an approval.
  return told.decision === 'approval_required' ? undecidable(all) : { ...told, policies: [] }
}

/** The engine may refuse, or trap over, what a request holds; a decision point says `engine_failed` then. */
function lookSafely(judge: Judge, request: PolicyRequest): LookedPolicy[] | 'problem' {
  try {
    const looked = judge.look(request)
    return Array.isArray(looked) ? looked : 'problem'
  } catch (error) {
    if (error instanceof EngineError) return 'problem'
    throw error
  }
}

/** Clauses count in their order, and none after one that does not hold; one that cannot be told may do any of it. */
function possibilitiesOf({ policy, clauses }: LookedPolicy, { missing, recorded }: RecordedQuestion): Possible {
  const known = recorded?.problem === undefined ? recorded : undefined
  const before = known?.policies.find(({ id, definition }) => id === policy.id && definition === policy.definition)
  if (before !== undefined) return { policy, verdicts: new Set([before.verdict]), lacks: [], isRecorded: true }
  const verdicts = new Set<Verdict>()
  const lacks: AttributePath[] = []
  for (const [i, clause] of policy.clauses.entries()) {
    const missed = missing.filter((place) => clause.paths.some((path) => overlap(path, place)))
    const result = missed.length === 0 ? clauses[i] : recordedResult(clause, known)
    if (result === 'holds') continue
    if (result === undefined) {
      lacks.push(...missed)
      verdicts.add('inapplicable').add('error')
      continue
    }
    return { policy, verdicts: verdicts.add(result === 'error' ? 'error' : 'inapplicable'), lacks, isRecorded: false }
  }
  return { policy, verdicts: verdicts.add(policy.effect), lacks, isRecorded: false }
}

/**
 * Where a policy looks at the arguments, ones that parsers read differently stop all of it from being judged; and whether they
 * were such, cannot be told of arguments that are gone. A policy that was judged then has told it.
 */
function mayBeUnjudged(all: readonly Possible[], { missing }: RecordedQuestion): boolean {
  if (
    !missing.some(([variable, first, ...rest]) => variable === 'context' && first === 'arguments' && rest.length === 0)
  )
    return false
  const looking = all.filter(({ policy }) => {
    const keys = argumentKeys(policy.clauses.flatMap(({ paths }) => paths))
    return keys === 'all' || keys.size > 0
  })
  return looking.length > 0 && !looking.some(({ isRecorded }) => isRecorded)
}

/** Whether one place is the other, or within it. */
function overlap(a: AttributePath, b: AttributePath): boolean {
  const length = Math.min(a.length, b.length)
  return a.slice(0, length).every((name, i) => name === b[i])
}

/** The same clause over the same call comes to the same, in whatever policy it stands. */
function recordedResult({ text }: Clause, recorded: DecisionSection | undefined): ClauseResult | undefined {
  if (!isExact(text)) return undefined
  return recorded?.conditions.find(({ condition }) => condition === text)?.result
}

/** Records have clauses cut, and blanks in them made one: a text that may stand for several clauses tells nothing. */
function isExact(text: string): boolean {
  const strings = text.match(/"(?:[^"\\]|\\.)*"/g) ?? []
  return !text.endsWith('…') && strings.every((each) => !/\s/.test(each))
}

const isSure = ({ verdicts }: Possible, verdict: Verdict) => verdicts.size === 1 && verdicts.has(verdict)
const mayBe = ({ verdicts }: Possible, verdict: Verdict) => verdicts.has(verdict)

function mayAllow(all: readonly Possible[], onError: OnError): boolean {
  if (all.some((each) => isSure(each, 'forbid') || (onError === 'deny' && isSure(each, 'error')))) return false
  return all.some((each) => mayBe(each, 'permit'))
}

function mayDeny(all: readonly Possible[], onError: OnError): boolean {
  if (all.some((each) => mayBe(each, 'forbid') || (onError === 'deny' && mayBe(each, 'error')))) return true
  return !all.some((each) => isSure(each, 'permit'))
}

const namesWhere = (verdict: Verdict) => (each: Possible) => (isSure(each, verdict) ? [each.policy.id] : [])

/** Whether an approval would do depends on every policy that may forbid it. */
function denied(all: readonly Possible[], onError: OnError): Replayed {
  if (mayAsk(all, onError) && !mustAsk(all, onError)) return undecidable(all)
  const forbids = all.flatMap(namesWhere('forbid'))
  const policies = forbids.length > 0 ? forbids : all.flatMap(namesWhere('error'))
  return { decision: mayAsk(all, onError) ? 'approval_required' : 'denied', policies, lacks: [] }
}

function mayAsk(all: readonly Possible[], onError: OnError): boolean {
  const isBarred = (each: Possible) =>
    (isSure(each, 'forbid') && !asksApproval(each.policy)) || (onError === 'deny' && isSure(each, 'error'))
  const isAsking = (each: Possible) => mayBe(each, 'forbid') && asksApproval(each.policy)
  return !all.some(isBarred) && all.some(isAsking) && all.some((each) => mayBe(each, 'permit'))
}

function mustAsk(all: readonly Possible[], onError: OnError): boolean {
  const mayBar = (each: Possible) =>
    (mayBe(each, 'forbid') && !asksApproval(each.policy)) || (onError === 'deny' && mayBe(each, 'error'))
  return !all.some(mayBar) && all.some((each) => isSure(each, 'forbid')) && all.some((each) => isSure(each, 'permit'))
}

function undecidable(all: readonly Possible[]): Replayed {
  const open = all.filter(({ verdicts }) => verdicts.size > 1)
  const lacks = new Set(open.flatMap((each) => each.lacks.map((place) => place.join('.'))))
  const places = lacks.size === 0 ? ['context.arguments'] : [...lacks]
  return { decision: 'undecidable', policies: open.map(({ policy }) => policy.id), lacks: places }
}
