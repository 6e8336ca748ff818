import fc, { type Arbitrary } from 'fast-check'
import { encodeBytes, encodeNumber } from '../../../identity/protobuf.ts'

/** An ExportTraceServiceRequest as a value, and both of its encodings, made independently of the readers. */

export type Value =
  | { string: string }
  | { bool: boolean }
  | { int: bigint }
  | { double: number }
  | { bytes: Uint8Array }
  | { list: Value[] }
  | { map: [string, Value][] }

export interface ModelSpan {
  traceId: Uint8Array
  spanId: Uint8Array
  parentSpanId: Uint8Array
  kind: number
  startNs: bigint
  endNs: bigint
  attributes: [string, Value][]
  status: { code: number; message: string }
}

export interface ModelRequest {
  resource: [string, Value][]
  spans: ModelSpan[]
}

const utf8 = (text: string) => Buffer.from(text)
const message = (number: number, ...parts: Uint8Array[]) => encodeBytes(number, Buffer.concat(parts))

function fixed64(number: number, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes[0] = (number << 3) | 1
  bytes.writeBigUInt64LE(value, 1)
  return bytes
}

function varint(number: number, value: bigint): Uint8Array {
  const bytes = [number << 3]
  let left = BigInt.asUintN(64, value)
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(left)])
}

function valueBytes(value: Value): Uint8Array {
  if ('string' in value) return encodeBytes(1, utf8(value.string))
  if ('bool' in value) return encodeNumber(2, value.bool ? 1 : 0)
  if ('int' in value) return varint(3, value.int)
  if ('bytes' in value) return encodeBytes(7, value.bytes)
  if ('list' in value) return message(5, ...value.list.map((item) => encodeBytes(1, valueBytes(item))))
  if ('map' in value) return message(6, ...value.map.map((each) => pairBytes(1, each)))
  const bytes = Buffer.alloc(9)
  bytes[0] = (4 << 3) | 1
  bytes.writeDoubleLE(value.double, 1)
  return bytes
}

function pairBytes(number: number, [key, value]: [string, Value]): Uint8Array {
  return message(number, encodeBytes(1, utf8(key)), encodeBytes(2, valueBytes(value)))
}

export function toProtobuf({ resource, spans }: ModelRequest): Uint8Array {
  const told = spans.map(
    (span) =>
    message(
      2,
      encodeBytes(1, span.traceId), encodeBytes(2, span.spanId), encodeBytes(4, span.parentSpanId),
      encodeBytes(5, utf8('a name')), encodeNumber(6, span.kind), fixed64(7, span.startNs), fixed64(8, span.endNs),
      ...span.attributes.map((each) => pairBytes(9, each)),
      message(15, encodeBytes(2, utf8(span.status.message)), encodeNumber(3, span.status.code)),
    ), // biome-ignore format: fields by number
  )
  return message(1, message(1, ...resource.map((each) => pairBytes(1, each))), message(2, ...told))
}

function valueJson(value: Value): object {
  if ('string' in value) return { stringValue: value.string }
  if ('bool' in value) return { boolValue: value.bool }
  if ('int' in value) return { intValue: String(value.int) }
  if ('double' in value) return { doubleValue: Number.isFinite(value.double) ? value.double : String(value.double) }
  if ('bytes' in value) return { bytesValue: Buffer.from(value.bytes).toString('base64') }
  if ('list' in value) return { arrayValue: { values: value.list.map(valueJson) } }
  return { kvlistValue: { values: value.map.map(pairJson) } }
}

function pairJson([key, value]: [string, Value]): object {
  return { key, value: valueJson(value) }
}

export function toJson({ resource, spans }: ModelRequest): Uint8Array {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase()
  const told = spans.map(({ traceId, spanId, parentSpanId, kind, startNs, endNs, attributes, status }) => ({
    traceId: hex(traceId), spanId: hex(spanId), parentSpanId: hex(parentSpanId), name: 'a name', kind, unknown: [1],
    startTimeUnixNano: String(startNs), endTimeUnixNano: String(endNs), attributes: attributes.map(pairJson), status,
  })) // biome-ignore format: one span
  const scopeSpans = [{ scope: { name: 'lib' }, spans: told }]
  return utf8(JSON.stringify({ resourceSpans: [{ resource: { attributes: resource.map(pairJson) }, scopeSpans }] }))
}

const words = ['mcp.method.name', 'gen_ai.tool.name', 'gen_ai.tool.call.arguments', 'gen_ai.tool.call.result', 'error.type',
  'rpc.response.status_code', 'jsonrpc.request.id', 'mcp.session.id', 'service.name', 'service.version', 'user.id'] // biome-ignore format: one list
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    'tools/call',
    'initialize',
    'notifications/progress',
    '{"a":1}',
    '{"content":[]}',
    '-32602',
    'timeout',
    '7',
  ),
)
const value: Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    texts.map((string) => ({ string })),
    fc.boolean().map((bool) => ({ bool })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((int) => ({ int })),
    fc.double().map((double) => ({ double })),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ bytes })),
    fc.array(tie('value'), { maxLength: 3 }).map((list) => ({ list })),
    fc.array(fc.tuple(texts, tie('value')), { maxLength: 3 }).map((map) => ({ map })),
  ),
})).value
const attributes = fc.uniqueArray(fc.tuple(fc.oneof(fc.constantFrom(...words), texts), value), {
  selector: ([key]) => key,
  maxLength: 8,
})
const id = (length: number) =>
  fc.oneof(fc.uint8Array({ minLength: length, maxLength: length }), fc.uint8Array({ maxLength: 3 }))
const span: Arbitrary<ModelSpan> = fc.record({
  traceId: id(16),
  spanId: id(8),
  parentSpanId: id(8),
  kind: fc.nat(5),
  startNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  endNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  attributes,
  status: fc.record({ code: fc.nat(2), message: texts }),
})
export const request: Arbitrary<ModelRequest> = fc.record({
  resource: attributes,
  spans: fc.array(span, { maxLength: 4 }),
})
