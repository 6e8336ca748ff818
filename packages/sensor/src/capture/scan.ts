import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { ListElement } from './element.ts'
import { decodeString, type ScannedLine, type ScannedMessage, type Span } from './message.ts'
import { ResultWatch } from './result-watch.ts'
import { Utf8Mender } from './utf8.ts'
import { ValueHash } from './value-hash.ts'

/** Deeper than any real message, shallow enough that the scanner's stack stays at a megabyte. */
const depthMax = 1_000_000
const tokenBytesMax = 64 * 1024

/** Keys of the envelope: two of them, or one in another case, and two parsers read two messages. */
const envelopeKeys = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
/** Below the envelope: what names a call or decides its outcome (these are judged like envelope keys), and what joins calls. */
const judgedKeys = new Set(['params.name', 'params.arguments', 'params.uri', 'result.isError', 'error.code'])
const watchedKeys = new Set([
  ...judgedKeys,
  'params._meta', 'params.cursor', 'params.taskId', 'params.requestId', 'params.requestState', 'params.task',
  'result._meta', 'result.resultType', 'result.requestState', 'result.taskId', 'result.task', 'result.nextCursor',
  'result.tools', 'result.content', 'result.structuredContent', 'result.status', 'error.message',
]) // biome-ignore format: one list
const opaqueKeys = new Set(['params.requestState', 'result.requestState'])
/** One level further down: the task a result announces, and what came of a task that a result shows (tasks extension). */
const deepParents = new Set(['result.task', 'result.result', 'result.error'])
const deepKeys = new Set(['result.task.taskId', 'result.result.isError', 'result.error.code'])
/** What correlates: of these the hash is needed where the value is too long to keep. */
const idKeys = new Set(['id', 'params.requestId'])
const empty = new Uint8Array(0)
/** The same few keys stand in every message. */
const folds = new Map<string, string>()
const foldsMax = 1000
const foldedCharsMax = 64
const foldedEnvelope = new Map([...envelopeKeys].map((key) => [fold(key), key]))
const foldedJudged = new Map([...judgedKeys].map((key) => [fold(key), key]))

/**
 * Reads one line as it arrives, in memory that does not grow with the line. push() the bytes without the terminator,
 * end() when it is over. Never throws on what a peer sent.
 */
export class LineScan {
  readonly #scanner: JsonScanner
  readonly #mender = new Utf8Mender()
  readonly #messages: ScannedMessage[] = []
  #bytes = 0
  #isBlank = true
  #isBatch = false
  #topEnd: number | undefined

  #message: ScannedMessage | undefined
  /** Keys on the way to the current token, from the envelope inwards. */
  #keys: string[] = []
  /** An element of result.tools or result.content that has begun. */
  #element: ListElement | undefined
  /** Of a result that has begun and is not over. */
  #watch: ResultWatch | undefined
  /** Of an id whose key was seen and whose value is not over. */
  #idHash: ValueHash | undefined
  #chunk: Uint8Array = empty
  #chunkStart = 0

  constructor() {
    this.#scanner = new JsonScanner((token) => this.#take(token), { depthMax, tokenBytesMax })
  }

  /** Offset of the last byte of the top value once it was seen: the byte without which the line is no message. */
  get topEnd(): number | undefined {
    return this.#topEnd
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    if (this.#isBlank) this.#isBlank = bytes.every(isWhiteSpace)
    this.#scan(this.#mender.mend(bytes))
  }

  end(): ScannedLine {
    this.#scan(this.#mender.end())
    const problem = this.#scanner.end()
    const line = { bytes: this.#bytes, invalidUtf8: this.#mender.mended, messages: this.#messages }
    if (problem === undefined) return { ...line, shape: this.#isBatch ? 'batch' : 'single' }
    if (this.#isBlank) return { ...line, shape: 'blank' }
    return {
      ...line,
      shape: 'unreadable',
      problem: problem.code === 'too_deep' ? 'too_deep' : 'not_json',
      messages: [],
    }
  }

  #scan(chunk: Uint8Array): void {
    this.#chunk = chunk
    this.#scanner.push(chunk)
    this.#element?.hashTo(this.#chunkStart + chunk.length, chunk, this.#chunkStart)
    this.#idHash?.hashTo(this.#chunkStart + chunk.length, chunk, this.#chunkStart)
    this.#watch?.readOn(this.#chunkStart + chunk.length, chunk, this.#chunkStart)
    this.#chunkStart += chunk.length
    this.#chunk = empty
  }

  #take(token: JsonToken): void {
    if (token.depth === 0) this.#takeTop(token)
    const depth = this.#isBatch ? token.depth - 1 : token.depth
    if (depth > 1) this.#watch?.take(token)
    if (depth === 0 && (token.depth === 0) !== this.#isBatch) this.#takeMessage(token)
    else if (depth === 1) this.#takeEnvelope(token)
    else if (depth === 2 || depth === 3) this.#takeInner(token, depth)
    else if (depth === 4 && token.type === 'key') this.#element?.takeKey(token.raw)
    else if (depth === 4 && token.type === 'string') this.#element?.takeText(token.raw)
  }

  #takeTop(token: JsonToken): void {
    if (token.type === 'beginArray') this.#isBatch = true
    else if (token.type !== 'beginObject') this.#topEnd = token.end - 1
  }

  #takeMessage(token: JsonToken): void {
    if (token.type === 'endObject' || token.type === 'endArray') {
      if (this.#message !== undefined) this.#finishMessage(this.#message, token.end)
      return
    }
    const { start, end } = token
    this.#keys = []
    this.#message = { start, end, spans: new Map(), flaws: new Set(), opaque: [], tools: [], toolCount: 0, blocks: [], blockCount: 0 } // biome-ignore format: one object
    this.#messages.push(this.#message)
    if (token.type !== 'beginObject') this.#message.flaws.add('not_jsonrpc')
  }

  #finishMessage(message: ScannedMessage, end: number): void {
    message.end = end
    this.#message = undefined
    const version = message.spans.get('jsonrpc')
    const isVersion2 = version?.raw !== undefined && decodeString(version.raw) === '2.0' && version.type === 'string'
    if (!isVersion2) message.flaws.add('not_jsonrpc')
  }

  #takeEnvelope(token: JsonToken): void {
    if (token.type === 'key') {
      const key = token.raw === undefined ? '' : decodeString(token.raw)
      this.#judge(key, foldedEnvelope)
      this.#keys = [envelopeKeys.has(key) ? key : '']
      this.#idHash = idKeys.has(key) ? new ValueHash(token.end) : undefined
    } else this.#note(token, this.#keys[0] ?? '')
  }

