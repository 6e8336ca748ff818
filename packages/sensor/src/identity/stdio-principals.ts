import { isAbsent } from '@affidavit/evidence/record/absent'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Parentage } from './attest-parents.ts'
import type { LocalFacts } from './local.ts'
import type { Principals } from './principals.ts'
import { boundChain } from './token-principals.ts'

/**
 * Who is behind the requests of a stdio connection: the kernel's word about processes and user, and a token's, where one was
 * given. A claim never takes the place of what the kernel attests, and nobody is lost: who is not shown as user or workload
 * stands in the chain, in front of those who act for him.
 */
export function toStdioPrincipals(
  { user }: Pick<LocalFacts, 'user'>,
  { workload, lineage }: Parentage,
  token: Principals | undefined,
): Principals {
  if (token === undefined)
    return {
      workload,
      user,
      role: { absent: 'stdio carries no role' },
      token: { absent: 'stdio carries no token' },
      delegation: [],
      lineage,
    }
  const isUser = isVerified(token.user) || isAbsent(user)
  const chain = [isUser ? undefined : token.user, ...token.delegation, token.workload].filter(isActor)
  return {
    workload,
    user: isUser && isActor(token.user) ? token.user : user,
    role: token.role,
    token: token.token,
    delegation: boundChain(chain),
    lineage,
  }
}

function isActor(named: Principals['user'] | undefined): named is Actor {
  return named !== undefined && !isAbsent(named)
}

function isVerified(named: Principals['user']): boolean {
  return !isAbsent(named) && named.assurance === 'verified'
}
