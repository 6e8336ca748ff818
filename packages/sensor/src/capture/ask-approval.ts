import type { DecisionSection } from '@affidavit/evidence/record/decision-section'
import { clipText } from '@affidavit/evidence/record/text'
import type { ApprovalAnswer, ApprovalDesk, ApprovalQuestion } from '../policy/approval.ts'
import type { Ruling } from '../policy/decision-point.ts'

/** What becomes of a denied call that somebody may approve: it goes on where somebody has, once. */
export async function settleApproval(desk: ApprovalDesk, ruling: Ruling, question: ApprovalQuestion): Promise<Ruling> {
  const approval = await desk.settle(question)
  const sentence = sayApproval(approval)
  const isGranted = approval.state === 'granted'
  const reason = isGranted ? sentence : `${ruling.reason}; ${sentence}`
  const rationale = `${isGranted ? 'Granted' : 'Denied'}: ${ruling.reason}; ${sentence}.`
  return {
    disposition: isGranted ? 'granted' : 'denied',
    reason,
    section: { ...ruling.section, approval, rationale: clipText(rationale, 4096) },
  }
}

/** Nobody is asked where nothing is refused. */
export function noteApproval(section: DecisionSection): DecisionSection {
  return { ...section, approval: { state: 'would_be_required' } }
}

function sayApproval({ state, id = '', problem, approver }: ApprovalAnswer): string {
  if (state === 'granted')
    return `${approver?.id ?? 'somebody'} approved it (${approver?.assurance ?? 'claimed'}, ${approver?.method ?? 'unknown'}; ${id})`
  if (state === 'denied') return `somebody was asked to approve it, and said no (${id})`
  if (id === '') return `it needs an approval, and nobody can be asked for one (${problem ?? 'unknown'})`
  const before = problem === undefined ? '' : `, for the one that is there does not count (${problem})`
  return `it needs an approval by somebody else${before}: affidavit approve ${id}, then the same call again`
}
