import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import type { Claims } from './claim-texts.ts'
import { isJsonObject, type Redact } from './claims.ts'
import { describeJob, ownJobOf, starterOf } from './job-claims.ts'
import type { Principals } from './principals.ts'
import { attributesOf, isCiKind, type Reading, type TokenKind } from './token-kind.ts'
import { roleOf } from './token-role.ts'

/** Actors that a record can hold (identity-section.ts); one place is kept for saying that there were more. */
export const actorsMax = 31

interface Named {
  vouched: Grounds & { issuer?: string }
  keep: (text: string) => string
}

/**
 * Whom the claims of a token name (RFC 9068 §2.2, RFC 8693 §4.1). `grounds` says how far they may be believed, `reading` what
 * kind of token it is; `redact` is applied to every value, for claims may hold anything.
 */
export function toPrincipals(
  claims: Claims,
  token: TokenRef,
  { grounds, redact, reading }: { grounds: Grounds; redact: Redact; reading: Reading },
): Principals {
  const keep = (text: string) => clipText(redact(text))
  const issuer = textOf(claims.iss)
  const named: Named = { vouched: { ...grounds, ...(issuer === undefined ? {} : { issuer: keep(issuer) }) }, keep }
  // The run of a CI job set all that follows going.
  const job = isCiKind(reading.kind) ? ownJobOf(reading.kind, claims, keep) : undefined
  const delegation = actorsOf(claims.act, named, job === undefined ? actorsMax : actorsMax - 1)
  return {
    workload: workloadOf(reading.kind, claims, named),
    user: userOf(reading.kind, claims, named),
    role: roleOf(reading.role, claims, named),
    token,
    delegation: job === undefined ? delegation : [{ ...named.vouched, ...job }, ...delegation],
  }
}

function workloadOf(kind: TokenKind, claims: Claims, { vouched, keep }: Named): Actor | Absent {
  if (kind === 'kubernetes') {
    const id = textOf(claims.sub)
    if (id === undefined) return { absent: 'the token names no service account' }
    const attributes = attributesOf(kind, claims).map(({ name, value }) => ({ name, value: keep(value) }))
    return { ...vouched, kind: 'workload', id: keep(id), ...(attributes.length === 0 ? {} : { attributes }) }
  }
  if (kind !== 'oauth') return { absent: 'the token names a CI job, which stands first among those who delegated' }
  const client = clientOf(claims)
  return client === undefined
    ? { absent: 'the token names no client' }
    : { ...vouched, kind: 'workload', id: keep(client) }
}

/** Of RFC 9068, or of OpenID Connect where that is missing. */
export function clientOf(claims: Claims): string | undefined {
  return textOf(claims.client_id) ?? textOf(claims.azp)
}

/** A token that a client got for itself has the client as its subject (RFC 9068 §2.2): then there is no user. */
function userOf(kind: TokenKind, claims: Claims, { vouched, keep }: Named): Actor | Absent {
  if (kind === 'kubernetes') return { absent: 'the token names a workload, and nobody on whose behalf it works' }
  if (isCiKind(kind)) {
    const login = starterOf(kind, claims)
    return login === undefined
      ? { absent: 'the token does not say who started the job' }
      : { ...vouched, id: keep(login) }
  }
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
function actorsOf(act: unknown, { vouched, keep }: Named, max: number): Actor[] {
  const chain: Actor[] = []
  let next = act
  for (; isJsonObject(next) && chain.length < max; next = next.act) {
    const id = textOf(next.sub) ?? clientOf(next)
    const issuer = textOf(next.iss)
    const by = { ...vouched, ...(issuer === undefined ? {} : { issuer: keep(issuer) }) }
    chain.unshift({ ...by, ...describeJob(next, keep), id: id === undefined ? 'unnamed' : keep(id) })
  }
  if (next !== undefined) chain.unshift({ ...vouched, ...unreadable })
  return chain
}

const unreadable = { id: 'unreadable', reason: 'earlier actors cannot be told' }

/** As many as a record can hold; of the first ones it says that there were more. */
export function boundChain(chain: Actor[]): Actor[] {
  const [first] = chain
  if (first === undefined || chain.length <= actorsMax + 1) return chain
  const { assurance, method, source } = first
  return [{ assurance, method, source, ...unreadable }, ...chain.slice(-actorsMax)]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
