import { isAbsent } from '@affidavit/evidence/record/absent'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Parentage } from './attest-parents.ts'
import type { LocalFacts } from './local.ts'
import type { Principals } from './principals.ts'
import { type OwnNames, withOwnNames } from './spiffe/own-names.ts'
import { boundChain } from './token-principals.ts'

/** What is known of a stdio connection beside the user: of the kernel, of a token and of the Workload API. */
export interface StdioNames {
  parentage: Parentage
  token: Principals | undefined
  own: OwnNames | undefined
}

/**
 * Who is behind the requests of a stdio connection. A claim never takes the place of what the kernel attests, and nobody is
 * lost: who is not shown as user or workload stands in the chain, in front of those who act for him.
 */
export function toStdioPrincipals(
  { user }: Pick<LocalFacts, 'user'>,
  { parentage: { workload, lineage }, token, own }: StdioNames,
): Principals {
  const attested: Principals = {
    workload,
    user,
    role: { absent: 'stdio carries no role' },
    token: { absent: 'stdio carries no token' },
    delegation: [],
    lineage,
  }
  const named = token === undefined ? attested : withToken(attested, token)
  return own === undefined ? named : withOwnNames(named, own)
}

function withToken(attested: Principals, { workload, user, role, token, delegation }: Principals): Principals {
  const isUser = isVerified(user) || isAbsent(attested.user)
  const others = isUser ? [] : [user]
  // A run stays in front: it set everything going, and whoever started it stands behind it.
  const begins = delegation[0]?.kind === 'job' ? 1 : 0
  const chain = [...delegation.slice(0, begins), ...others, ...delegation.slice(begins), workload]
  return {
    ...attested,
    user: isUser && isActor(user) ? user : attested.user,
    role,
    token,
    delegation: boundChain(chain.filter(isActor)),
  }
}

function isActor(named: Principals['user']): named is Actor {
  return !isAbsent(named)
}

function isVerified(named: Principals['user']): boolean {
  return !isAbsent(named) && named.assurance === 'verified'
}
