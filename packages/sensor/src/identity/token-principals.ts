import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { isJsonObject, type Redact } from './claims.ts'
import { describeJob } from './job-claims.ts'
import type { Principals } from './principals.ts'

/** Actors that a record can hold (identity-section.ts); one place is kept for saying that there were more. */
export const actorsMax = 31

/**
 * Whom the claims of a token name (RFC 9068 §2.2, RFC 8693 §4.1). `grounds` says how far they may be believed; `redact`
 * is applied to every value, for claims may hold anything.
 */
export function toPrincipals(
  claims: Record<string, unknown>,
  token: TokenRef,
  { grounds, redact }: { grounds: Grounds; redact: Redact },
): Principals {
  const keep = (text: string) => clipText(redact(text))
  const issuer = textOf(claims.iss)
  const vouched = { ...grounds, ...(issuer === undefined ? {} : { issuer: keep(issuer) }) }
  const client = clientOf(claims)
  const role = listOf(claims.roles)
  return {
    workload:
      client === undefined
        ? { absent: 'the token names no client' }
        : { ...vouched, kind: 'workload', id: keep(client) },
    user: userOf(claims, vouched, keep),
    role: role === undefined ? { absent: 'the token names no role' } : { ...vouched, kind: 'role', id: keep(role) },
    token,
    delegation: actorsOf(claims.act, vouched, keep),
  }
}

/** Of RFC 9068, or of OpenID Connect where that is missing. */
export function clientOf(claims: Record<string, unknown>): string | undefined {
  return textOf(claims.client_id) ?? textOf(claims.azp)
}

/** A token that a client got for itself has the client as its subject (RFC 9068 §2.2): then there is no user. */
function userOf(claims: Record<string, unknown>, vouched: Grounds, keep: (text: string) => string): Actor | Absent {
  const subject = textOf(claims.sub)
  if (subject === undefined) return { absent: 'the token names no subject' }
  if (subject === clientOf(claims)) return { absent: 'the token was given to the client itself, for nobody else' }
  const name = textOf(claims.preferred_username) ?? textOf(claims.name)
  return {
    ...vouched,
    ...describeJob(claims, keep),
    id: keep(subject),
    ...(name === undefined ? {} : { name: keep(name) }),
  }
}

/** The outermost actor is the current one and the innermost the first (RFC 8693 §4.1): the chain is written from the first. */
function actorsOf(act: unknown, vouched: Grounds & { issuer?: string }, keep: (text: string) => string): Actor[] {
  const chain: Actor[] = []
  let next = act
  for (; isJsonObject(next) && chain.length < actorsMax; next = next.act) {
    const id = textOf(next.sub) ?? clientOf(next)
    const issuer = textOf(next.iss)
    const by = { ...vouched, ...(issuer === undefined ? {} : { issuer: keep(issuer) }) }
    chain.unshift({ ...by, ...describeJob(next, keep), id: id === undefined ? 'unnamed' : keep(id) })
  }
  if (next !== undefined) chain.unshift({ ...vouched, id: 'unreadable', reason: 'earlier actors cannot be told' })
  return chain
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** One text of a list of names (RFC 9068 §2.2.3.1) or of a single one. */
function listOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return textOf(value)
  const names = value.filter((each) => typeof each === 'string' && each !== '').slice(0, 32)
  return names.length === 0 ? undefined : names.join(' ')
}
