import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Purpose } from '@affidavit/evidence/record/purpose-section'
import { clipText } from '@affidavit/evidence/record/text'

/** What a client says of itself and of its purpose. All of it is `claimed`: nothing here was checked. */

export interface TraceContext {
  traceId: string
  spanId: string
}

const statementBytesMax = 4096
const modernClientKey = 'io.modelcontextprotocol/clientInfo'
const modernVersionKey = 'io.modelcontextprotocol/protocolVersion'
/** `_meta` keys in which clients declare what the call is for; the first that is there is taken. */
const purposeKeys = {
  task: ['affidavit/task', 'affidavit/purpose', 'declaredTask', 'task', 'purpose'],
  intent: ['affidavit/user-intent', 'userIntent', 'user_intent', 'intent'],
} as const
const conversationKeys = ['gen_ai.conversation.id', 'conversationId', 'conversation_id', 'affidavit/conversation']
/** W3C Trace Context §3.2: version, trace-id, parent-id, flags; version ff and all-zero ids are invalid. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/

/** Takes out of free text what must not be kept. */
export type Redact = (text: string) => string

type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * `clientInfo` of initialize (legacy) or of `_meta` (2026-07-28). Undefined where it is not an object with a name. A client
 * may put anything into it, a credential included: `redact` is applied before anything is cut, for half a secret at the cut
 * would no longer look like one.
 */
export function toClaimedAgent(client: unknown, source: 'initialize' | '_meta', redact: Redact): Actor | undefined {
  if (!isJsonObject(client) || typeof client.name !== 'string' || client.name === '') return undefined
  const name = clipText(redact(client.name))
  return {
    kind: 'agent',
    id: name,
    name,
    ...(typeof client.version === 'string' ? { version: clipText(redact(client.version)) } : {}),
    assurance: 'claimed',
    method: 'client-info',
    source: `${source}.clientInfo`,
    reason: 'a client may call itself anything',
  }
}

/** What `_meta` says; every member is absent where it says nothing usable. */
export interface MetaClaims {
  agent?: Actor
  purpose?: Purpose
  conversation?: string
  trace?: TraceContext
  /** The revision of MCP that the request is of, as sent: to compare, not to keep. */
  protocolVersion?: string
}

/** `redact` is applied to free text before it is kept. */
export function readMetaClaims(meta: unknown, redact: Redact): MetaClaims {
  if (!isJsonObject(meta)) return {}
  const agent = toClaimedAgent(meta[modernClientKey], '_meta', redact)
  const purpose = purposeFrom(meta, 'task', redact) ?? purposeFrom(meta, 'intent', redact)
  const conversation = firstText(meta, conversationKeys)?.text
  const trace = parseTraceparent(meta.traceparent)
  const protocolVersion = meta[modernVersionKey]
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(trace === undefined ? {} : { trace }),
    ...(typeof protocolVersion === 'string' ? { protocolVersion } : {}),
  }
}

/** W3C Trace Context, of `_meta` or of HTTP's header. Undefined where it is not valid. */
export function parseTraceparent(value: unknown): TraceContext | undefined {
  const [, traceId, spanId] = (typeof value === 'string' && traceparentPattern.exec(value)) || []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

function purposeFrom(meta: JsonObject, kind: Purpose['kind'], redact: Redact): Purpose | undefined {
  const found = firstText(meta, purposeKeys[kind])
  if (found === undefined) return undefined
  // Redacted before it is cut: half a secret at the cut would no longer look like one.
  const statement = clipText(redact(found.text), statementBytesMax)
  return { kind, statement, assurance: 'claimed', source: `_meta.${found.key}` }
}

function firstText(meta: JsonObject, keys: readonly string[]): { key: string; text: string } | undefined {
  for (const key of keys) {
    const text = meta[key]
    if (typeof text === 'string' && text !== '') return { key, text }
  }
  return undefined
}
