import type { Absent } from '@affidavit/evidence/record/absent'
import type { Actor, Grounds, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { isJsonObject, type Redact } from './claims.ts'
import { describeJob } from './job-claims.ts'
import type { Principals } from './principals.ts'
import { attributesOf, type Reading, type RoleRule, type TokenKind, textsAt } from './token-kind.ts'

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
  claims: Record<string, unknown>,
  token: TokenRef,
  { grounds, redact, reading }: { grounds: Grounds; redact: Redact; reading: Reading },
): Principals {
  const keep = (text: string) => clipText(redact(text))
  const issuer = textOf(claims.iss)
  const named: Named = { vouched: { ...grounds, ...(issuer === undefined ? {} : { issuer: keep(issuer) }) }, keep }
  const job = jobOf(reading.kind, claims, named)
  const delegation = actorsOf(claims.act, named, job === undefined ? actorsMax : actorsMax - 1)
  return {
    workload: workloadOf(reading.kind, claims, named),
    user: userOf(reading.kind, claims, named),
    role: roleOf(reading.role, claims, named),
    token,
    delegation: job === undefined ? delegation : [job, ...delegation],
  }
}

function workloadOf(kind: TokenKind, claims: Record<string, unknown>, { vouched, keep }: Named): Actor | Absent {
  if (kind === 'kubernetes') {
    const id = textOf(claims.sub)
    if (id === undefined) return { absent: 'the token names no service account' }
    return { ...vouched, kind: 'workload', id: keep(id), ...attributesFor(kind, claims, keep) }
  }
  if (kind !== 'oauth') return { absent: 'the token names a CI job, which stands first among those who delegated' }
  const client = clientOf(claims)
  return client === undefined
    ? { absent: 'the token names no client' }
    : { ...vouched, kind: 'workload', id: keep(client) }
}

/** The run of a CI job: what set all that follows going. */
function jobOf(kind: TokenKind, claims: Record<string, unknown>, { vouched, keep }: Named): Actor | undefined {
  const text = (name: string) => textsAt(claims, [name])[0]
  const [place, run, name] =
    kind === 'github-actions'
      ? [text('repository'), text('run_id'), text('workflow')]
      : kind === 'gitlab-ci'
        ? [text('project_path'), text('job_id'), text('pipeline_id')]
        : []
  if (place === undefined || run === undefined) return undefined
  const id = kind === 'github-actions' ? `${place}/actions/runs/${run}` : `${place}/-/jobs/${run}`
  const called = kind === 'gitlab-ci' && name !== undefined ? `pipeline ${name}` : name
  return {
    ...vouched,
    kind: 'job',
    id: keep(id),
    ...(called === undefined ? {} : { name: keep(called) }),
    ...attributesFor(kind, claims, keep),
  }
}

function attributesFor(kind: TokenKind, claims: Record<string, unknown>, keep: Named['keep']) {
  const attributes = attributesOf(kind, claims).map(({ name, value }) => ({ name, value: keep(value) }))
  return attributes.length === 0 ? {} : { attributes }
}

/** What the configuration says of a token holds where the token does. */
function roleOf(rule: RoleRule, claims: Record<string, unknown>, { vouched, keep }: Named): Actor | Absent {
  if ('value' in rule) {
    if (vouched.assurance !== 'verified') return { absent: 'a role is configured, for verified tokens alone' }
    return {
      assurance: 'verified',
      method: 'configuration',
      source: 'configuration',
      kind: 'role',
      id: clipText(rule.value),
    }
  }
  const names = textsAt(claims, rule.claim).slice(0, 32)
  const claim = rule.claim.join('.')
  if (names.length === 0) return { absent: clipText(`the token has no claim ${claim} to name a role`) }
  return { ...vouched, source: clipText(`claim ${claim}`), kind: 'role', id: keep(names.join(' ')) }
}

/** Of RFC 9068, or of OpenID Connect where that is missing. */
export function clientOf(claims: Record<string, unknown>): string | undefined {
  return textOf(claims.client_id) ?? textOf(claims.azp)
}

/** Who started a CI job, where the issuer says so. */
const startedBy = { 'github-actions': 'actor', 'gitlab-ci': 'user_login' } as const

/** A token that a client got for itself has the client as its subject (RFC 9068 §2.2): then there is no user. */
function userOf(kind: TokenKind, claims: Record<string, unknown>, { vouched, keep }: Named): Actor | Absent {
  if (kind === 'kubernetes') return { absent: 'the token names a workload, and nobody on whose behalf it works' }
  if (kind !== 'oauth') {
    const login = textOf(claims[startedBy[kind]])
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
  if (next !== undefined) chain.unshift({ ...vouched, id: 'unreadable', reason: 'earlier actors cannot be told' })
  return chain
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
