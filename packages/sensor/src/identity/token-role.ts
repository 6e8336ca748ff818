import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { type Claims, textsAt } from './claim-texts.ts'

/** Where a role comes from: a claim by name (or by the path to it), or whoever gives roles to those whom tokens name. */
export type RoleRule = { claim: readonly string[] } | AssignedRoles

export interface AssignedRoles {
  from: 'configuration' | 'directory'
  /** As records name it. */
  source: string
  /** Roles of subjects; a final `*` of a name stands for any rest, and the longest name that fits counts. */
  subjects: ReadonlyMap<string, string>
  groups: ReadonlyMap<string, string>
  /** Where a token says in which groups its subject is. */
  groupsClaim: readonly string[]
}

/** Several roles stand side by side in one actor. */
const rolesMax = 32

/** `vouched` says how far the token may be believed. What is given to a name counts where the name is proven. */
export function roleOf(
  rule: RoleRule,
  claims: Claims,
  { vouched, keep }: { vouched: Grounds; keep: (text: string) => string },
): Actor | Absent {
  if ('claim' in rule) {
    const names = textsAt(claims, rule.claim).slice(0, rolesMax)
    const claim = rule.claim.join('.')
    if (names.length === 0) return { absent: clipText(`the token has no claim ${claim} to name a role`) }
    return { ...vouched, source: clipText(`claim ${claim}`), kind: 'role', id: keep(names.join(' ')) }
  }
  const { from, source } = rule
  if (vouched.assurance !== 'verified') return { absent: `the ${from} gives roles to verified tokens alone` }
  const names = assignedTo(rule, claims)
  if (names.length === 0) return { absent: `the ${from} gives no role to this subject` }
  const id = clipText(names.slice(0, rolesMax).join(' '))
  return { assurance: 'verified', method: from, source: clipText(source), kind: 'role', id }
}

function assignedTo({ subjects, groups, groupsClaim }: AssignedRoles, claims: Claims): string[] {
  const [subject] = [...textsAt(claims, ['sub']), ...textsAt(claims, ['client_id'])]
  const own = subject === undefined ? undefined : roleOfSubject(subjects, subject)
  const shared = groups.size === 0 ? [] : textsAt(claims, groupsClaim).map((group) => groups.get(group))
  return [...new Set([own, ...shared])].filter((name) => name !== undefined)
}

function roleOfSubject(subjects: AssignedRoles['subjects'], subject: string): string | undefined {
  const exact = subjects.get(subject)
  if (exact !== undefined) return exact
  const fitting = [...subjects.keys()].filter((name) => name.endsWith('*') && subject.startsWith(name.slice(0, -1)))
  const [longest] = fitting.sort((a, b) => b.length - a.length)
  return longest === undefined ? undefined : subjects.get(longest)
}
