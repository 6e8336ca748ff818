import type { Evidence } from '../log/error.ts'

/**
 * What verification can find. The codes are stable: alerts and scripts match on them.
 * A contradiction means that something was altered, removed or forged, and makes a verdict INVALID.
 */
export const contradictionCodes = [
  'checkpoint_missing', 'checkpoint_invalid', 'log_key_exchanged', 'rolled_back', 'forked', 'root_mismatch', 'entry_altered',
  'entry_malformed', 'bundle_missing', 'bundle_malformed', 'tile_missing', 'tile_altered', 'epoch_missing',
  'epoch_misplaced', 'epoch_foreign', 'tenant_foreign', 'genesis_missing', 'genesis_misplaced', 'sensor_id_wrong',
  'sensor_unknown', 'sensor_key_changed', 'counter_reused', 'stream_missing', 'stream_head_wrong', 'seq_broken',
  'prev_broken', 'record_after_end', 'recovery_wrong', 'signature_wrong', 'tail_unsigned', 'request_missing',
  'request_other_call', 'gap_unmatched', 'body_altered', 'body_missing', 'spool_altered',
  'store_disagrees', 'index_disagrees', 'key_disagrees', 'file_altered',
] as const // biome-ignore format: one list, read as one

/** What could not be looked at. It proves nothing either way: such a verdict is not complete. */
export const uncheckedCodes = [
  'version_unknown', 'limit_reached', 'stream_owed', 'kept_unusable', 'not_published', 'stopped',
] as const // biome-ignore format: one list, read as one

export type ContradictionCode = (typeof contradictionCodes)[number]
export type UncheckedCode = (typeof uncheckedCodes)[number]
export type ProblemCode = ContradictionCode | UncheckedCode

/** Where a problem lies, as far as it is known. */
export interface Place {
  /** Leaf index of the entry. */
  readonly index?: number
  /** Path below the log's or the home's folder. */
  readonly path?: string
  readonly streamId?: string
  readonly seq?: number
}

export interface Problem extends Place {
  readonly code: ProblemCode
  readonly message: string
  readonly evidence?: Evidence
}

export interface Problems {
  /** The first so many, in the order they were found. */
  readonly list: readonly Problem[]
  /** All of them, listed or not. */
  readonly contradictions: number
  readonly unchecked: number
  /** The contradiction with the lowest leaf index, listed or not. */
  readonly firstBad: Problem | undefined
}

/** Takes problems as they are found. One altered byte can break thousands of links: only so many are listed. */
export interface ProblemSink {
  readonly add: (code: ProblemCode, place: Place, message: string, evidence?: Evidence) => void
  readonly found: () => Problems
}

const unchecked = new Set<string>(uncheckedCodes)

export function isContradiction({ code }: Problem): boolean {
  return !unchecked.has(code)
}

export function createProblemSink(problemsMax = 100): ProblemSink {
  const list: Problem[] = []
  const counts = { contradictions: 0, unchecked: 0 }
  let firstBad: Problem | undefined
  return {
    add(code, place, message, evidence) {
      const problem = { code, message, ...place, ...(evidence === undefined ? {} : { evidence }) }
      if (isContradiction(problem)) {
        counts.contradictions += 1
        if (isEarlier(problem, firstBad)) firstBad = problem
      } else counts.unchecked += 1
      if (list.length < problemsMax) list.push(problem)
    },
    found: () => ({ list, ...counts, firstBad }),
  }
}

/** An altered entry is the cause, what it breaks at the same place the effect. */
function isEarlier(problem: Problem, first: Problem | undefined): boolean {
  if (problem.index === undefined) return false
  if (first?.index === undefined || problem.index < first.index) return true
  return problem.index === first.index && problem.code === 'entry_altered'
}
