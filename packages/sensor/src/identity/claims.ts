import type { Uuid } from '@affidavit/evidence/record/header'
import { isUuidV7 } from '@affidavit/evidence/record/id'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Purpose } from '@affidavit/evidence/record/purpose-section'
import { clipText } from '@affidavit/evidence/record/text'
import { isJsonObject, type Redact, readFirst } from './meta-keys.ts'
import { readPurpose } from './purpose-claims.ts'

export { isJsonObject, type Redact } from './meta-keys.ts'

/** What a client says of itself and of its purpose. All of it is `claimed`: nothing here was checked. */

export interface TraceContext {
  traceId: string
  spanId: string
}

const modernClientKey = 'io.modelcontextprotocol/clientInfo'
const modernVersionKey = 'io.modelcontextprotocol/protocolVersion'
/** What clients call the conversation; the last four are what VS Code, ChatGPT, Codex and OpenCode send. */
const conversationKeys = [
  'gen_ai.conversation.id', 'conversationId', 'conversation_id', 'affidavit/conversation', 'vscode.conversationId',
  'openai/session', 'x-codex-turn-metadata#session_id', 'ai.opencode/sessionID',
] // biome-ignore format: one list
/** In whose course the call is made: an id that our own middleware hands on. */
const parentCallKey = 'affidavit/parent-call'
/** W3C Trace Context §3.2: version, trace-id, parent-id, flags; version ff and all-zero ids are invalid. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/

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
  /** The call in whose course this one is said to be made. */
  parentCallId?: Uuid
  /** The revision of MCP that the request is of, as sent: to compare, not to keep. */
  protocolVersion?: string
}

/** `redact` is applied to free text before it is kept. */
export function readMetaClaims(meta: unknown, redact: Redact): MetaClaims {
  if (!isJsonObject(meta)) return {}
  const agent = toClaimedAgent(meta[modernClientKey], '_meta', redact)
  const purpose = readPurpose(meta, redact)
  const conversation = readFirst(meta, conversationKeys)?.text
  const parentCallId = parseParentCall(meta[parentCallKey])
  const trace = parseTraceparent(meta.traceparent)
  const protocolVersion = meta[modernVersionKey]
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(trace === undefined ? {} : { trace }),
    ...(parentCallId === undefined ? {} : { parentCallId }),
    ...(typeof protocolVersion === 'string' ? { protocolVersion } : {}),
  }
}

/** W3C Trace Context, of `_meta` or of HTTP's header. Undefined where it is not valid. */
export function parseTraceparent(value: unknown): TraceContext | undefined {
  const [, traceId, spanId] = (typeof value === 'string' && traceparentPattern.exec(value)) || []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

/** HTTP's way to say the same (server/call-marks). */
export const parentCallHeader = 'affidavit-call-id'

/** The id of a call, of `_meta` or of HTTP's header. Undefined where it is none: it stands in the header of the record. */
export function parseParentCall(value: unknown): Uuid | undefined {
  return isUuidV7(value) ? value : undefined
}
