import { clipText } from '@affidavit/evidence/record/text'
import { isApprovable } from './approval.ts'
import { type Cedar, loadCedar } from './cedar-engine.ts'
import { compileSet } from './compile.ts'
import type { DecisionPoint, OnError, PolicyRequest, Ruling, ValuePrivacy } from './decision-point.ts'
import { explainPolicies, sayWhy } from './explain.ts'
import { createJudge, EngineError, type Judge, type JudgedPolicy, type Judgement } from './judge-set.ts'
import { PolicyError } from './policy-error.ts'
import { hashPolicySet, type PolicySource } from './policy-set.ts'

export interface EmbeddedOptions {
  source: PolicySource
  onError: OnError
  /** SHA-256, base64: only this set is accepted. */
  pinned?: string | undefined
}

/** What is in force. */
interface InForce {
  judge: Judge
  hash: string
  version: string | undefined
  ids: readonly string[]
}

/** Cedar in this process. Answers at once, and keeps the set before where the next one is no good. */
export interface EmbeddedDecisionPoint extends DecisionPoint {
  decide(request: PolicyRequest, privacy: ValuePrivacy): Ruling
  readonly hash: string
  readonly version: string | undefined
  /** Of the policies in force. */
  readonly ids: readonly string[]
  /** Puts another set in force, between two calls. Throws PolicyError, and then the one before stays. */
  replace(source: PolicySource): void
}

/** Throws PolicyError where the engine is not installed or the set is none. */
export async function openEmbedded({ source, onError, pinned }: EmbeddedOptions): Promise<EmbeddedDecisionPoint> {
  const cedar = await loadCedar()
  const engine = { name: 'cedar', version: cedar.getCedarVersion() }
  const place = `affidavit/${places++}`
  let generation = 0
  // The engine forgets no set: each takes the names of the one before the last.
  const put = (next: PolicySource) => putInForce(cedar, next, { pinned, name: `${place}/${generation++ % 2}` })
  let inForce = put(source)
  return {
    get hash() {
      return inForce.hash
    },
    get version() {
      return inForce.version
    },
    get ids() {
      return inForce.ids
    },
    replace(next) {
      inForce = put(next)
    },
    decide(request, privacy) {
      const { judge, hash, version } = inForce
      const judgement = judgeSafely(judge, request)
      const isBroken = judgement.problem !== undefined
      const hasError = judgement.applicable.some(({ verdict }) => verdict === 'error')
      const isAllowed = isBroken
        ? onError === 'permit'
        : judgement.decision === 'allow' && !(hasError && onError === 'deny')
      const disposition = isAllowed ? 'granted' : 'denied'
      const reason = sayWhy(judgement, disposition)
      // Where errors deny what would be allowed, those that could not be evaluated are what made it so.
      const isByError = !isBroken && !isAllowed && judgement.decision === 'allow'
      const determining = isByError ? idsWith(judgement.applicable, 'error') : judgement.determining
      const canBeApproved = !isBroken && isApprovable(judgement.applicable) && !(hasError && onError === 'deny')
      return {
        disposition,
        reason,
        ...(canBeApproved ? { asksApproval: judgement.determining } : {}),
        section: {
          engine,
          policySet: { hash, ...(version === undefined ? {} : { version }) },
          ...explainPolicies({ ...judgement, determining }, privacy),
          ...(judgement.problem === undefined ? {} : { problem: judgement.problem }),
          rationale: clipText(`${isAllowed ? 'Granted' : 'Denied'}: ${reason}.`, 4096),
        },
      }
    },
  }
}

function idsWith(applicable: Judgement['applicable'], wanted: JudgedPolicy['verdict']): string[] {
  return applicable.flatMap(({ policy, verdict }) => (verdict === wanted ? [policy.id] : []))
}

/** Decision points that this process has opened. */
let places = 0

function putInForce(
  cedar: Cedar,
  source: PolicySource,
  { pinned, name }: { pinned: string | undefined; name: string },
): InForce {
  const hash = hashPolicySet(source)
  if (pinned !== undefined && pinned !== hash)
    throw new PolicyError(
      'AFD_POLICY_PIN',
      `the policies have the hash ${hash}, and the configuration pins ${pinned}`,
      'Restore the files, or pin the new hash once somebody has read what changed.',
    )
  const set = compileSet(cedar, source)
  return { judge: createJudge(cedar, set, name), hash, version: set.version, ids: set.policies.map(({ id }) => id) }
}

/** Whatever a request holds, it is judged or it is an error: the engine may refuse what it was given, or trap. */
function judgeSafely(judge: Judge, request: PolicyRequest): Judgement {
  try {
    return judge.judge(request)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const applicable: Judgement['applicable'] = []
    const problem = error instanceof EngineError ? error.code : 'engine_failed'
    return { decision: 'deny', applicable, determining: [], request: undefined, problem }
  }
}
