import { canonicalText } from '@affidavit/evidence/record/canonical'
import type { ApprovalRequest, ApprovalStatement } from '@affidavit/evidence/wire/approval'
import type { ApprovalProblem, ApprovalQuestion } from '../policy/approval.ts'
import type { HeldRequest } from './approval-files.ts'
import type { Approver, KeyApprover } from './approvers.ts'
import { type CallPart, digestCall } from './describe-call.ts'
import { judgeStatement, judgeVerdict } from './judge-verdict.ts'

/** What a request that was made before comes to for the call that is asked about now. */
export type Found =
  | { is: 'pending' }
  | { is: 'approved'; approver: Approver }
  | { is: 'denied'; approver?: Approver }
  | { is: 'void'; problem?: ApprovalProblem }

/** Decided by somebody whose token this process verified. */
export interface TokenDecision {
  statement: ApprovalStatement
  approver: Approver
}

export interface LookUp {
  question: ApprovalQuestion
  /** The question as we see it ourselves. */
  call: CallPart
  approvers: readonly KeyApprover[]
  nowMs: number
}

/** Of another server, tool or actor: then it says nothing of this call. */
export function isAboutSame({ request }: HeldRequest, { call }: LookUp): boolean {
  const { server, method, target, actors } = call
  const isSameTool = request.server === server && request.method === method && isSame(request.target, target)
  return isSameTool && isSame(request.actors, actors)
}

/** Both were written by the same code, or one is somebody's forgery and differs. */
export const isSame = (a: object, b: object) => canonicalText(a) === canonicalText(b)

export function lookAt(held: HeldRequest, told: TokenDecision | undefined, by: LookUp): Found {
  const { request, uses } = held
  const digest = digestCall(by.question, Buffer.from(request.salt, 'base64'))
  const isSpent = uses >= by.call.uses
  if (digest !== request.digest) {
    const other = decidedOf(held, told, { ...by, expected: request })
    return other.is === 'approved' && !isSpent ? { is: 'void', problem: 'arguments_differ' } : { is: 'void' }
  }
  const { arguments: _, ...kept } = request
  const decided = decidedOf(held, told, { ...by, expected: { ...kept, ...by.call, digest } })
  if (decided.is === 'pending' && by.nowMs >= Date.parse(request.closes)) return { is: 'void' }
  return decided.is === 'approved' && isSpent ? { is: 'void', problem: 'already_used' } : decided
}

function decidedOf(
  { verdict, isDenied }: HeldRequest,
  told: TokenDecision | undefined,
  by: LookUp & { expected: ApprovalRequest },
): Found {
  const { expected, approvers, nowMs } = by
  if (told !== undefined) {
    const problem = judgeStatement(told.statement, expected, nowMs)
    return problem === undefined ? { is: told.statement.verdict, approver: told.approver } : { is: 'void', problem }
  }
  if (isDenied) return { is: 'denied' }
  if (verdict === undefined) return { is: 'pending' }
  const judged = judgeVerdict(verdict, { expected, approvers, nowMs })
  return 'problem' in judged
    ? { is: 'void', problem: judged.problem }
    : { is: judged.verdict, approver: judged.approver }
}
