import { encodeBytes, encodeNumber, WireError } from '../../../identity/protobuf.ts'
import type { Answer, Route } from '../ingest.ts'
import { createPace } from '../pace.ts'
import { IngestProblem } from '../problem.ts'
import type { Report } from '../report.ts'
import { readJson } from './read-json.ts'
import { readProtobuf } from './read-protobuf.ts'
import type { PlacedSpan } from './span.ts'
import { type Rejection, toSpanReport } from './to-report.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
const utf8 = new TextEncoder()

interface ParsedTraces {
  reports: Report[]
  rejected: Map<Rejection, number>
  untimed: number
}

/** `POST /v1/traces`: OTLP/HTTP (OpenTelemetry Protocol Specification 1). Spans that are not of MCP are accepted and dropped. */
export const takeTraces: Route = {
  checkMediaType(mediaType) {
    if (mediaType !== protobuf && mediaType !== json)
      throw new IngestProblem('AFD_INGEST_MEDIA_TYPE', 'Content-Type', `${protobuf} and ${json} are understood`)
  },
  async take(calls, body, { mediaType, address }) {
    const parsed = await parseTraces(body, mediaType, address)
    await calls.record(parsed.reports)
    return toResponse(parsed, mediaType)
  },
  refuse: toStatus,
}

/** Rejects with IngestProblem and nothing else, whatever the bytes are. */
export async function parseTraces(body: Uint8Array, mediaType: string, address: string): Promise<ParsedTraces> {
  const pace = createPace()
  const parsed: ParsedTraces = { reports: [], rejected: new Map(), untimed: 0 }
  for (const span of mediaType === protobuf ? readGuarded(body) : readJson(body)) {
    await pace()
    const report = toSpanReport(span, address)
    if (report === undefined) continue
    if (typeof report === 'string') parsed.rejected.set(report, (parsed.rejected.get(report) ?? 0) + 1)
    else {
      parsed.reports.push(report.report)
      if (report.isUntimed) parsed.untimed++
    }
  }
  return parsed
}

function* readGuarded(body: Uint8Array): Generator<PlacedSpan> {
  try {
    yield* readProtobuf(body)
  } catch (error) {
    if (error instanceof WireError)
      throw new IngestProblem('AFD_INGEST_MALFORMED', '', `no Protocol Buffers: ${error.message}`)
    throw error
  }
}

const reasons: Record<Rejection, string> = {
  bad_ids: 'without valid trace and span ids',
  bad_kind: 'of a kind that is neither SERVER nor CLIENT',
  bad_method: 'with an empty or very long mcp.method.name',
}

/** ExportTraceServiceResponse; `partial_success` only where there is something to say. */
function toResponse({ rejected, untimed }: ParsedTraces, mediaType: string): Answer {
  const count = [...rejected.values()].reduce((sum, each) => sum + each, 0)
  const sentences = [
    ...[...rejected].map(([reason, each]) => `${each} MCP spans are not recorded: ${reasons[reason]}.`),
    ...(untimed === 0
      ? []
      : [`${untimed} MCP spans began over 31 days ago or lie in the future; their records have the time of arrival.`]),
  ]
  const message = sentences.join(' ')
  if (mediaType === json) {
    const partial = message === '' ? {} : { partialSuccess: { rejectedSpans: String(count), errorMessage: message } }
    return { contentType: json, body: JSON.stringify(partial) }
  }
  const partial = Buffer.concat([
    ...(count === 0 ? [] : [encodeNumber(1, count)]),
    encodeBytes(2, utf8.encode(message)),
  ])
  return { contentType: protobuf, body: message === '' ? Buffer.alloc(0) : encodeBytes(1, partial) }
}

/** Codes of google.rpc.Status; whoever sent something else gets JSON. */
const rpcStatuses = new Map([
  [400, 3],
  [401, 16],
  [404, 5],
  [405, 12],
  [409, 6],
  [413, 8],
  [415, 3],
  [429, 8],
  [503, 14],
])
const internal = 13

function toStatus({ status, code, where, message }: IngestProblem, mediaType: string): Answer {
  const rpcCode = rpcStatuses.get(status) ?? internal
  const text = `${code}: ${where === '' ? '' : `${where}: `}${message}`
  return mediaType === protobuf
    ? { contentType: protobuf, body: Buffer.concat([encodeNumber(1, rpcCode), encodeBytes(2, utf8.encode(text))]) }
    : { contentType: json, body: JSON.stringify({ code: rpcCode, message: text }) }
}
