import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import type { Assurance } from '@affidavit/evidence/record/kinds'
import type { PriorityFacts } from './priority-facts.ts'

/** How soon somebody should look at a call, from the least (docs/PRIORITY.md). */
export const priorities = ['low', 'medium', 'high', 'critical'] as const
export type Priority = (typeof priorities)[number]

export interface Judgement {
  priority: Priority
  /** Why it is not low, for people; none where it is. */
  reasons: string[]
}

const effects = ['read', 'write', 'unknown', 'external-send', 'destructive'] as const
type EffectWord = (typeof effects)[number]

/** Levels of the default scheme, and what is none of them: that may be anything. */
const sensitivities = ['public', 'internal', 'unclassified', 'confidential', 'restricted'] as const
export type Sensitivity = (typeof sensitivities)[number]

const table: Readonly<Record<Sensitivity, Readonly<Record<EffectWord, Priority>>>> = {
  public: { read: 'low', write: 'low', unknown: 'medium', 'external-send': 'medium', destructive: 'medium' },
  internal: { read: 'low', write: 'low', unknown: 'medium', 'external-send': 'medium', destructive: 'medium' },
  unclassified: { read: 'low', write: 'medium', unknown: 'medium', 'external-send': 'high', destructive: 'high' },
  confidential: { read: 'low', write: 'medium', unknown: 'medium', 'external-send': 'high', destructive: 'high' },
  restricted: { read: 'medium', write: 'high', unknown: 'high', 'external-send': 'critical', destructive: 'critical' },
}

/** What is told of a request by its record. */
export interface RequestFacts {
  /** Undefined: it is no access to data, such as a handshake or a list. */
  access: { sensitivity: Sensitivity; effect: EffectWord } | undefined
  /** A statement that says itself which rows it is about bounds nothing. */
  bound: 'bounded' | 'unbounded'
  /** The best of those who asked. */
  assurance: Assurance
  posture: 'good' | 'doubtful'
  decision: 'none' | 'refused' | 'went on'
}

/** Pure; a record that tells of more sensitive data, of a graver effect or of less certainty is never of a lower priority. */
export function judgeRequest({ access, bound, assurance, posture, decision }: RequestFacts): Judgement {
  const found: Judgement[] = []
  if (access !== undefined) {
    const { sensitivity, effect } = access
    const given = table[sensitivity][effect]
    const isGuarded = sensitivity === 'confidential' || sensitivity === 'restricted'
    const more = [
      ...(bound === 'unbounded' && isGuarded ? ['a statement without bound'] : []),
      ...(given !== 'low' && assurance === 'claimed' ? ['nobody vouches for who asked'] : []),
      ...(given !== 'low' && posture === 'doubtful' ? ['the state of the machine is not known'] : []),
    ]
    found.push({ priority: raise(given, more.length), reasons: [describe(sensitivity, effect), ...more] })
  }
  if (decision === 'refused') found.push({ priority: 'medium', reasons: ['policies refused it'] })
  if (decision === 'went on') found.push({ priority: 'high', reasons: ['it went on although policies deny it'] })
  return highest(found)
}

const seen: Readonly<Record<string, Priority>> = {
  'seen:instructions': 'high',
  'seen:credential': 'medium',
  'seen:financial': 'medium',
  'seen:health': 'medium',
}

/** What its outcome adds. */
export function judgeOutcome({
  outcome,
  classification,
}: Pick<CompletedHeader, 'outcome' | 'classification'>): Judgement {
  const tags = classification?.tags ?? []
  return highest([
    ...(classification?.level === 'restricted' ? [{ priority: 'medium' as const, reasons: ['restricted data'] }] : []),
    ...tags.flatMap((tag) => {
      const priority = Object.hasOwn(seen, tag) ? seen[tag] : undefined
      return priority === undefined ? [] : [{ priority, reasons: [`its result looks like ${tag.slice(5)}`] }]
    }),
    ...(outcome === 'withheld' || outcome === 'unknown'
      ? [{ priority: 'medium' as const, reasons: [`its outcome is ${outcome}`] }]
      : []),
  ])
}

/** What the records of one call come to. */
export function highest(judgements: readonly Judgement[]): Judgement {
  const rank = Math.max(0, ...judgements.map(({ priority }) => rankOf(priority)))
  const reasons = judgements.flatMap((each) => (each.priority === 'low' ? [] : each.reasons))
  return { priority: priorities[rank] ?? 'critical', reasons: [...new Set(reasons)] }
}

export const rankOf = (priority: Priority): number => priorities.indexOf(priority)

function raise(priority: Priority, steps: number): Priority {
  return priorities[Math.min(rankOf(priority) + steps, priorities.length - 1)] ?? 'critical'
}

function describe(sensitivity: Sensitivity, effect: EffectWord): string {
  return `${sensitivity} data, ${effect === 'unknown' ? 'effect unknown' : effect}`
}

const accesses: ReadonlySet<string> = new Set(['call', 'read'])

/** The facts of a request, from its header and what its body tells. */
export function toRequestFacts(header: RequestedHeader, body: PriorityFacts): RequestFacts {
  const { kind, direction, classification, effect, effectClass, decision } = header
  const isAccess = accesses.has(kind) && direction === 'to-server'
  const word = effectClass ?? (kind === 'read' && effect === 'unknown' ? 'read' : effect)
  return {
    access: isAccess
      ? { sensitivity: body.sensitivity ?? toSensitivity(classification.level), effect: word }
      : undefined,
    bound: body.bound,
    assurance: body.assurance,
    posture: body.posture,
    decision: decision.disposition !== 'denied' ? 'none' : decision.mode === 'enforce' ? 'refused' : 'went on',
  }
}

/** A level of another scheme, of which nobody says where it stands, may be any but the highest, which is captured as metadata. */
export function toSensitivity(level: string): Sensitivity {
  return sensitivities.find((known) => known === level) ?? 'confidential'
}
