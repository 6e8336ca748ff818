import type { EpochDetail } from '../record/header.ts'
import type { Link } from './link.ts'
import type { ProblemSink } from './problem.ts'

/** What a log says about itself in its first entry. */
export interface EpochCheck {
  detail: EpochDetail | undefined
  tenant: string | undefined
}

export const createEpochCheck = (): EpochCheck => ({ detail: undefined, tenant: undefined })

export interface EpochContext {
  readonly index: number
  readonly problems: ProblemSink
  readonly origin: string
}

/**
 * The epoch record is entry 0 and nothing else is one. It names the log, so that entries cannot be moved to another one,
 * and the tenant, so that no other's are among them.
 */
export function followEpoch(
  check: EpochCheck,
  { tenant, header }: Link,
  { index, problems, origin }: EpochContext,
): void {
  check.tenant ??= tenant
  if (tenant !== check.tenant)
    problems.add('tenant_foreign', { index }, `entry ${index} belongs to tenant ${tenant}, the log to ${check.tenant}`)
  if (header?.kind !== 'epoch') {
    if (index === 0) problems.add('epoch_missing', { index }, 'the log does not begin with its epoch record')
    return
  }
  if (index !== 0) problems.add('epoch_misplaced', { index }, `epoch record at entry ${index}`)
  if (header.detail.origin !== origin)
    problems.add('epoch_foreign', { index }, `epoch record of ${header.detail.origin}, the log is ${origin}`)
  check.detail ??= header.detail
}
