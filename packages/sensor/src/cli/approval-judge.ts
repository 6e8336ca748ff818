import type { ApprovalRequest } from '@affidavit/evidence/wire/approval'
import { type Approver, isAmong } from '../approve/approvers.ts'
import type { GuardRequest } from '../identity/admission.ts'
import type { Digest } from '../identity/bearer.ts'
import { createBearerJudge, type JudgedBearer } from '../identity/bearer-judge.ts'
import type { Redact } from '../identity/claims.ts'
import { openTrust } from '../identity/open-trust.ts'
import type { Principals } from '../identity/principals.ts'
import { ApprovalError } from './approval-error.ts'
import type { ApprovalsConfig } from './approvals-config.ts'
import { diagnose } from './diagnostics.ts'
import { toIdentityTrust } from './identity-config.ts'

/** Somebody whose token was verified, and who may approve. */
export interface TokenPerson {
  approver: Approver
  principals: Principals
  /** Throws ApprovalError where he is one of those who ask. */
  checkOther(request: ApprovalRequest): void
}

/** Throws Refusal where the token proves nobody, ApprovalError where he may not approve. */
export type JudgePerson = (request: GuardRequest) => Promise<TokenPerson>

export interface OpenJudge {
  judge: JudgePerson
  close(): void
}

/** Undefined where nobody approves by a token. Throws UsageError where a file of an issuer cannot be read. */
export function openPersonJudge(
  { issuers, tokenApprovers }: ApprovalsConfig,
  by: { digest: Digest; redact: Redact },
): OpenJudge | undefined {
  if (issuers === undefined) return undefined
  const ended = new AbortController()
  const trust = openTrust({ ...toIdentityTrust({ issuers }, undefined, process.env), fetch, diagnose }, ended.signal)
  const judge = createBearerJudge(trust, by)
  return {
    judge: async (request) => toPerson(await judge(request), tokenApprovers),
    close: () => ended.abort(),
  }
}

function toPerson({ principals, verified }: JudgedBearer, known: ApprovalsConfig['tokenApprovers']): TokenPerson {
  const { user, role } = principals
  const { issuer } = verified.rules
  const roles = 'absent' in role ? [] : role.id.split(' ')
  const entries = known.filter(
    (each) =>
      each.issuer === issuer && ('role' in each ? roles.includes(each.role) : each.subject === verified.claims.sub),
  )
  // A token that a program got for itself names no person, whatever its roles.
  if ('absent' in user || entries.length === 0)
    throw new ApprovalError(
      'approval_not_approver',
      'the token is good, and names none of policy.approvals.tokenApprovers',
    )
  const { id, name, assurance, method } = user
  const names = [id, String(verified.claims.sub), ...(name === undefined ? [] : [name])]
  const others = entries.flatMap(({ alsoKnownAs }) => alsoKnownAs)
  return {
    approver: { id, assurance, method, issuer },
    principals,
    checkOther({ actors }) {
      if (isAmong(actors, [...names, ...others]))
        throw new ApprovalError('approval_same_person', `${id} is one of those who ask; somebody else has to decide`)
    },
  }
}
