import type { Absent } from '@affidavit/evidence/record/absent'
import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import { encodeDecision } from '@affidavit/evidence/record/decision-section'
import type { ServerRef, Uuid } from '@affidavit/evidence/record/header'
import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText, isKeptName } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { Redactor } from '../../redact/redactor.ts'
import { type Moment, readClock } from '../clock.ts'
import type { CaptureContext, RequestedDraft } from '../context.ts'
import { elide } from '../elide.ts'
import type { Exchange } from '../exchange.ts'
import { ServerKnowledge } from '../knowledge.ts'
import { type CapturedLine, parseSpan } from '../line.ts'
import type { ScannedMessage } from '../message.ts'
import { kindOf } from '../methods.ts'
import type { RequestOrigin } from '../origin.ts'
import { draftRequested } from '../requested.ts'
import { LineScan } from '../scan.ts'
import { Session } from '../session.ts'
import type { ToolRegistry } from '../tools/registry.ts'
import { viewerOf } from '../tools/viewer.ts'
import type { ReportedRequest, ReportedServer } from './report.ts'
import { originOf } from './reported-origin.ts'

/** What reports are recorded with: capture's context but for what each report says itself. */
export interface ReportContext extends Omit<CaptureContext, 'serverName' | 'vantage'> {
  /** Of the names of who acts: mail addresses stay in them, where people are named by those. */
  namingRedactor: Redactor
  /** What a server of that name listed to this sensor. */
  toolsOf?: (serverName: string) => ToolRegistry | undefined
  /** Where a new configuration may bring another level; else it is the one above. */
  levelNow?: () => CaptureLevel
}

/** A request that was reported, for whoever has to draft its end. */
export interface OpenReport {
  origin: RequestOrigin
  request: ReportedRequest
  context: CaptureContext
  exchange: Exchange
  session: Session
}

export interface BuiltLine {
  line: Omit<CapturedLine, 'origin'>
  message: ScannedMessage
}

export interface DraftedReport {
  open: OpenReport
  draft: RequestedDraft
  sections: Sections
}

const notSeen: Absent = { absent: 'reported: the sensor did not see the exchange' }
const notAsked = encodeDecision({
  engine: { absent: 'reported exchanges are not put to policies' },
  policies: [],
  conditions: [],
  obligations: [],
  rationale: 'Not put to policies: it was reported when it had happened.',
})
const paramsBytesMax = 1024 * 1024

/**
 * The `requested` record of a report. The message is built again from what was told and then drafted like a captured one,
 * so that redaction, digests, kinds and groups are the same; what it cannot say stands in the request's origin.
 */
export async function draftReport(
  reports: ReportContext,
  request: ReportedRequest,
  callId: Uuid,
): Promise<DraftedReport> {
  const now = readClock()
  const redact = (text: string) => reports.redactor.redactText(text).text
  const server = keepServer(request.server, redact)
  const context = contextOf(reports, request, server.name)
  const knowledge = new ServerKnowledge(context)
  knowledge.server = server
  const session = new Session(knowledge)
  const { method, startedMs } = request
  const arrived = startedMs === undefined ? now : { ...now, time: formatTimestamp(startedMs) }
  const { line: built, message } = buildLine(requestParts(request), request, arrived)
  const line = {
    ...built,
    origin: originOf(reports, request, parseSpan(built, message.spans.get('params'), paramsBytesMax)),
  }
  const place = { callId, callGroupId: request.callGroupId, method }
  const tools = reports.toolsOf?.(request.server.name) ?? knowledge.tools
  const { draft, sections } = await draftRequested(context, { session, tools }, { line, message, place })
  const { direction } = request
  const exchange: Exchange = {
    ...place, direction, key: '', kind: kindOf(method), arrived: { ...arrived, monotonicUs: now.monotonicUs },
    asked: { viewer: viewerOf(line.origin, context.digest), cursor: undefined }, cancelledUs: undefined, receipt: undefined, classification: draft.classification, level: draft.level, accessed: { resources: [], omitted: 0, classification: undefined },
  } // biome-ignore format: one exchange
  return {
    open: { origin: line.origin, request, context, exchange, session },
    draft: { ...draft, inputBytes: request.inputBytes ?? request.params?.length ?? 0 },
    sections: {
      ...sections,
      ...(request.isPartial ? { input: wrapPartial(request, sections.input) } : {}),
      ...(reports.policy === undefined ? {} : { decision: notAsked }),
    },
  }
}

function contextOf(reports: ReportContext, { vantage }: ReportedRequest, serverName: string): CaptureContext {
  const processes = { sensor: reports.facts.processes.sensor, client: notSeen, server: notSeen }
  const facts = { host: reports.facts.host, processes }
  return {
    ...reports,
    ...{ serverName, vantage, facts },
    get level() {
      return reports.level
    },
  }
}

/** Names go into headers, which stay for ever: what redaction matches in them is replaced. */
function keepServer(told: ReportedServer, redact: (text: string) => string): ServerRef {
  const kept = (key: Exclude<keyof ServerRef, 'name'>) => {
    const value = told[key]
    return value === undefined || !isKeptName(value) ? {} : { [key]: clipText(redact(value)) }
  }
  return { name: clipText(redact(told.name)), ...kept('reportedName'), ...kept('version'), ...kept('protocolVersion') }
}

const utf8 = new TextEncoder()

function requestParts({ requestId, method, params }: ReportedRequest): Uint8Array[] {
  const id = requestId === undefined ? [] : [utf8.encode('"id":'), requestId, utf8.encode(',')]
  const rest = params === undefined ? [] : [utf8.encode(',"params":'), params]
  return [...id, utf8.encode(`"method":${JSON.stringify(method)}`), ...rest]
}

/** A JSON-RPC message of these members, as a line that no connection carried. */
export function buildLine(members: readonly Uint8Array[], request: ReportedRequest, arrived: Moment): BuiltLine {
  const bytes = Buffer.concat([utf8.encode('{"jsonrpc":"2.0",'), ...members, utf8.encode('}')])
  const scan = new LineScan()
  scan.push(bytes)
  const scanned = scan.end()
  const [message] = scanned.messages
  if (message === undefined) throw new TypeError('a report passed the parser and makes no message')
  const direction = request.direction === 'to-server' ? 'client-to-server' : 'server-to-client'
  return { message, line: { direction, scanned, arrived, ending: 'terminated', bytes } }
}

/** `input` where the reporter left something out: marked, so that it never counts as complete. */
function wrapPartial({ params, inputBytes }: ReportedRequest, known: Uint8Array | undefined): Uint8Array {
  const bytes = inputBytes ?? 0
  if (params === undefined || known === undefined) return encodeCanonical(elide('not_reported', bytes))
  return Buffer.concat([
    utf8.encode(`{"$elided":{"bytes":${bytes},"known":`),
    known,
    utf8.encode(',"reason":"not_reported"}}'),
  ])
}
