import type { ApprovalRef } from '@affidavit/evidence/record/decision-section'
import type { ApprovalActor, ApprovalRequest } from '@affidavit/evidence/wire/approval'

/** Somebody who may approve, and proves himself by a key. */
export interface KeyApprover {
  id: string
  /** Raw Ed25519 public key, base64 of 32 bytes. */
  key: string
  /** Other names under which the same person may ask: the subject of a token, the name of an account. */
  alsoKnownAs: readonly string[]
}

/** Who decided, as records name him. */
export type Approver = NonNullable<ApprovalRef['approver']>

/** Whether one of those who ask is the one who decides. By name alone, also of what is claimed: better one refused too many. */
export function isAmong(actors: readonly ApprovalActor[], names: readonly string[]): boolean {
  return actors.some(({ id }) => names.includes(id))
}

export function findApprover(approvers: readonly KeyApprover[], key: string | undefined): KeyApprover | undefined {
  return approvers.find((each) => each.key === key)
}

export function isSamePerson({ actors }: ApprovalRequest, { id, alsoKnownAs }: KeyApprover): boolean {
  return isAmong(actors, [id, ...alsoKnownAs])
}
