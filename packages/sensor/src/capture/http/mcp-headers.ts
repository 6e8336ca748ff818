import type { ViolationDetail } from '@affidavit/evidence/record/header'
import { isJsonObject } from '../../identity/claims.ts'
import { formOf, type ScannedLine, type ScannedMessage, textOf } from '../message.ts'
import { headerOf, type RawHeaders, valuesOf } from './raw-headers.ts'

type Code = ViolationDetail['code']

const modernKey = 'io.modelcontextprotocol/protocolVersion'
/** Revisions are dates and compare as text. */
const firstModern = '2026-07-28'
const metaBytesMax = 64 * 1024
/** MCP 2026-07-28, standard request headers: which member of params `Mcp-Name` repeats. */
const namedBy = new Map([
  ['tools/call', 'params.name'],
  ['prompts/get', 'params.name'],
  ['resources/read', 'params.uri'],
  ['tasks/get', 'params.taskId'],
  ['tasks/update', 'params.taskId'],
  ['tasks/cancel', 'params.taskId'],
])

/** What a request says of its own revision, and where its headers disagree with its body (MCP 2026-07-28, header validation). */
export interface RequestEra {
  /** In the modern era a closed stream cancels what runs on it. */
  isModern: boolean
  violations: Code[]
}

/** `text`: the body, where it is in memory. The body decides; headers only repeat it. */
export function judgeHeaders(raw: RawHeaders, scanned: ScannedLine, text: Uint8Array | undefined): RequestEra {
  const [message] = scanned.messages
  const version = headerOf(raw, 'mcp-protocol-version')
  const violations = new Set<Code>()
  if (new Set(valuesOf(raw, 'mcp-session-id')).size > 1) violations.add('header_mismatch')
  if (message === undefined || scanned.messages.length > 1)
    return { isModern: isModern(version), violations: [...violations] }
  const declared = declaredVersion(message, text)
  const isOfModern = declared === undefined ? isModern(version) : isModern(declared)
  if (version !== undefined && declared !== undefined && declared !== version) violations.add('header_mismatch')
  if (formOf(message) === 'request') {
    if (isOfModern && version === undefined) violations.add('header_missing')
    for (const code of judgeNames(raw, message, isOfModern ? 'required' : 'optional')) violations.add(code)
  }
  return { isModern: isOfModern, violations: [...violations] }
}

function isModern(version: string | undefined): boolean {
  return version !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= firstModern
}

function* judgeNames(raw: RawHeaders, message: ScannedMessage, presence: 'required' | 'optional'): Generator<Code> {
  const method = textOf(message.spans.get('method'))
  yield* compare(raw, 'mcp-method', { value: method, presence })
  const named = namedBy.get(method ?? '')
  if (named === undefined) return
  const value = textOf(message.spans.get(named))
  yield* compare(raw, 'mcp-name', { value, presence: value === undefined ? 'optional' : presence })
}

/** Every field of that name must say what the body says: parsers differ in which of two they take. */
function* compare(
  raw: RawHeaders,
  name: string,
  body: { value: string | undefined; presence: 'required' | 'optional' },
): Generator<Code> {
  const given = valuesOf(raw, name)
  if (given.length === 0 && body.presence === 'required') yield 'header_missing'
  if (given.some((value) => decodeValue(value) !== body.value)) yield 'header_mismatch'
}

/** `=?base64?…?=` stands for text that a header cannot carry. Undefined where that is not valid. */
function decodeValue(value: string): string | undefined {
  const text = value.trim()
  const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(text) ?? []
  if (encoded === undefined) return text
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded ? bytes.toString('utf8') : undefined
}

function declaredVersion(message: ScannedMessage, text: Uint8Array | undefined): string | undefined {
  const span = message.spans.get('params._meta')
  if (span === undefined || text === undefined || span.end - span.start > metaBytesMax) return undefined
  const bytes = Buffer.from(text.buffer, text.byteOffset + span.start, span.end - span.start)
  // Escapes in keys are legal and would hide it; nobody writes them, and then the header decides.
  if (!bytes.includes(modernKey)) return undefined
  try {
    const meta: unknown = JSON.parse(bytes.toString('utf8'))
    const version = isJsonObject(meta) ? meta[modernKey] : undefined
    return typeof version === 'string' ? version : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}
