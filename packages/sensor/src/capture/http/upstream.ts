import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type CaptureContext, replaceIn } from '../context.ts'
import { guardRedactor } from '../guard-redactor.ts'
import { ServerKnowledge } from '../knowledge.ts'
import { type ConversationLimits, Conversations } from './conversation.ts'
import type { Doorkeeper } from './doorkeeper.ts'

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

/** One MCP server behind the gateway, with what is known of it and of those who talk to it. */
export interface Upstream {
  options: UpstreamOptions
  context: CaptureContext
  knowledge: ServerKnowledge
  conversations: Conversations
  agent: HttpAgent
  doorkeeper: Doorkeeper
  /** A new configuration has it no more, or otherwise: it is let go when nothing is under way. */
  isRetired: boolean
  /** Ends the pooled connections, and what is being asked of authorization servers. */
  close(): void
}

/** Shorter than the keep-alive of common servers, so that a request rarely meets a connection that is being closed. */
const idleSocketMs = 4000

/** `before`: the upstream of that name under the configuration before; what is known of the server stays known. */
export function openUpstream(
  options: UpstreamOptions,
  parts: Doorkeeper & { context: CaptureContext },
  before?: Upstream,
): Upstream {
  const context = replaceIn(parts.context, { redactor: guardRedactor(parts.context) })
  const knowledge = before?.knowledge ?? new ServerKnowledge(context)
  const pool = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 256, timeout: idleSocketMs } as const
  const agent = options.url.protocol === 'https:' ? new HttpsAgent({ ...pool, ...options.tls }) : new HttpAgent(pool)
  return {
    options,
    context,
    knowledge,
    conversations: before?.conversations ?? new Conversations(context, knowledge, options.limits),
    agent,
    doorkeeper: parts,
    isRetired: false,
    close: () => {
      agent.destroy()
      parts.close?.()
    },
  }
}
