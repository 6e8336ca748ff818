import { directionOf, isPlausible } from '../parse-report.ts'
import type { Report, ReportedActor, ReportedRequest, ReportedServer } from '../report.ts'
import { names, resourceNames } from './conventions.ts'
import { attributeAt, type PlacedSpan, spanKinds, textAt } from './span.ts'
import { toOutcome } from './to-outcome.ts'
import { toParams } from './to-params.ts'

/** Why a span of an MCP request makes no record. */
export type Rejection = 'bad_ids' | 'bad_kind' | 'bad_method'

export interface SpanReport {
  report: Report & { stage: 'whole' }
  /** Whether the span's times could not be believed, so that the record has the time it arrived. */
  isUntimed: boolean
}

const methodCharsMax = 256

/** Undefined: no span of an MCP request. Notifications are none: a record of them has no place for who told. */
export function toSpanReport(placed: PlacedSpan, address: string): SpanReport | Rejection | undefined {
  const { span } = placed
  const method = attributeAt(span.attributes, names.method)?.text
  if (method === undefined || method.startsWith('notifications/')) return undefined
  if (method === '' || method.length > methodCharsMax) return 'bad_method'
  if (!/^(?!0{32})[0-9a-f]{32}$/.test(span.traceId) || !/^(?!0{16})[0-9a-f]{16}$/.test(span.spanId)) return 'bad_ids'
  const role = roleOf(placed)
  if (role === undefined) return 'bad_kind'
  const startedMs = Number(span.startNs / 1_000_000n)
  const isUntimed = !isPlausible(startedMs)
  const request = toRequest(placed, { method, role, address })
  return {
    isUntimed,
    report: {
      stage: 'whole',
      request: isUntimed ? request : { ...request, startedMs },
      outcome: toOutcome(placed),
      key: { text: `otlp ${span.traceId} ${span.spanId}`, hash: '' },
    },
  }
}

/** An `execute_tool` span that has MCP's attributes is internal to the program that calls. */
function roleOf({ span }: PlacedSpan): 'sender' | 'receiver' | undefined {
  if (span.kind === spanKinds.server) return 'receiver'
  if (span.kind === spanKinds.client) return 'sender'
  const isToolSpan = textAt(span.attributes, names.operation) === 'execute_tool'
  return span.kind === spanKinds.internal && isToolSpan ? 'sender' : undefined
}

interface Place {
  method: string
  role: 'sender' | 'receiver'
  address: string
}

function toRequest(placed: PlacedSpan, { method, role, address }: Place): ReportedRequest {
  const { span, resource } = placed
  const at = (keys: readonly string[]) => textAt(span.attributes, keys)
  const direction = directionOf(method)
  const vantage = (role === 'receiver') === (direction === 'to-server') ? 'server' : 'client'
  const version = textAt(resource, resourceNames.version)
  const session = at(names.session)
  // On stdio there is no Mcp-Session-Id: what is called one is a name of the instrumentation's own.
  const isPipe = at(names.transport) === 'pipe'
  const conversation = at(names.conversation) ?? (isPipe ? session : undefined)
  const [agent, user, role_] = [
    toAgent(placed, vantage),
    toActor('person', at(names.userId)),
    toActor('role', at(names.role)),
  ]
  const requestId = at(names.requestId)
  return {
    reporter: { way: 'otlp', name: programOf(placed), ...(version === undefined ? {} : { version }), address },
    vantage,
    direction,
    server: toServer(placed, vantage),
    method,
    ...(requestId === undefined ? {} : { requestId: toRequestId(requestId) }),
    ...toParams(method, span.attributes),
    ...(session === undefined || isPipe ? {} : { sessionId: session }),
    ...(conversation === undefined ? {} : { conversation }),
    trace: { traceId: span.traceId, spanId: callSpanOf(placed, role) },
    ...(agent === undefined ? {} : { agent }),
    ...(user === undefined ? {} : { user }),
    ...(role_ === undefined ? {} : { role: role_ }),
    delegation: [],
  }
}

/** The span of whoever sent the request: its id is what travels in `traceparent`, so that all vantages name the same. */
function callSpanOf({ span }: PlacedSpan, role: Place['role']): string {
  const isParent = /^(?!0{16})[0-9a-f]{16}$/.test(span.parentSpanId)
  return role === 'receiver' && isParent ? span.parentSpanId : span.spanId
}

/** Ids are told as text; nearly all clients number their requests, so digits are taken for a number. */
function toRequestId(text: string): Uint8Array {
  return Buffer.from(/^-?(?:0|[1-9]\d{0,15})$/.test(text) ? text : JSON.stringify(text))
}

function toServer({ span, resource }: PlacedSpan, vantage: ReportedRequest['vantage']): ReportedServer {
  const at = (keys: readonly string[]) => textAt(span.attributes, keys)
  const told = at(names.serverName)
  const isProgram = vantage === 'server' && told === undefined
  const version = isProgram ? textAt(resource, resourceNames.version) : at(names.serverVersion)
  const protocolVersion = at(names.protocolVersion)
  const [address, port] = [at(names.serverAddress), at(names.serverPort)]
  const place = address === undefined || port === undefined ? address : `${address}:${port}`
  return {
    name: told ?? (isProgram ? programOf({ resource }) : (place ?? 'unknown')),
    ...(version === undefined ? {} : { version }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
  }
}

/** The program that calls is the agent where its spans name no other. */
function toAgent(placed: PlacedSpan, vantage: ReportedRequest['vantage']): ReportedActor | undefined {
  const at = (keys: readonly string[]) => textAt(placed.span.attributes, keys)
  const name = at(names.agentName)
  const id = at(names.agentId) ?? name
  const version = at(names.agentVersion)
  if (id !== undefined) return { kind: 'agent', id, ...(name && { name }), ...(version && { version }) }
  if (vantage === 'server') return undefined
  const program = programOf(placed)
  return { kind: 'agent', id: program, name: program, from: 'service.name' }
}

function toActor(kind: 'person' | 'role', id: string | undefined): ReportedActor | undefined {
  return id === undefined ? undefined : { kind, id }
}

function programOf({ resource }: Pick<PlacedSpan, 'resource'>): string {
  return textAt(resource, resourceNames.service) ?? 'unknown'
}
