import type { ViolationDetail } from '@affidavit/evidence/record/header'
import type { ServerKnowledge } from '../knowledge.ts'
import { bytesOf, type CapturedLine } from '../line.ts'
import { formOf, type ScannedMessage, textOf } from '../message.ts'
import { headerOf, type RawHeaders, valuesOf } from './raw-headers.ts'

type Code = ViolationDetail['code']

/** Revisions are dates and compare as text. */
const firstModern = '2026-07-28'
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

/** `body.bytes`: where they are in memory. The body decides; headers only repeat it. */
export function judgeHeaders(
  raw: RawHeaders,
  body: Pick<CapturedLine, 'scanned' | 'bytes'>,
  { claimsOf }: Pick<ServerKnowledge, 'claimsOf'>,
): RequestEra {
  const { messages } = body.scanned
  const [message] = messages
  const version = headerOf(raw, 'mcp-protocol-version')
  const violations = new Set<Code>()
  if (new Set(valuesOf(raw, 'mcp-session-id')).size > 1) violations.add('header_mismatch')
  if (message === undefined || messages.length > 1) return { isModern: isModern(version), violations: [...violations] }
  const declared = claimsOf(bytesOf(body, message.spans.get('params._meta'))).protocolVersion
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
