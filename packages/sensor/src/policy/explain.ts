import type { Condition, DecisionSection, PolicyVerdict } from '@affidavit/evidence/record/decision-section'
import { clipText } from '@affidavit/evidence/record/text'
import { clip } from './clip.ts'
import type { ValuePrivacy } from './decision-point.ts'
import type { JudgedPolicy, Judgement } from './judge-set.ts'
import { createSeenValues } from './seen-values.ts'

const policiesMax = 64
const conditionsMax = 256
const obligationsMax = 32

/** The policies that applied, those that decided first; and what each of their clauses saw. */
export function explainPolicies(
  judgement: Judgement,
  privacy: ValuePrivacy,
): Pick<DecisionSection, 'policies' | 'conditions' | 'policiesOmitted' | 'determining' | 'obligations'> {
  const determining = new Set(judgement.determining)
  const rank = ({ policy, verdict }: JudgedPolicy) => (determining.has(policy.id) ? 0 : verdict === 'error' ? 1 : 2)
  const ordered = judgement.applicable.toSorted((a, b) => rank(a) - rank(b))
  const shown = ordered.slice(0, policiesMax)
  const omitted = ordered.length - shown.length
  const decided = ordered.filter(({ policy }) => determining.has(policy.id))
  return {
    policies: shown.map((judged) => toVerdict(judged, privacy)),
    ...(omitted === 0 ? {} : { policiesOmitted: omitted }),
    determining: judgement.determining.slice(0, policiesMax),
    conditions: toConditions(shown, judgement, privacy),
    obligations: [...new Set(decided.flatMap(({ policy }) => policy.obligations))].slice(0, obligationsMax),
  }
}

/** What the engine says of an error may quote values. */
function toVerdict({ policy, verdict, error }: JudgedPolicy, { redact, keepsValues }: ValuePrivacy): PolicyVerdict {
  const { id, definition, reason } = policy
  const said = error === undefined ? reason : keepsValues ? redactSentence(error, redact) : 'could not be evaluated'
  return { id, definition, verdict, ...(said === undefined ? {} : { reason: said }) }
}

function redactSentence(sentence: string, redact: ValuePrivacy['redact']): string {
  const text: unknown = JSON.parse(new TextDecoder().decode(redact(Buffer.from(JSON.stringify(sentence)))))
  return clipText(String(text), 1024)
}

function toConditions(shown: readonly JudgedPolicy[], { request }: Judgement, privacy: ValuePrivacy): Condition[] {
  if (request === undefined) return []
  const seen = createSeenValues(request, privacy)
  return shown
    .flatMap(({ policy, clauses }) =>
      clauses.map((result, i): Condition => {
        const { text = '', paths = [] } = policy.clauses[i] ?? {}
        return { policy: policy.id, condition: text, value: clip(paths.map(seen).join('; '), 1024), result }
      }),
    )
    .slice(0, conditionsMax)
}

/** Why, in a sentence that quotes no value: it goes to the client too. */
export function sayWhy(judgement: Judgement, outcome: 'granted' | 'denied'): string {
  const { applicable, determining, problem } = judgement
  const failed = applicable.filter(({ verdict }) => verdict === 'error').map(({ policy }) => policy.id)
  if (problem !== undefined) return `the call could not be judged (${problem})`
  const decisive = applicable.filter(({ policy }) => determining.includes(policy.id))
  const reasons = decisive.flatMap(({ policy }) => (policy.reason === undefined ? [] : [policy.reason]))
  const because = reasons.length === 0 ? '' : `: ${reasons.join(' ').replace(/\.$/, '')}`
  if (outcome === 'denied' && judgement.decision === 'allow')
    return `${nameThem(failed)} could not be evaluated, and errors deny`
  if (outcome === 'denied' && decisive.length > 0)
    return `${nameThem(determining)} forbids it${because}${isPermitted(applicable) ? '' : ', and no policy permits it'}`
  const broken = failed.length === 0 ? '' : `, and ${nameThem(failed)} could not be evaluated`
  if (outcome === 'denied') return `no policy permits it (${applicable.length} applied${broken})`
  return `${nameThem(determining)} permits it${because}`
}

/** Whoever lifts what forbids a call, by an approval for one, has to know whether that lets it pass. */
function isPermitted(applicable: readonly JudgedPolicy[]): boolean {
  return applicable.some(({ verdict }) => verdict === 'permit')
}

function nameThem(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(', ')
  return ids.length > 3 ? `${shown} and ${ids.length - 3} more` : shown
}
