import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Principals } from '../../identity/principals.ts'
import type { CaptureContext } from '../context.ts'
import { guardRedactor } from '../guard-redactor.ts'
import { ServerKnowledge } from '../knowledge.ts'
import { type ConversationLimits, Conversations } from './conversation.ts'
import type { RawHeaders } from './raw-headers.ts'

export interface UpstreamOptions {
  name: string
  url: URL
  /** `keep`: the server sees the Host that the client sent; `upstream`: the one of `url`. */
  host: 'keep' | 'upstream'
  tls: { ca?: string; cert?: string; key?: string }
  timeouts: Timeouts
  limits: ConversationLimits
}

/** In milliseconds; 0 waits for ever, as a client without us would. */
export interface Timeouts {
  connectMs: number
  /** Until the first byte of an answer. */
  answerMs: number
  /** Between two pieces of an answer that is no event stream. */
  bodyIdleMs: number
}

/** A request judged before it is read: who sent it, and what the upstream gets to see in the place of its credential. */
export type Admission =
  | { verdict: 'admitted'; principals: Principals; authorization?: string }
  | { verdict: 'refused'; status: number; headers: [name: string, value: string][]; body: object }

export type Admit = (request: { method: string; rawHeaders: RawHeaders }) => Promise<Admission> | Admission

/** One MCP server behind the gateway, with what is known of it and of those who talk to it. */
export interface Upstream {
  options: UpstreamOptions
  context: CaptureContext
  knowledge: ServerKnowledge
  conversations: Conversations
  agent: HttpAgent
  admit: Admit
  /** A new configuration has it no more, or otherwise: it is let go when nothing is under way. */
  isRetired: boolean
  /** Ends the pooled connections. */
  close(): void
}

/** Shorter than the keep-alive of common servers, so that a request rarely meets a connection that is being closed. */
const idleSocketMs = 4000

/** `before`: the upstream of that name under the configuration before; what is known of the server stays known. */
export function openUpstream(
  options: UpstreamOptions,
  parts: { context: CaptureContext; admit: Admit },
  before?: Upstream,
): Upstream {
  const context = { ...parts.context, redactor: guardRedactor(parts.context) }
  const knowledge = before?.knowledge ?? new ServerKnowledge(context)
  const pool = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 256, timeout: idleSocketMs } as const
  const agent = options.url.protocol === 'https:' ? new HttpsAgent({ ...pool, ...options.tls }) : new HttpAgent(pool)
  return {
    options,
    context,
    knowledge,
    conversations: before?.conversations ?? new Conversations(context, knowledge, options.limits),
    agent,
    admit: parts.admit,
    isRetired: false,
    close: () => agent.destroy(),
  }
}
