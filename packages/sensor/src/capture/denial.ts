import type { Uuid } from '@affidavit/evidence/record/header'

export type DenialCode = 'policy' | 'ambiguous' | 'approval_required'

/** What whoever is refused is told beside the reason. */
export interface DenialFacts {
  policies?: readonly string[] | undefined
  /** What to approve, or what was not approved. */
  approvalId?: Uuid | undefined
  /** Why an approval that is there did not count, or nobody could be asked. */
  problem?: string | undefined
}

/** Policy refused it. It says so to whoever sent it, and quotes nothing. */
export class DenialError extends Error {
  override readonly name = 'DenialError'
  readonly code: DenialCode
  readonly retry = false
  readonly facts: DenialFacts
  /** The call that was refused; undefined where it is a line that may hold none. */
  readonly callId: Uuid | undefined

  constructor(code: DenialCode, reason: string, facts: DenialFacts = {}, callId?: Uuid) {
    super(reason)
    this.code = code
    this.facts = facts
    this.callId = callId
  }

  of(callId: Uuid): DenialError {
    return new DenialError(this.code, this.message, this.facts, callId)
  }
}
