import { type EnvironmentSection, redactionsMax } from '@affidavit/evidence/record/environment-section'
import { clipText } from '@affidavit/evidence/record/text'
import type { Removal } from '../redact/removal.ts'

const pathBytesMax = 1024

/** What was removed, as the section `environment` lists it: the first of them, and how many more. */
export function listRemovals(
  removed: readonly Removal[],
  listedMax: number = redactionsMax,
): Pick<EnvironmentSection, 'redactions' | 'redactionsOmitted'> {
  const redactions = removed
    .slice(0, listedMax)
    .map((removal) => ({ ...removal, path: clipText(removal.path, pathBytesMax) }))
  return { redactions, redactionsOmitted: removed.length - redactions.length }
}
