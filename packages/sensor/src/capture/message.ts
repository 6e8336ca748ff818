import { isRequestMethod } from './methods.ts'
import type { ResultReading } from './result-watch.ts'

/** What a JSON-RPC message says, as far as capture must know before it lets the message go on. Values stay bytes. */

/** Where a value stands in the line, and its bytes where it is a scalar that is not too long. */
export interface Span {
  type: 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null'
  /** Byte offsets in the line, quotes and brackets included. */
  start: number
  end: number
  raw: Uint8Array | undefined
  /** SHA-256 of its bytes: for ids that are no scalars or too long for raw. */
  hash?: Uint8Array
}

export type Flaw = 'duplicate_key' | 'folded_key' | 'not_jsonrpc'

/** A tool as tools/list showed it: exact name, SHA-256 over the bytes of its JSON object, and where in the line those stand. */
export interface ListedTool {
  name: string
  definition: string
  start: number
  end: number
}

/** One block of `result.content`: its type as the server wrote it, and the size of its JSON text. */
export interface ContentBlock {
  type: string
  bytes: number
  mimeType?: string
}

/** One JSON-RPC message, alone on its line or an element of a batch. */
export interface ScannedMessage {
  start: number
  end: number
  /** By path: `id`, `method`, `params`, `params.name`, `result.isError`, … Where a key came twice, the last one. */
  spans: Map<string, Span>
  flaws: Set<Flaw>
  /** Every requestState: opaque to all but the server, possibly a credential, hence never kept (DESIGN §5). */
  opaque: Span[]
  /** Filled wherever `result.tools` is an array of objects with names: the first 20,000, and how many there are. */
  tools: ListedTool[]
  toolCount: number
  /** The first 64 blocks of `result.content`, and how many there are. */
  blocks: ContentBlock[]
  blockCount: number
  /** What there is in the last result. */
  content?: ResultReading | undefined
}

/** A whole line, read. */
export interface ScannedLine {
  /** Bytes without the terminator. */
  bytes: number
  shape: 'blank' | 'single' | 'batch' | 'unreadable'
  /** Absent where the line is one well-formed JSON value. */
  problem?: 'not_json' | 'too_deep'
  /** There were bytes that are not UTF-8; they were read as `?`. */
  invalidUtf8: boolean
  messages: ScannedMessage[]
}

export type MessageForm = 'request' | 'notification' | 'response' | 'other'

const nameBytesMax = 64 * 1024
const utf8 = new TextDecoder()

/**
 * What kind of JSON-RPC message it is, as the most lenient receiver would read it: an id of any type is an id, and a
 * request's method without an id may be executed all the same, though nobody is answered.
 */
export function formOf(message: ScannedMessage): MessageForm {
  const { spans } = message
  const method = spans.get('method')
  if (method?.type === 'string')
    return spans.has('id') || isRequestMethod(textOf(method) ?? '') ? 'request' : 'notification'
  return spans.has('id') && (spans.has('result') || spans.has('error')) ? 'response' : 'other'
}

/** Whether a line, wherever it was found, is clearly one of JSON-RPC: token requests and the like are nobody's calls. */
export function isMessage({ problem, messages }: ScannedLine): boolean {
  return (
    problem === undefined &&
    messages.some((message) => formOf(message) !== 'other' && !message.flaws.has('not_jsonrpc'))
  )
}

/** Whether it is a request or response whose id JSON-RPC 2.0 §4 does not allow, or a request without one. */
export function hasOddId(message: ScannedMessage): boolean {
  const form = formOf(message)
  if (form !== 'request' && form !== 'response') return false
  const type = message.spans.get('id')?.type
  return type !== 'string' && type !== 'number' && type !== 'null'
}

/**
 * Key of an id for correlation. Strings are compared by value (a peer may escape differently: Python writes "\u00fc" for
 * "ü"), everything else by its bytes: `1`, `1.0`, `1e0` and `"1"` are four ids, and 9007199254740993 is not rounded. Ids of
 * more than 64 KiB, objects and arrays are compared by the hash of their bytes.
 */
export function idKey(id: Span): string {
  if (id.raw === undefined) return `${id.type}#${Buffer.from(id.hash ?? []).toString('hex')}`
  if (id.type === 'string') return `s:${textOf(id) ?? ''}`
  return `${id.type}:${utf8.decode(id.raw)}`
}

/** The string a span holds; undefined for other types, for very long strings, and where the JSON string is not one. */
export function textOf(span: Span | undefined): string | undefined {
  if (span?.type !== 'string' || span.raw === undefined || span.raw.length > nameBytesMax) return undefined
  return decodeString(span.raw)
}

/** Decodes the bytes of a JSON string, quotes included. Lone surrogates survive. */
export function decodeString(raw: Uint8Array): string {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString()
  if (!text.includes('\\')) return text.slice(1, -1)
  const value: unknown = JSON.parse(text)
  return typeof value === 'string' ? value : ''
}
