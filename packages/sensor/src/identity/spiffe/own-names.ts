import { type Absent, isAbsent } from '@affidavit/evidence/record/absent'
import type { Actor, TokenRef } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import type { Principals } from '../principals.ts'
import { boundChain } from '../token-principals.ts'

/** Whom the Workload API names on stdio, at the moment; what uses this loads nothing that asks. */
export interface OwnNames {
  /** Whom the X.509-SVID names, while there is a good one. */
  svid?: Actor
  /** Why there is none. */
  why?: string
  /** What the configuration gives to that name. */
  role?: Actor | Absent
  /** The JWT-SVID where one was asked for, else the certificate. */
  token?: TokenRef
}

export const notAnswered = 'the Workload API has not answered yet'

/**
 * The SVID stands last in the chain, beside the process that the kernel attests and in nobody's place: which process it is, and
 * what its platform calls it, are two things. A token that the client was given, and its role, go before the SVID's.
 */
export function withOwnNames(principals: Principals, { svid, why, token, role }: OwnNames): Principals {
  const ref = token !== undefined && isAbsent(principals.token) ? token : principals.token
  if (svid !== undefined) {
    const given = isAbsent(principals.role) && role !== undefined ? role : principals.role
    return { ...principals, token: ref, role: given, delegation: boundChain([...principals.delegation, svid]) }
  }
  return { ...principals, token: ref, workload: withReason(principals.workload, why) }
}

function withReason(workload: Principals['workload'], why: string | undefined): Principals['workload'] {
  if (why === undefined) return workload
  if (isAbsent(workload)) return { absent: clipText(`${workload.absent}; ${why}`) }
  return { ...workload, reason: clipText(workload.reason === undefined ? why : `${workload.reason}; ${why}`) }
}
