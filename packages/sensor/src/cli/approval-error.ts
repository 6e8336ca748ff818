/** Why somebody could not decide on a call. Told as `AFD_` and the code in capitals. */
const approvalErrorCodes = [
  'approval_unknown', // no request has this id, or its time is over and it is gone
  'approval_expired', // its time to be decided on is over
  'approval_decided', // somebody has decided already, or it has been used
  'approval_not_approver', // whoever decides is none of those who may
  'approval_same_person', // whoever decides is one of those who ask
  'approval_differs', // the request is not the one that was shown
  'approval_token_refused', // the token proves nobody
  'approval_not_recorded', // the decision could not be made durable
  'approval_busy', // too many at once
  'approval_unreachable', // the gateway gives no answer, or none that can be read
] as const
export type ApprovalErrorCode = (typeof approvalErrorCodes)[number]

export function isApprovalErrorCode(text: string | undefined): text is ApprovalErrorCode {
  return approvalErrorCodes.some((code) => code === text)
}

export class ApprovalError extends Error {
  override readonly name = 'ApprovalError'
  readonly code: ApprovalErrorCode
  readonly retry: boolean

  constructor(code: ApprovalErrorCode, sentence: string) {
    super(sentence)
    this.code = code
    this.retry = code === 'approval_busy' || code === 'approval_unreachable' || code === 'approval_not_recorded'
  }
}
