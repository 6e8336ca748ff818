import { isAbsent } from '@affidavit/evidence/record/absent'
import { clipText } from '@affidavit/evidence/record/text'
import type { Principals } from '../principals.ts'

/** Nobody has answered, and what uses this loads nothing that asks. */
export const notAnswered = 'the Workload API has not answered yet'

/** The workload as it was known, with why no SVID says more of it. */
export function withReason(principals: Principals, why: string): Principals {
  const { workload } = principals
  if (isAbsent(workload)) return { ...principals, workload: { absent: clipText(`${workload.absent}; ${why}`) } }
  const reason = workload.reason === undefined ? why : `${workload.reason}; ${why}`
  return { ...principals, workload: { ...workload, reason: clipText(reason) } }
}
