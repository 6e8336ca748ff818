import type { KeyedDigest } from '@affidavit/evidence/record/header'

/** Sections hold at most this much of a value; what is larger is described instead. */
export const valueBytesMax = 1024 * 1024

export type ElisionReason = 'too_large' | 'not_held' | 'failed' | 'level' | 'not_reported'

/**
 * Stands where a value would be that is not kept. `digest` is the keyed digest of the SHA-256 of the value's bytes as
 * they came (hashed first, because what is too large to keep is too large to hold), so that equal values still meet.
 */
export interface Elision {
  $elided: { reason: ElisionReason; bytes: number; digest?: KeyedDigest; failure?: string }
}

export function elide(
  reason: ElisionReason,
  bytes: number,
  more: { digest?: KeyedDigest; failure?: string } = {},
): Elision {
  return { $elided: { reason, bytes, ...more } }
}

/** A detector that fails drops the value, not the record. Only the kind of the failure is kept: messages quote values. */
export function elideFailure(error: unknown, bytes: number): Elision {
  return elide('failed', bytes, { failure: error instanceof Error ? error.name : typeof error })
}
