import { toBase64 } from '../log/base64.ts'
import type { GapDetail } from '../record/header.ts'
import type { Link, LinkedCall } from './link.ts'
import type { ContradictionCode, ProblemSink } from './problem.ts'
import { placeOf } from './streams.ts'

const ascii = new TextDecoder('latin1')

/** A `requested` record whose outcome is not known for good. */
interface OpenCall {
  readonly callId: string
  readonly streamId: string
  /** The collector wrote outcome `unknown` for it. The sensor's own word may still arrive, late, and wins. */
  recovered: boolean
}

/** Exchanges and gaps that have begun and not ended, and how many there were. */
export interface Calls {
  /** By header hash of the `requested` record, base64: two vantages may know one call by one callId. */
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
  readonly problems: ProblemSink
  /** Leaf index; left out for a record that is in a spool and in no log yet. */
  readonly index?: number
  /** Key that a stream's opening record declared, base64. */
  readonly sensorOf: (streamId: string) => string | undefined
}

/** Joins `completed` to its `requested` (by hash, held to the callId), and the two ends of a gap. */
export function followCall(calls: Calls, link: Link, context: CallContext): void {
  const { header, call, headerHash, streamId } = link
  if (header?.kind === 'gap') followGap(calls, link, header.detail, context)
  if (call === undefined) return
  if (call.requestedHash !== undefined) {
    completeCall(calls, link, { ...call, requestedHash: call.requestedHash }, context)
    return
  }
  calls.requested += 1
  calls.open.set(toBase64(headerHash), { callId: call.callId, streamId, recovered: false })
}

function report(code: ContradictionCode, link: Link, { problems, index }: CallContext, message: string): void {
  problems.add(code, placeOf(link, index), message)
}

type Completion = LinkedCall & { readonly requestedHash: Uint8Array }

function completeCall(calls: Calls, link: Link, { callId, requestedHash, outcome }: Completion, context: CallContext) {
  const name = ascii.decode(requestedHash)
  const call = calls.open.get(name)
  if (call === undefined) {
    report(
      'request_missing',
      link,
      context,
      `completed record of call ${callId} has no open requested record before it`,
    )
    return
  }
  if (call.callId !== callId)
    report(
      'request_other_call',
      link,
      context,
      `completed record of call ${callId} names the request of ${call.callId}`,
    )
  if (link.streamId === call.streamId) {
    calls.open.delete(name)
    calls.completed += 1
  } else if (outcome === 'unknown' && !call.recovered) {
    call.recovered = true
    calls.recovered += 1
  } else if (isSameSensor(link.streamId, call.streamId, context)) {
    // Its first stream failed (a full disk, an error on sync), and the sensor went on with another.
    calls.open.delete(name)
    calls.completed += 1
  } else report('request_other_call', link, context, `call ${callId} was completed by a sensor that did not request it`)
}

function isSameSensor(one: string, other: string, { sensorOf }: CallContext): boolean {
  const sensor = sensorOf(one)
  return sensor !== undefined && sensor === sensorOf(other)
}

/** Calls of which nothing but the request is known. */
export function countOpenCalls(calls: Calls): number {
  let open = 0
  for (const { recovered } of calls.open.values()) if (!recovered) open += 1
  return open
}

function followGap(calls: Calls, link: Link, detail: GapDetail, context: CallContext): void {
  if (detail.event === 'opened') {
    calls.openGaps.add(detail.gapId)
    return
  }
  calls.gapsClosed += 1
  calls.missing += detail.missingRequests + detail.missingResponses + detail.missingNotifications
  if (!calls.openGaps.delete(detail.gapId))
    report('gap_unmatched', link, context, `gap ${detail.gapId} was closed and never opened`)
}
