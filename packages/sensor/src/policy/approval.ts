import type { ApprovalRef } from '@affidavit/evidence/record/decision-section'
import type { KeyedDigest, Uuid } from '@affidavit/evidence/record/header'
import type { PolicyRequest, ValuePrivacy } from './decision-point.ts'

/** The obligation by which a policy that forbids says that somebody may approve the call. */
const approvalObligation = 'approval_required'

export function asksApproval({ obligations }: { obligations: readonly string[] }): boolean {
  return obligations.includes(approvalObligation)
}

/** Nothing is against it but policies that would let it pass once it is approved, and something is for it. */
export function isApprovable(
  judged: readonly { policy: { obligations: readonly string[] }; verdict: string }[],
): boolean {
  const forbids = judged.filter(({ verdict }) => verdict === 'forbid')
  const canBeLifted = forbids.every(({ policy }) => asksApproval(policy))
  return forbids.length > 0 && canBeLifted && judged.some(({ verdict }) => verdict === 'permit')
}

/** A call that all that forbids it would let through once somebody approved it. */
export interface ApprovalQuestion {
  request: PolicyRequest
  callId: Uuid
  /** Ids of the policies that ask. */
  policies: readonly string[]
  privacy: ValuePrivacy
  digest: (value: Uint8Array) => KeyedDigest
}

/** Why an approval did not count, or nobody could be asked. Stable words: records, errors and the documentation use them. */
export type ApprovalProblem =
  | 'expired' // its time is over
  | 'not_an_approver' // whoever decided is none of those who may
  | 'same_person' // whoever decided is one of those who ask
  | 'already_used' // as many calls as it is for have been let through
  | 'bad_signature' // not a statement that its key signed
  | 'request_differs' // what was signed is not what is asked now
  | 'arguments_differ' // somebody approved this tool for the same actor, with other arguments
  | 'denied' // somebody was asked, and said no
  | 'too_many_pending' // more requests wait than are kept
  | 'not_bindable' // the call names nothing, or its arguments are not at hand: no approval could be bound to it
  | 'store_failed' // the home folder could not be read or written

/** `granted`: durable, and this use of it is claimed. */
export type ApprovalAnswer = ApprovalRef & { state: 'granted' | 'required' | 'denied'; problem?: ApprovalProblem }

/** Where approvals are asked for and found. Never throws and never rejects. */
export interface ApprovalDesk {
  settle(question: ApprovalQuestion): Promise<ApprovalAnswer>
}
