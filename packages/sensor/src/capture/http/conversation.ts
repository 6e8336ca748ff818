import { createHash } from 'node:crypto'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { Capture } from '../capture.ts'
import type { CaptureContext } from '../context.ts'
import type { ServerKnowledge } from '../knowledge.ts'
import type { CapturedLine } from '../line.ts'

const seenEventsMax = 4096
const sessionsMax = 10_000
const eventPlacesMax = 4096

export interface ConversationLimits {
  /** A session without traffic and without streams is forgotten after this long, its open calls ended. */
  sessionIdleMs: number
  /** How long the result of a call may come on a later stream, after the one it was expected on broke. */
  resumeGraceMs: number
}

/** What belongs together in one direction of ids: a legacy session, or one exchange where there is none. */
export class Conversation {
  readonly capture: Capture
  session: KeyedDigest | undefined
  usedAtMs = Date.now()
  /** HTTP exchanges that are under way in it. */
  users = 0
  /** The client ended the session; what is under way goes on to its end. */
  isOver = false
  /** Calls whose stream is gone and whose result may still come, with how long it is waited for. */
  readonly waiting = new Map<CapturedLine, number>()
  readonly #seen = new Set<string>()

  constructor(capture: Capture, session: KeyedDigest | undefined) {
    this.capture = capture
    this.session = session
  }

  /**
   * Whether this very event was released before: resumption plays events again. The key holds the data too, so that a
   * result under an old event's id is not taken for a replay.
   */
  hasSeen(key: string): boolean {
    return this.#seen.has(key)
  }

  markSeen(key: string): void {
    this.#seen.add(key)
    const [oldest] = this.#seen
    if (this.#seen.size > seenEventsMax && oldest !== undefined) this.#seen.delete(oldest)
  }
}

/** The conversations with one upstream. */
export class Conversations {
  readonly #context: CaptureContext
  readonly #knowledge: ServerKnowledge
  readonly #limits: ConversationLimits
  readonly #all = new Set<Conversation>()
  readonly #bySession = new Map<KeyedDigest, Conversation>()
  /** Where the events of streams without a session came from: `Last-Event-ID` is all that a resuming client brings. */
  readonly #byEvent = new Map<string, Conversation>()

  constructor(context: CaptureContext, knowledge: ServerKnowledge, limits: ConversationLimits) {
    this.#context = context
    this.#knowledge = knowledge
    this.#limits = limits
  }

  get size(): number {
    return this.#all.size
  }

  get openCalls(): number {
    return [...this.#all].filter(({ capture }) => !capture.isIdle).length
  }

  /** Takes a place in the conversation that a request belongs to; give it back by `leave`. */
  enter(request: { session: KeyedDigest | undefined; lastEventId: string | undefined }): Conversation {
    const { session, lastEventId } = request
    const byEvent = lastEventId === undefined ? undefined : this.#byEvent.get(hashOf(lastEventId))
    const known = session === undefined ? byEvent : this.#bySession.get(session)
    const conversation = known === undefined || known.isOver ? this.#open(session) : known
    this.#all.add(conversation)
    if (session !== undefined) this.#remember(conversation, session)
    conversation.users++
    conversation.usedAtMs = Date.now()
    return conversation
  }

  leave(conversation: Conversation): void {
    conversation.users--
    conversation.usedAtMs = Date.now()
    if (conversation.session === undefined) void this.#endLonely(conversation)
    else if (conversation.isOver && conversation.users === 0) void this.end(conversation)
  }

  /** The answer to `initialize` named the session. */
  adopt(conversation: Conversation, session: KeyedDigest): void {
    if (conversation.session !== undefined || this.#bySession.has(session)) return
    conversation.session = session
    this.#remember(conversation, session)
  }

  rememberEvent(conversation: Conversation, eventId: string): void {
    if (conversation.session !== undefined) return
    this.#byEvent.set(hashOf(eventId), conversation)
    const [oldest] = this.#byEvent.keys()
    if (this.#byEvent.size > eventPlacesMax && oldest !== undefined) this.#byEvent.delete(oldest)
  }

  /** A result of this line's calls may still come on another stream. */
  await(conversation: Conversation, line: CapturedLine): void {
    conversation.waiting.set(line, Date.now() + this.#limits.resumeGraceMs)
  }

  /** To be called every second or so. */
  async sweep(): Promise<void> {
    const nowMs = Date.now()
    const ends = [...this.#all].flatMap((conversation) => this.#sweepOne(conversation, nowMs))
    await Promise.all([this.#knowledge.flush(this.#context), ...ends])
  }

  #sweepOne(conversation: Conversation, nowMs: number): Promise<unknown>[] {
    const { capture, waiting } = conversation
    const ends: Promise<unknown>[] = capture.isIdle ? [] : [capture.flush()]
    for (const [line, until] of waiting) {
      if (capture.isOpen(line) && nowMs < until) continue
      waiting.delete(line)
      ends.push(capture.endUnanswered(line, { outcome: 'transport_error' }))
    }
    if (conversation.session === undefined) ends.push(this.#endLonely(conversation))
    else if (conversation.users === 0 && nowMs - conversation.usedAtMs > this.#limits.sessionIdleMs)
      ends.push(this.end(conversation))
    return ends
  }

  /** The client ended its session, and the server agreed. */
  closeSession(conversation: Conversation): void {
    conversation.isOver = true
    const { session } = conversation
    if (session !== undefined && this.#bySession.get(session) === conversation) this.#bySession.delete(session)
  }

  /** Calls still open get their outcome. */
  async end(conversation: Conversation): Promise<void> {
    conversation.isOver = true
    this.#forget(conversation)
    await conversation.capture.finish()
  }

  /** Every conversation is over. */
  async finish(): Promise<void> {
    await Promise.all([...this.#all].map((conversation) => this.end(conversation)))
    await this.#knowledge.flush(this.#context)
  }

  #open(session: KeyedDigest | undefined): Conversation {
    const conversation = new Conversation(new Capture(this.#context, this.#knowledge), session)
    this.#all.add(conversation)
    return conversation
  }

  /** In the order of their last use. */
  #remember(conversation: Conversation, session: KeyedDigest): void {
    this.#bySession.delete(session)
    this.#bySession.set(session, conversation)
    if (this.#bySession.size > sessionsMax) this.#dropOldest()
  }

  /** More sessions than we keep track of: the one that was idle longest and waits for nothing goes first. */
  #dropOldest(): void {
    for (const conversation of this.#bySession.values()) {
      if (conversation.users > 0 || !conversation.capture.isIdle) continue
      this.#forget(conversation)
      return
    }
  }

  /** Without a session nothing finds its way back here, but for a stream that is resumed: a server's question stays open. */
  async #endLonely(conversation: Conversation): Promise<void> {
    if (conversation.users > 0 || conversation.waiting.size > 0) return
    if (conversation.capture.isIdle) this.#forget(conversation)
    else await this.end(conversation)
  }

  #forget(conversation: Conversation): void {
    this.#all.delete(conversation)
    const { session } = conversation
    if (session !== undefined && this.#bySession.get(session) === conversation) this.#bySession.delete(session)
  }
}

function hashOf(eventId: string): string {
  return createHash('sha256').update(eventId).digest('base64')
}
