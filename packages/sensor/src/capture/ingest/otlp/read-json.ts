import { JsonScanner } from '@affidavit/evidence/record/json-scan'
import { isJsonObject } from '../../../identity/claims.ts'
import { IngestProblem } from '../problem.ts'
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
 * The spans of an ExportTraceServiceRequest in the JSON encoding of OTLP: ids in hex, enums as numbers, 64-bit integers as
 * strings or numbers, unknown members passed over. Throws IngestProblem where the bytes are no such message.
 */
export function* readJson(bytes: Uint8Array): Generator<PlacedSpan> {
  const request = parseJson(bytes)
  if (!isJsonObject(request)) throw malformed('', 'expected an object')
  for (const each of listIn(request, 'resourceSpans')) {
    const { resource: told } = each
    const resource = isJsonObject(told) ? readAttributes(told) : new Map()
    for (const inner of listIn(each, 'scopeSpans'))
      for (const span of listIn(inner, 'spans')) yield { span: readSpan(span), resource }
  }
}

/** Scanned first: the scanner needs little memory for nesting and says where a mistake is. */
function parseJson(bytes: Uint8Array): unknown {
  const scanner = new JsonScanner(() => undefined, { tokenBytesMax: 0 })
  scanner.push(bytes)
  const problem = scanner.end()
  if (problem !== undefined) throw malformed(`byte ${problem.offset}`, `no JSON that can be read (${problem.code})`)
  return JSON.parse(new TextDecoder().decode(bytes))
}

function readSpan(told: Record<string, unknown>): OtlpSpan {
  const status = isJsonObject(told.status) ? told.status : {}
  return {
    ...emptySpan(),
    traceId: textIn(told, 'traceId').toLowerCase(),
    spanId: textIn(told, 'spanId').toLowerCase(),
    parentSpanId: textIn(told, 'parentSpanId').toLowerCase(),
    kind: Number(integerIn(told, 'kind')),
    startNs: integerIn(told, 'startTimeUnixNano'),
    endNs: integerIn(told, 'endTimeUnixNano'),
    attributes: readAttributes(told),
    status: Number(integerIn(status, 'code')),
    statusMessage: textIn(status, 'message'),
  }
}

function readAttributes(told: Record<string, unknown>): Attributes {
  const attributes: Attributes = new Map()
  for (const each of listIn(told, 'attributes')) {
    const value = readValue(each.value, 0)
    if (value !== undefined) attributes.set(textIn(each, 'key'), value)
  }
  return attributes
}

/** Undefined: nested too deep, or of a type that is not known here. */
function readValue(told: unknown, depth: number): Attribute | undefined {
  if (told === undefined || told === null) return nullAttribute
  if (!isJsonObject(told) || depth >= valueDepthMax) return undefined
  if (typeof told.stringValue === 'string') return textAttribute(told.stringValue)
  if (typeof told.boolValue === 'boolean') return plainAttribute(told.boolValue)
  if (Object.hasOwn(told, 'intValue')) return plainAttribute(integerIn(told, 'intValue'))
  // NaN and the infinities come as strings.
  if (Object.hasOwn(told, 'doubleValue')) return doubleAttribute(Number(told.doubleValue))
  if (typeof told.bytesValue === 'string') return textAttribute(told.bytesValue)
  if (isJsonObject(told.arrayValue)) return readList(told.arrayValue, depth + 1)
  if (isJsonObject(told.kvlistValue)) return readMap(told.kvlistValue, depth + 1)
  return Object.keys(told).length === 0 ? nullAttribute : undefined
}

function readList(told: Record<string, unknown>, depth: number): Attribute | undefined {
  const items: Attribute[] = []
  for (const each of Array.isArray(told.values) ? told.values : []) {
    const item = readValue(each, depth)
    if (item === undefined) return undefined
    items.push(item)
  }
  return listAttribute(items)
}

function readMap(told: Record<string, unknown>, depth: number): Attribute | undefined {
  const members: [string, Attribute][] = []
  for (const each of listIn(told, 'values')) {
    const value = readValue(each.value, depth)
    if (value === undefined) return undefined
    members.push([textIn(each, 'key'), value])
  }
  return mapAttribute(members)
}

/** Where nothing stands, Protocol Buffers have the default. */
function listIn(told: Record<string, unknown>, key: string): Record<string, unknown>[] {
  const list = told[key] ?? []
  if (!Array.isArray(list) || !list.every(isJsonObject)) throw malformed(key, 'expected a list of objects')
  return list
}

function textIn(told: Record<string, unknown>, key: string): string {
  const text = told[key] ?? ''
  if (typeof text !== 'string') throw malformed(key, 'expected a string')
  return text
}

function integerIn(told: Record<string, unknown>, key: string): bigint {
  const value = told[key] ?? 0
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  throw malformed(key, 'expected an integer')
}

function malformed(where: string, message: string): IngestProblem {
  return new IngestProblem('AFD_INGEST_MALFORMED', where, message)
}
