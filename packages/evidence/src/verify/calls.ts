import type { CompletedHeader, GapDetail, Header } from '../record/header.ts'
import type { Place, ProblemSink } from './problem.ts'
import { sameHash } from './same-hash.ts'

/** A `requested` record whose outcome is not known for good. */
interface OpenCall {
  readonly hash: Uint8Array
  readonly streamId: string
  /** The collector wrote outcome `unknown` for it. The sensor's own word may still arrive, late, and wins. */
  recovered: boolean
}

/** Exchanges and gaps that have begun and not ended, and how many there were. */
export interface Calls {
  readonly open: Map<string, OpenCall>
  readonly openGaps: Set<string>
  requested: number
  completed: number
  recovered: number
  gapsClosed: number
  /** Requests, responses and notifications that closed gaps admit to have lost. */
  missing: number
}

export function createCalls(): Calls {
  return { open: new Map(), openGaps: new Set(), requested: 0, completed: 0, recovered: 0, gapsClosed: 0, missing: 0 }
}

export interface CallContext {
  readonly place: Place
  readonly problems: ProblemSink
}

/** Joins `completed` to its `requested` (by callId, held to the hash), and the two ends of a gap. */
export function followCall(calls: Calls, header: Header, hash: Uint8Array, { place, problems }: CallContext): void {
  if (header.kind === 'gap') followGap(calls, header.detail, { place, problems })
  if (!('stage' in header)) return
  if (header.stage === 'completed') {
    completeCall(calls, header, { place, problems })
    return
  }
  if (calls.open.has(header.callId)) problems.add('call_reused', place, `call ${header.callId} was requested twice`)
  calls.requested += 1
  calls.open.set(header.callId, { hash, streamId: header.streamId, recovered: false })
}

function completeCall(calls: Calls, header: CompletedHeader, { place, problems }: CallContext): void {
  const { callId, requestedHash, streamId, outcome } = header
  const call = calls.open.get(callId)
  if (call === undefined) {
    problems.add('request_missing', place, `completed record of call ${callId} has no open requested record before it`)
    return
  }
  if (!sameHash(call.hash, requestedHash))
    problems.add('request_other_call', place, `completed record of call ${callId} names another requested record`)
  if (streamId === call.streamId) {
    calls.open.delete(callId)
    calls.completed += 1
  } else if (outcome === 'unknown' && !call.recovered) {
    call.recovered = true
    calls.recovered += 1
  } else problems.add('request_other_call', place, `call ${callId} was completed by a stream that did not request it`)
}

/** Calls of which nothing but the request is known. */
export function countOpenCalls(calls: Calls): number {
  let open = 0
  for (const { recovered } of calls.open.values()) if (!recovered) open += 1
  return open
}

function followGap(calls: Calls, detail: GapDetail, { place, problems }: CallContext): void {
  if (detail.event === 'opened') {
    calls.openGaps.add(detail.gapId)
    return
  }
  calls.gapsClosed += 1
  calls.missing += detail.missingRequests + detail.missingResponses + detail.missingNotifications
  if (!calls.openGaps.delete(detail.gapId))
    problems.add('gap_unmatched', place, `gap ${detail.gapId} was closed and never opened`)
}
