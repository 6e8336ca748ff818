import type { FetchedCall } from './fetch.ts'
import { highest, type Judgement, judgeOutcome, judgeRequest, toRequestFacts } from './priority.ts'
import { readPriorityFacts } from './priority-facts.ts'

/** Of a call, from its records as they were fetched: the index has the same of the records that it read. */
export function judgeCall({ requested, completed }: Pick<FetchedCall, 'requested' | 'completed'>): Judgement {
  const request = judgeRequest(toRequestFacts(requested.header, readPriorityFacts(requested.sections)))
  return highest([request, ...(completed === undefined ? [] : [judgeOutcome(completed.header)])])
}
