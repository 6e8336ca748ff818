import type { RequestedHeader, ServerRef, Uuid } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import { type MetaClaims, toClaimedAgent } from '../identity/claims.ts'
import { makeId } from './clock.ts'
import type { CaptureContext } from './context.ts'
import type { ServerKnowledge } from './knowledge.ts'
import { bytesOf, type CapturedLine, parseSpan } from './line.ts'
import type { ScannedMessage } from './message.ts'
import type { Claims, RequestOrigin } from './origin.ts'
import { fieldOf, readHandshake } from './server-names.ts'

const handshakeBytesMax = 1024 * 1024

const noHandshake = 'no initialize on this connection, and the request declares no conversation and no trace'

type SessionFields = Pick<RequestedHeader, 'sessionSource' | 'sessionId' | 'sessionReason'>

/** What the two sides of one connection have said of themselves so far. */
export class Session {
  agent: Actor | undefined
  /** Whom the `initialize` at hand names. */
  #named: Actor | undefined
  /** Agreed on by these two; what the server agrees on with others says nothing of it. */
  #protocolVersion: string | undefined
  readonly #knowledge: ServerKnowledge
  #legacyId: Uuid | undefined

  constructor(knowledge: ServerKnowledge) {
    this.#knowledge = knowledge
  }

  /** As configured and as reported. */
  get server(): ServerRef {
    const protocolVersion = this.#protocolVersion
    return { ...this.#knowledge.server, ...(protocolVersion === undefined ? {} : { protocolVersion }) }
  }

  /** What `_meta` of a request says. */
  claimsOf(line: CapturedLine, request: ScannedMessage): MetaClaims {
    return this.#knowledge.claimsOf(bytesOf(line, request.spans.get('params._meta')))
  }

  /** Who sends a request of this method. */
  agentOf(method: string): Actor | undefined {
    return method === 'initialize' ? (this.#named ?? this.agent) : this.agent
  }

  /**
   * `initialize` opens a legacy session, a second one another. Its own record belongs to it already. Within a session of HTTP,
   * where anybody may send a second one, it names the agent of what follows only when the server has agreed to it.
   */
  open(line: CapturedLine, request: ScannedMessage): void {
    if (line.origin.session === 'stdio') this.#legacyId = makeId()
    const params = parseSpan(line, request.spans.get('params'), handshakeBytesMax)
    this.#named = toClaimedAgent(fieldOf(params, 'clientInfo'), 'initialize', this.#knowledge.redact)
    if (line.origin.session === 'stdio' || this.agent === undefined) this.agent = this.#named ?? this.agent
  }

  /**
   * DESIGN §3, field 2. In the stateless era a session is what the client declares, else the trace; a bare connection is
   * never called one.
   */
  fieldsFor(claims: Claims, { session, trace }: RequestOrigin, digest: CaptureContext['digest']): SessionFields {
    if (session !== 'stdio' && 'digest' in session) return { sessionSource: 'legacy-http', sessionId: session.digest }
    if (session === 'stdio' && this.#legacyId !== undefined)
      return { sessionSource: 'legacy-stdio', sessionId: this.#legacyId }
    if (claims.conversation !== undefined) return { sessionSource: 'declared', sessionId: digest(claims.conversation) }
    const traced = claims.trace ?? trace
    if (traced !== undefined) return { sessionSource: 'trace', sessionId: traced.traceId }
    const sessionReason = session === 'stdio' ? noHandshake : session.absent
    return { sessionSource: 'absent', sessionReason }
  }

  /** Learns from a result. Returns the server where this very result told something new of it. */
  learn(line: CapturedLine, response: ScannedMessage, method: string): ServerRef | undefined {
    const isHandshake = method === 'initialize' || method === 'server/discover'
    const told = isHandshake
      ? readHandshake(parseSpan(line, response.spans.get('result'), handshakeBytesMax), this.#knowledge.redact)
      : this.#knowledge.namesOf(bytesOf(line, response.spans.get('result._meta')))
    const before = this.server
    this.#knowledge.server = { ...this.#knowledge.server, ...told }
    this.#protocolVersion = told.protocolVersion ?? this.#protocolVersion
    if (method === 'initialize' && response.spans.has('result')) this.agent = this.#named ?? this.agent
    const isNews = JSON.stringify(this.server) !== JSON.stringify(before)
    return isNews || (isHandshake && Object.keys(told).length > 0) ? this.server : undefined
  }
}
