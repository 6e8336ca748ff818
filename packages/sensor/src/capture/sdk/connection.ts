import type { AsyncLocalStorage } from 'node:async_hooks'
import type { Capture } from '../capture.ts'
import type { CaptureContext } from '../context.ts'
import type { OpenCall } from '../exchange.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { formOf, idKey, textOf } from '../message.ts'
import type { RequestOrigin, ResponseOrigin } from '../origin.ts'
import { addresseesOf, refuse } from '../refusal.ts'
import { type Failure, toFailure } from '../rpc-error.ts'
import { type MessageExtra, parseExtra } from './extra.ts'
import { parseOwnMessage, toLine, toResponse } from './message.ts'
import { Order } from './order.ts'
import type { MessageHandler, SdkTransport } from './transport.ts'

/** What captures the messages of one transport, once the home folder is open. */
export interface Ready {
  context: CaptureContext
  capture: Capture
  /** `extra` undefined: of a request that the server makes outside of any call. */
  originOf: (extra: MessageExtra | undefined) => RequestOrigin
}

/** The call that a handler serves, and who is behind it: what the handler itself asks of the client is for them. */
export interface Served {
  call: OpenCall
  origin: RequestOrigin
  context: CaptureContext
  /** Whether its outcome is still to come. */
  isOpen: () => boolean
}

export interface ConnectionParts {
  transport: SdkTransport
  /** The transport's own way to send. */
  sendOn: SdkTransport['send']
  ready: Promise<Ready>
  served: AsyncLocalStorage<Served>
  /** Called with every message: from then on the connection is not idle, or about to be closed. */
  onUse: () => void
  /** Called once, when the connection is over. */
  onEnd: () => void
}

interface Unanswered {
  response: CapturedLine | undefined
}

type Refused = Extract<Verdict, { pass: false }>

const ended: Failure = { cause: 'recorder_closed', retry: true }
const passes: Verdict = { pass: true }
const nobody = { absent: 'not asked' }
const noOrigin: RequestOrigin = {
  principals: { workload: nobody, user: nobody, role: nobody, token: nobody, delegation: [] },
  network: nobody,
  session: nobody,
}

/**
 * One transport between a server and its client. A request reaches the server's handler when its `requested` is durable, a
 * result the transport when its `completed` is; each direction keeps its order. Must be closed.
 */
