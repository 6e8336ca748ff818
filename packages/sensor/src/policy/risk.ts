import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { type Actor, parseIdentity } from '@affidavit/evidence/record/identity-section'
import { type RiskKind, type RiskLevel, type RiskSignal, riskLevels } from '@affidavit/evidence/record/risk'
import { castOf } from './principal.ts'

/** What is thought of those involved in a call: the highest level, and every reason that was given. */
export interface RiskSeen {
  level: RiskLevel
  /** At most 16. */
  reasons: readonly string[]
}

/** Who and what is involved in a call. */
export interface Involved {
  /** Section `identity` as it is recorded. */
  identity: Uint8Array | undefined
  server: string
  /** Id of the session as it is recorded. */
  session: string | undefined
  nowMs: number
}

export type FindRisk = (involved: Involved, digest: (value: string) => KeyedDigest) => RiskSeen | undefined

const reasonsMax = 16

/**
 * Looks up signals by whom they are about. What is merely claimed counts, too: nobody claims to be a risk to gain by it. Who
 * claims to be somebody else is not found under his own name, as everywhere.
 */
export function createRiskFinder(signals: readonly RiskSignal[]): FindRisk {
  const byPlace = groupByPlace(signals)
  const digested = new Set(signals.flatMap(({ kind, digest }) => (digest === undefined ? [] : [kind])))
  return (involved, digest) => {
    if (byPlace.size === 0) return undefined
    const found = subjectsOf(involved).flatMap(([kind, id]) => [
      ...(byPlace.get(placeOf(kind, id)) ?? []),
      ...(digested.has(kind) ? (byPlace.get(placeOf(kind, digest(id))) ?? []) : []),
    ])
    return sum(found.filter(({ until }) => Date.parse(until) > involved.nowMs))
  }
}

function groupByPlace(signals: readonly RiskSignal[]): ReadonlyMap<string, RiskSignal[]> {
  const groups = new Map<string, RiskSignal[]>()
  for (const signal of signals) {
    const place = placeOf(signal.kind, signal.id ?? signal.digest)
    groups.set(place, [...(groups.get(place) ?? []), signal])
  }
  return groups
}

const placeOf = (kind: RiskKind, id: string) => `${kind} ${id}`

function sum(found: readonly RiskSignal[]): RiskSeen | undefined {
  if (found.length === 0) return undefined
  const rank = Math.max(...found.map(({ level }) => riskLevels.indexOf(level)))
  const reasons = new Set(found.map(({ kind, reason }) => (reason === undefined ? kind : `${kind}: ${reason}`)))
  return { level: riskLevels[rank] ?? 'critical', reasons: [...reasons].slice(0, reasonsMax) }
}

type Subject = readonly [RiskKind, string]
const byIdentity = new WeakMap<Uint8Array, Subject[]>()

function subjectsOf({ identity, server, session }: Involved): Subject[] {
  return [
    ['server', server],
    ...(session === undefined ? [] : [['session', session] as const]),
    ...(identity === undefined ? [] : actorsOf(identity)),
  ]
}

/** Read once per agent and principals, as the section is made once for them. */
function actorsOf(identity: Uint8Array): Subject[] {
  const known = byIdentity.get(identity)
  if (known !== undefined) return known
  const parsed = parseIdentity(identity)
  const { agent, user, workload } = parsed
  const cast = castOf(parsed)
  const named = (kind: RiskKind, actor: Actor | { absent: string } | undefined): Subject[] =>
    actor === undefined || 'absent' in actor ? [] : [[kind, actor.id]]
  const all = [
    ...named('agent', agent),
    ...named('user', user),
    ...named('workload', workload),
    ...(cast.workload === workload ? [] : named('workload', cast.workload)),
    ...named('initiator', cast.initiator),
  ]
  byIdentity.set(identity, all)
  return all
}
