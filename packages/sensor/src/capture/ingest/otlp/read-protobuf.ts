import { bytesOf, numberOf, readFields, type WireField } from '../../../identity/protobuf.ts'
import {
  type Attribute,
  type Attributes,
  doubleAttribute,
  emptySpan,
  listAttribute,
  mapAttribute,
  nullAttribute,
  type OtlpSpan,
  type PlacedSpan,
  plainAttribute,
  textAttribute,
  valueDepthMax,
} from './span.ts'

/**
 * The spans of an ExportTraceServiceRequest (opentelemetry-proto, trace/v1 and common/v1). Fields it does not know are
 * passed over, as Protocol Buffers have it. Throws WireError where the bytes are no such message.
 */
export function* readProtobuf(bytes: Uint8Array): Generator<PlacedSpan> {
  for (const field of readFields(bytes)) if (field.number === 1) yield* readResourceSpans(bytesOf(field))
}

/** The resource may stand behind the spans it is of. */
function* readResourceSpans(bytes: Uint8Array): Generator<PlacedSpan> {
  const resource: Attributes = new Map()
  for (const field of readFields(bytes)) if (field.number === 1) readResource(bytesOf(field), resource)
  for (const field of readFields(bytes)) if (field.number === 2) yield* readScopeSpans(bytesOf(field), resource)
}

function* readScopeSpans(bytes: Uint8Array, resource: Attributes): Generator<PlacedSpan> {
  for (const field of readFields(bytes)) if (field.number === 2) yield { span: readSpan(bytesOf(field)), resource }
}

function readSpan(bytes: Uint8Array): OtlpSpan {
  const span = emptySpan()
  for (const field of readFields(bytes)) {
    if (field.number === 1) span.traceId = hexOf(field)
    else if (field.number === 2) span.spanId = hexOf(field)
    else if (field.number === 4) span.parentSpanId = hexOf(field)
    else if (field.number === 6) span.kind = Number(BigInt.asIntN(32, numberOf(field)))
    else if (field.number === 7) span.startNs = numberOf(field)
    else if (field.number === 8) span.endNs = numberOf(field)
    else if (field.number === 9) readAttribute(bytesOf(field), span.attributes)
    else if (field.number === 15) readStatus(bytesOf(field), span)
  }
  return span
}

function readStatus(bytes: Uint8Array, span: OtlpSpan): void {
  for (const field of readFields(bytes)) {
    if (field.number === 2) span.statusMessage = textOf(field)
    else if (field.number === 3) span.status = Number(BigInt.asIntN(32, numberOf(field)))
  }
}

function readResource(bytes: Uint8Array, into: Attributes): void {
  for (const field of readFields(bytes)) if (field.number === 1) readAttribute(bytesOf(field), into)
}

function readAttribute(bytes: Uint8Array, into: Attributes): void {
  const [key, value] = readKeyValue(bytes, 0)
  if (value !== undefined) into.set(key, value)
}

function readKeyValue(bytes: Uint8Array, depth: number): [string, Attribute | undefined] {
  let key = ''
  let value: Attribute | undefined = nullAttribute
  for (const field of readFields(bytes)) {
    if (field.number === 1) key = textOf(field)
    else if (field.number === 2) value = readValue(bytesOf(field), depth)
  }
  return [key, value]
}

/** Undefined: nested too deep, or of a type that is not known here. */
function readValue(bytes: Uint8Array, depth: number): Attribute | undefined {
  if (depth >= valueDepthMax) return undefined
  let value: Attribute | undefined = bytes.length === 0 ? nullAttribute : undefined
  for (const field of readFields(bytes)) {
    if (field.number === 1) value = textAttribute(textOf(field))
    else if (field.number === 2) value = plainAttribute(numberOf(field) !== 0n)
    else if (field.number === 3) value = plainAttribute(BigInt.asIntN(64, numberOf(field)))
    else if (field.number === 4) value = doubleAttribute(toDouble(numberOf(field)))
    else if (field.number === 5) value = readList(bytesOf(field), depth + 1)
    else if (field.number === 6) value = readMap(bytesOf(field), depth + 1)
    else if (field.number === 7) value = textAttribute(Buffer.from(bytesOf(field)).toString('base64'))
  }
  return value
}

function readList(bytes: Uint8Array, depth: number): Attribute | undefined {
  const items: Attribute[] = []
  for (const field of readFields(bytes)) {
    if (field.number !== 1) continue
    const item = readValue(bytesOf(field), depth)
    if (item === undefined) return undefined
    items.push(item)
  }
  return listAttribute(items)
}

function readMap(bytes: Uint8Array, depth: number): Attribute | undefined {
  const members: [string, Attribute][] = []
  for (const field of readFields(bytes)) {
    if (field.number !== 1) continue
    const [key, value] = readKeyValue(bytesOf(field), depth)
    if (value === undefined) return undefined
    members.push([key, value])
  }
  return mapAttribute(members)
}

function textOf(field: WireField): string {
  return new TextDecoder().decode(bytesOf(field))
}

function hexOf(field: WireField): string {
  return Buffer.from(bytesOf(field)).toString('hex')
}

function toDouble(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}