export class Connection {
  readonly #parts: ConnectionParts
  readonly #opened: Promise<void>
  #ready: Ready | undefined
  #failure: Failure | undefined
  /** Takes what the client sends: the callback that the server has given the transport last. */
  handler: MessageHandler | undefined
  readonly #incoming = new Order()
  readonly #outgoing = new Order()
  /** A message on its way through the server's callbacks, which call one another: it has been judged. */
  #passing: object | undefined
  #initializeKey: string | undefined
  /** Of the answer that has begun, where the transport lives for one. Of others nobody here sees it. */
  #httpStatus: number | undefined
  /** While the answer of an HTTP exchange has not begun: the response, which then waits with the whole answer. */
  #unanswered: Unanswered | undefined
  #exchange: { line: CapturedLine; extra: MessageExtra; answered: Promise<unknown> } | undefined
  #isGone = false
  #closed: Promise<void> | undefined

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#opened = parts.ready.then(
      (ready) => {
        this.#ready = ready
      },
      (error: unknown) => {
        this.#failure = toFailure(error)
      },
    )
  }

  /** Whether the transport was closed; it may be used anew. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** A message of the client's on its way to `handler`. */
  receive(message: object, extra: unknown, handler: MessageHandler): void {
    if (message === this.#passing) {
      handler(message, extra)
      return
    }
    if (this.#isOpening) {
      void this.#opened.then(() => this.receive(message, extra, handler))
      return
    }
    this.#guard(() => {
      const line = this.#takeUp(message, parseExtra(extra))
      this.#incoming.run(this.#judge(line), (decided) =>
        this.#guard(() => {
          if (this.#isGone) return
          if (decided.pass) this.#runIn(line, message, () => handler(message, extra))
          else this.#refuse(decided, { on: handler, back: (reply) => this.#sendReply(reply) })
        }),
      )
    })
  }

  /** A message of the server's. Settles as the transport's own send does, once the message may go. */
  async send(message: object, options?: unknown): Promise<void> {
    if (this.#isOpening) await this.#opened
    const { sendOn } = this.#parts
    const origin = this.#parts.served.getStore()?.origin ?? this.#ready?.originOf(undefined) ?? noOrigin
    const line = toLine(message, 'server-to-client', origin)
    const isResponse = line.scanned.messages.some((each) => formOf(each) === 'response')
    if (isResponse && this.#unanswered !== undefined) {
      this.#unanswered.response ??= line
      return sendOn(message, options)
    }
    const verdict = this.#judge(isResponse ? { ...line, answer: this.#answerOf(line) } : line)
    return new Promise((resolve, reject) => {
      const go = (sent: object) => {
        try {
          sendOn(sent, options).then(resolve, reject)
        } catch (error) {
          reject(error)
        }
      }
      this.#outgoing.run(verdict, (decided) => {
        if (decided.pass) go(message)
        else this.#guard(() => this.#refuse(decided, { on: go, back: this.handler }))
        if (!decided.pass && decided.instead === undefined) resolve()
      })
    })
  }

  /** One HTTP exchange of the transport that lives for it: what `handleOn` answers, once that may go. */
  async serve(
    message: object,
    extra: unknown,
    handleOn: NonNullable<SdkTransport['handleMessage']>,
  ): Promise<Response> {
    await this.#opened
    const facts = parseExtra(extra)
    const line = this.#takeUp(message, facts)
    const verdict = (await this.#judge(line)) ?? passes
    if (!verdict.pass) return toResponse(verdict.reply)
    // The transport maps errors to HTTP statuses while it hands the message over, so its answer is what has to wait.
    const unanswered: Unanswered = { response: undefined }
    this.#unanswered = unanswered
    const answered = this.#runIn(line, message, () => handleOn(message, extra))
    this.#exchange = { line, extra: facts, answered }
    const answer = await answered
    this.#unanswered = undefined
    this.#httpStatus = answer.status
    return this.#release(answer, unanswered.response)
  }

  /** Whether no call waits for its response, and nothing for its record. */
  get isIdle(): boolean {
    return !this.#isOpening && this.#ready?.capture.isIdle !== false && this.#incoming.isIdle && this.#outgoing.isIdle
  }

  /** To be called every second or so. */
  async flush(): Promise<void> {
    await this.#ready?.capture.flush()
  }

  /** The transport is closed: what waits to be handled is not handled any more. */
  leave(): void {
    this.#isGone = true
    void this.close()
  }

  /** What is under way is judged, and every open call gets its outcome. Requests that come later are refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  get #isOpening(): boolean {
    return this.#ready === undefined && this.#failure === undefined
  }

  #takeUp(message: object, extra: MessageExtra): CapturedLine {
    const line = toLine(message, 'client-to-server', this.#ready?.originOf(extra) ?? noOrigin)
    const [{ spans } = { spans: undefined }] = line.scanned.messages
    const id = spans?.get('id')
    const { session } = line.origin
    const mayOpen = session !== 'stdio' && 'absent' in session && textOf(spans?.get('method')) === 'initialize'
    if (mayOpen && id !== undefined) this.#initializeKey = idKey(id)
    return line
  }

  #judge(line: CapturedLine): Promise<Verdict> | undefined {
    this.#parts.onUse()
    if (this.#ready !== undefined) return this.#ready.capture.take(line)
    const failure = this.#failure ?? { cause: 'opening', retry: true }
    return Promise.resolve(refuse(line, addresseesOf(line), failure))
  }

  /** The session that a legacy HTTP server opens is in the header of the answer, of which only the transport knows. */
  #answerOf(line: CapturedLine): ResponseOrigin {
    const status = this.#httpStatus === undefined ? {} : { httpStatus: this.#httpStatus }
    const id = line.scanned.messages[0]?.spans.get('id')
    const { sessionId } = this.#parts.transport
    if (id === undefined || this.#initializeKey !== idKey(id)) return status
    this.#initializeKey = undefined
    if (sessionId === undefined || this.#ready === undefined) return status
    return { ...status, session: this.#ready.context.digest(sessionId) }
  }

  /** Runs what handles a message so that it finds the call it serves, and so that the message is judged only once. */
  #runIn<T>(line: CapturedLine, message: object, work: () => T): T {
    const before = this.#passing
    const handOn = () => {
      this.#passing = message
      try {
        return work()
      } finally {
        this.#passing = before
      }
    }
    const { context, capture } = this.#ready ?? {}
    const [call] = capture?.callsOf(line) ?? []
    if (call === undefined || context === undefined) return handOn()
    const isOpen = () => capture?.callsOf(line).length === 1
    return this.#parts.served.run({ call, origin: line.origin, context, isOpen }, handOn)
  }

  async #release(answer: Response, response: CapturedLine | undefined): Promise<Response> {
    if (response === undefined) return answer
    const verdict = (await this.#judge({ ...response, answer: { httpStatus: answer.status } })) ?? passes
    if (verdict.pass) return answer
    await answer.body?.cancel()
    return toResponse(verdict.instead)
  }

  #refuse(verdict: Refused, to: { on: MessageHandler; back: MessageHandler | undefined }): void {
    if (verdict.instead !== undefined) to.on(parseOwnMessage(verdict.instead))
    if (verdict.reply !== undefined) to.back?.(parseOwnMessage(verdict.reply))
  }

  /** Of the client's request, which did not go on. An answer without an id finds no way over HTTP, and needs none. */
  #sendReply(reply: object): void {
    if ('id' in reply && reply.id !== null) this.#parts.sendOn(reply).catch((error: unknown) => this.#report(error))
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#report(error)
    }
  }

  #report(error: unknown): void {
    this.#parts.transport.onerror?.(error instanceof Error ? error : new Error(String(error)))
  }

  async #close(): Promise<void> {
    await this.#opened
    await Promise.allSettled([this.#isGone ? this.#exchange?.answered : undefined, this.#incoming.idle()])
    await this.#outgoing.idle()
    const capture = this.#ready?.capture
    this.#ready = undefined
    this.#failure = ended
    this.#parts.onEnd()
    if (capture === undefined || capture.isIdle) return
    // In the era of one exchange per transport, a client that closes the stream says that it is no longer interested.
    if (this.#exchange?.extra.isAborted() === true)
      await capture.endUnanswered(this.#exchange.line, { outcome: 'cancelled' })
    await capture.finish()
  }
}
