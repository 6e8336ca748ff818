import {
  type Context,
  DiagConsoleLogger,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/**
 * A program instrumented with the official OpenTelemetry SDK: an agent and the server it calls. Exports by `proto` or `json`
 * (first argument) to where OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says, and ends when everything was taken.
 */

// What the exporter could not deliver is told on stderr, for whoever started this to look at.
diag.setLogger(new DiagConsoleLogger(), { logLevel: DiagLogLevel.WARN })

const exporter = process.argv[2] === 'json' ? new JsonExporter() : new ProtobufExporter()
function providerOf(name: string, version: string): TracerProvider {
  const resource = resourceFromAttributes({ 'service.name': name, 'service.version': version })
  return new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter })] })
}
const agent = providerOf('travel-agent', '1.2.0')
const server = providerOf('weather-server', '4.0.1')

type Attributes = Record<string, string | number>

function clientSpan(name: string, attributes: Attributes, kind = SpanKind.CLIENT): Context {
  const span = agent.getTracer('mcp-client', '0.1').startSpan(name, { kind, attributes })
  span.end()
  return trace.setSpan(ROOT_CONTEXT, span)
}

function serverSpan(
  name: string,
  attributes: Attributes,
  { parent, error }: { parent: Context; error?: string },
): void {
  const span = server.getTracer('mcp-server').startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
  span.end()
}

const call = {
  'mcp.method.name': 'tools/call',
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'get_weather',
}
const session = { 'mcp.session.id': '191c4850af6c49e08843a3f6c80e5046', 'mcp.protocol.version': '2025-11-25' }

const asked = clientSpan('tools/call get_weather', {
  ...call, ...session, 'jsonrpc.request.id': '41', 'server.address': 'weather.example', 'server.port': 8443, 'user.id': 'alice',
}) // biome-ignore format: one span
serverSpan('tools/call get_weather', {
  ...call, ...session, 'jsonrpc.request.id': '41',
  'gen_ai.tool.call.arguments': '{"city":"Bern","token":"ghp_0123456789abcdefghijABCDEFGHIJ012345"}',
  'gen_ai.tool.call.result': '{"content":[{"type":"text","text":"sunny"}]}',
}, { parent: asked }) // biome-ignore format: one span
serverSpan('tools/call get_weather', { ...call, 'error.type': 'tool_error' }, { parent: asked, error: 'no such city' })
serverSpan('tools/list', { 'mcp.method.name': 'tools/list', 'rpc.response.status_code': '-32603', 'error.type': '-32603' }, { parent: asked, error: 'broken' }) // biome-ignore format: one span
serverSpan('notifications/progress', { 'mcp.method.name': 'notifications/progress' }, { parent: asked })
clientSpan('GET', { 'http.request.method': 'GET' })
clientSpan('chat', { 'gen_ai.operation.name': 'chat' }, SpanKind.INTERNAL)

await Promise.all([agent.shutdown(), server.shutdown()])
