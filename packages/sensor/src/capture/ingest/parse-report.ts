import { createHash } from 'node:crypto'
import type { Direction } from '@affidavit/evidence/record/kinds'
import { parseTimestamp } from '@affidavit/evidence/record/timestamp'
import type { z } from 'zod'
import { parseTraceparent, type TraceContext } from '../../identity/claims.ts'
import { forms, keptMembers } from './exchange-schema.ts'
import { parseMembers } from './members.ts'
import { IngestProblem } from './problem.ts'
import type { Report, ReportedOutcome, ReportedRequest } from './report.ts'

/** How far from now an exchange may be said to have begun: reports may wait out an outage, and clocks differ. */
const reportedAgoMaxMs = 31 * 24 * 60 * 60 * 1000
const reportedAheadMaxMs = 5 * 60 * 1000

/** Requests that the server sends. */
const methodsToClient = new Set(['sampling/createMessage', 'elicitation/create', 'roots/list'])

type ToldRequest = z.output<typeof forms.requested> | z.output<typeof forms.whole>
type ToldOutcome = z.output<typeof forms.completed> | z.output<typeof forms.whole>

export function directionOf(method: string): Direction {
  return methodsToClient.has(method) ? 'to-client' : 'to-server'
}

/** One object of POST /v1/exchanges. Throws IngestProblem and nothing else, whatever the bytes are. */
export function parseReport(bytes: Uint8Array, address: string): Report {
  const members = parseMembers(bytes, keptMembers)
  const hash = createHash('sha256').update(bytes).digest('base64')
  if (members.stage === 'completed') {
    const told = parseForm(forms.completed, members)
    return { stage: 'completed', callId: told.callId, outcome: toOutcome(told), hash }
  }
  if (members.stage === 'requested') {
    const told = parseForm(forms.requested, members)
    return { stage: 'requested', request: toRequest(told, address), ...toKey(told, hash) }
  }
  const told = parseForm(forms.whole, members)
  return { stage: 'whole', request: toRequest(told, address), outcome: toOutcome(told), ...toKey(told, hash) }
}

function parseForm<Form extends z.ZodType>(form: Form, members: Record<string, unknown>): z.output<Form> {
  const parsed = form.safeParse(members)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue?.code !== 'unrecognized_keys') throw malformed(issue?.path.join('.') ?? '', issue?.message ?? 'invalid')
  const [key = ''] = issue.keys
  const shown = /^[\w-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64))
  throw malformed([...issue.path, shown].join('.'), 'the format has no such member')
}

function malformed(where: string, message: string): IngestProblem {
  return new IngestProblem('AFD_INGEST_MALFORMED', where, message)
}

/** What belongs to the outcome stays in the rest and is not looked at. */
function toRequest(told: ToldRequest, address: string): ReportedRequest {
  const { source, direction, partial, delegation, requestBytes, conversationId, traceparent, startedAt, ...rest } = told
  if (rest.method.startsWith('notifications/')) throw malformed('method', 'a notification is no exchange')
  return {
    ...rest,
    reporter: { way: 'ingest', ...source, address },
    direction: direction ?? directionOf(rest.method),
    isPartial: partial === true,
    delegation: delegation ?? [],
    ...(requestBytes === undefined ? {} : { inputBytes: requestBytes }),
    ...(conversationId === undefined ? {} : { conversation: conversationId }),
    ...(traceparent === undefined ? {} : { trace: toTrace(traceparent) }),
    ...(startedAt === undefined ? {} : { startedMs: toStart(startedAt) }),
  }
}

function toOutcome(told: ToldOutcome): ReportedOutcome {
  const { outline, resources, ...rest } = told
  if (rest.outcome === undefined && rest.result === undefined && rest.error === undefined)
    throw malformed('outcome', 'one of outcome, result and error must be there')
  if (rest.result !== undefined && rest.error !== undefined) throw malformed('error', 'beside a result there is none')
  return {
    ...rest,
    ...(outline === undefined ? {} : { outline: { blocks: [], ...outline } }),
    resources: resources?.map((resource) => ({ dataTypes: [], ...resource })) ?? [],
  }
}

function toTrace(traceparent: string): TraceContext {
  const trace = parseTraceparent(traceparent)
  if (trace === undefined) throw malformed('traceparent', 'expected a W3C traceparent, e.g. 00-…-…-01')
  return trace
}

function toStart(startedAt: string): number {
  const startedMs = parseTimestamp(startedAt)
  if (!isPlausible(startedMs)) throw malformed('startedAt', 'more than 31 days ago, or more than 5 minutes ahead')
  return startedMs
}

/** Whether an exchange may have begun then. */
export function isPlausible(startedMs: number): boolean {
  const now = Date.now()
  return startedMs > now - reportedAgoMaxMs && startedMs < now + reportedAheadMaxMs
}

/** A key is the reporter's own: what others call the same is something else. */
function toKey({ key, source }: ToldRequest, hash: string) {
  return key === undefined ? {} : { key: { text: `ingest ${JSON.stringify([source.name, key])}`, hash } }
}