  /** Depth 2: members of params, result, error. Depth 3: members of result.task, elements of result.tools and result.content. */
  #takeInner(token: JsonToken, depth: 2 | 3): void {
    const outer = this.#keys[0] ?? ''
    if (outer !== 'params' && outer !== 'result' && outer !== 'error') return
    if (depth === 2 && token.type === 'key') {
      const path = token.raw === undefined ? '' : `${outer}.${decodeString(token.raw)}`
      this.#judge(path, foldedJudged)
      this.#keys = [outer, watchedKeys.has(path) || deepParents.has(path) ? path : '']
      this.#idHash = idKeys.has(path) ? new ValueHash(token.end) : undefined
    } else if (depth === 2) this.#note(token, this.#keys[1] ?? '')
    else if (deepParents.has(this.#keys[1] ?? '')) this.#takeDeep(token, this.#keys[1] ?? '')
    else if (this.#keys[1] === 'result.tools') this.#takeElement(token, 'tool')
    else if (this.#keys[1] === 'result.content') this.#takeElement(token, 'block')
  }

  #takeDeep(token: JsonToken, parent: string): void {
    if (token.type === 'key') {
      const path = token.raw === undefined ? '' : `${parent}.${decodeString(token.raw)}`
      this.#keys = ['result', parent, deepKeys.has(path) ? path : '']
    } else if (this.#keys[2] !== undefined && this.#keys[2] !== '')
      this.#message?.spans.set(this.#keys[2], spanOf(token))
  }

  /** A tool's hash is over its bytes as sent; where those were not UTF-8, with `?` in place of the bad ones. */
  #takeElement(token: JsonToken, kind: 'tool' | 'block'): void {
    if (token.type === 'beginObject') this.#element = new ListElement(kind, token.start)
    else if (token.type === 'endObject' && this.#element !== undefined && this.#message !== undefined) {
      this.#element.hashTo(token.end, this.#chunk, this.#chunkStart)
      this.#element.finish(this.#message, token.end)
      this.#element = undefined
    }
  }

  /** Marks the message where a key that decides something came twice or in another case. */
  #judge(path: string, folded: Map<string, string>): void {
    const meant = folded.get(fold(path))
    if (meant === undefined || this.#message === undefined) return
    if (meant !== path) this.#message.flaws.add('folded_key')
    else if (this.#message.spans.has(path)) this.#message.flaws.add('duplicate_key')
  }

  #note(token: JsonToken, path: string): void {
    const message = this.#message
    if (message === undefined || path === '') return
    if (token.type === 'endObject' || token.type === 'endArray') {
      const open = message.spans.get(path)
      if (open === undefined) return
      open.end = token.end
      this.#finishId(open)
      if (path === 'result') this.#endWatch(message, token.end)
      return
    }
    if (path === 'result' && token.type === 'beginObject') this.#watch = new ResultWatch(token)
    const span = spanOf(token)
    message.spans.set(path, span)
    if (token.type !== 'beginObject' && token.type !== 'beginArray') this.#finishId(span)
    if (opaqueKeys.has(path)) message.opaque.push(span)
  }

  #endWatch(message: ScannedMessage, end: number): void {
    this.#watch?.readOn(end, this.#chunk, this.#chunkStart)
    message.content = this.#watch?.end()
    this.#watch = undefined
  }

  #finishId(span: Span): void {
    if (this.#idHash !== undefined && span.raw === undefined) {
      this.#idHash.hashTo(span.end, this.#chunk, this.#chunkStart)
      span.hash = this.#idHash.digest()
    }
    this.#idHash = undefined
  }
}

/** Reads a line that is whole already. */
export function scanBytes(bytes: Uint8Array): ScannedLine {
  const scan = new LineScan()
  scan.push(bytes)
  return scan.end()
}

/** RFC 8259 §2. */
function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a
}

function spanOf(token: JsonToken): Span {
  const { start, end, raw } = token
  if (token.type === 'beginObject') return { type: 'object', start, end, raw: undefined }
  if (token.type === 'beginArray') return { type: 'array', start, end, raw: undefined }
  // A copy: the chunk it points into is 64 KiB, and the id of a call in flight may live for hours.
  const kept = raw === undefined ? undefined : new Uint8Array(raw)
  if (token.type === 'string' || token.type === 'number') return { type: token.type, start, end, raw: kept }
  return { type: token.type === 'true' || token.type === 'false' ? token.type : 'null', start, end, raw: kept }
}

/** Case folding as Go's encoding/json does it, which also takes K (Kelvin) for k and ſ for s. */
function fold(key: string): string {
  const known = folds.get(key)
  if (known !== undefined) return known
  const folded = key.toUpperCase().toLowerCase()
  if (folds.size >= foldsMax) folds.clear()
  if (key.length <= foldedCharsMax) folds.set(key, folded)
  return folded
}
