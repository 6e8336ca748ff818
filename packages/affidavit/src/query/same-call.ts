import type { Direction, ReportedBy, Vantage } from '@affidavit/evidence/record/kinds'

/** Clocks of different machines may differ by this much. Those of one boot are one clock, and compare exactly. */
export const clockToleranceMs = 2_000

/** One call as one vantage saw it: what decides whether another record is of the same. Times in ms and µs. */
export interface SeenCall {
  leaf: number
  vantage: Vantage
  reported?: ReportedBy | undefined
  direction: Direction
  /** Or its digest, where the protocol defines no such method. */
  method: string
  tool: string | undefined
  toolDigest: string | undefined
  /** Ids of legacy HTTP sessions it belongs to: the one it was made in, the one it opened. */
  sessions: readonly string[]
  conversation: string | undefined
  traceId: string | undefined
  /** False for a request without an id: nothing answers it, and it cannot be told from another. */
  hasId: boolean
  boot: string
  startMs: number
  startUs: number
  end: CallEnd | undefined
}

/** How the sensor itself saw it end with an answer; undefined while it is open, or where no answer came. */
export interface CallEnd {
  ms: number
  us: number
  /** Whether the answer is one that the server gave, and not somebody between. */
  isServers: boolean
}

const vantageRanks: Record<Vantage, number> = { client: 0, gateway: 1, server: 2 }
const reportedRanks: Record<ReportedBy, number> = { ingest: 1, otlp: 2 }

/** A vantage, and how it was seen from there: at most one record of a call has a given one, but for chains of hops. */
export function slotOf({ vantage, reported }: Pick<SeenCall, 'vantage' | 'reported'>): number {
  return 3 * (reported === undefined ? 0 : reportedRanks[reported]) + vantageRanks[vantage]
}

/** Best first: what a sensor saw before what was reported, and then what is nearer the server. */
export const slotsByRank = [2, 1, 0, 5, 8, 4, 7, 3, 6] as const

/** Whether what was seen there counts rather than what was seen here. Reported ones of one vantage are equals. */
export function isOutrankedBy(here: number, there: number): boolean {
  const isReported = (slot: number) => slot > 2
  if (isReported(here) !== isReported(there)) return isReported(here)
  return there % 3 > here % 3
}

/** Whether nothing that both records say keeps them from being of one call. */
export function couldBeOne(clientSide: SeenCall, serverSide: SeenCall): boolean {
  if (isContradicted(clientSide, serverSide)) return false
  // Who tells of a call at the vantage where it was seen may look at it from within or from around.
  if (clientSide.vantage === serverSide.vantage && slotOf(clientSide) !== slotOf(serverSide))
    return isWithin(clientSide, serverSide) || isWithin(serverSide, clientSide)
  return clientSide.direction === 'to-server' ? isWithin(serverSide, clientSide) : isWithin(clientSide, serverSide)
}

function isContradicted(a: SeenCall, b: SeenCall): boolean {
  if (!a.hasId || !b.hasId || a.direction !== b.direction || a.method !== b.method) return true
  if (isCallOfTool(a) !== isCallOfTool(b) || differ(a.tool, b.tool) || differ(a.toolDigest, b.toolDigest)) return true
  if (differ(a.conversation, b.conversation) || differ(a.traceId, b.traceId)) return true
  return a.sessions.length > 0 && b.sessions.length > 0 && !a.sessions.some((session) => b.sessions.includes(session))
}

/** A listed tool has a name, another its digest: these two cannot be compared, and so contradict nothing. */
function isCallOfTool({ tool, toolDigest }: SeenCall): boolean {
  return tool !== undefined || toolDigest !== undefined
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b
}

/**
 * A request reaches the inner vantage after the outer one, and before the outer one has an answer; the server's answer
 * leaves the inner one before it reaches the outer one. Wall clocks must agree with that too where an exact one says so:
 * a clock that was set meanwhile proves nothing.
 */
function isWithin(inner: SeenCall, outer: SeenCall): boolean {
  const isOneClock = inner.boot === outer.boot && inner.reported === undefined && outer.reported === undefined
  const isAfter = (late: { ms: number; us: number }, early: { ms: number; us: number }) =>
    late.ms >= early.ms - clockToleranceMs && (!isOneClock || late.us >= early.us)
  const start = startOf(inner)
  if (!isAfter(start, startOf(outer))) return false
  if (outer.end === undefined) return true
  if (!isAfter(outer.end, start)) return false
  return inner.end === undefined || !outer.end.isServers || isAfter(outer.end, inner.end)
}

function startOf({ startMs, startUs }: SeenCall): { ms: number; us: number } {
  return { ms: startMs, us: startUs }
}
