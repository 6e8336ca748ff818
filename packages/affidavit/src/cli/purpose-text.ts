import { type Purpose, type PurposeStatement, statementsOf } from '@affidavit/evidence/record/purpose-section'
import type { FetchedCall } from '../query/fetch.ts'
import { readPurpose } from '../query/purpose.ts'

/** `task: Summarise the third quarter`: the first statement; nobody checked it, which whoever shows it must say. */
export function describePurpose({ requested }: Pick<FetchedCall, 'requested'>): string | undefined {
  const purpose = readPurpose(requested.sections)
  return purpose === undefined ? undefined : describeStatement(purpose)
}

export function describeStatement({ kind, statement }: PurposeStatement): string {
  return `${kind}: ${statement}`
}

/** Everything that was declared, one line each, with where it was read. */
export function purposeLines(purpose: Purpose): string[] {
  return statementsOf(purpose).map((each) => `${describeStatement(each)} (claimed, ${each.source})`)
}
