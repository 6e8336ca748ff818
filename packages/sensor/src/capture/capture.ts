import type { ViolationDetail } from '@affidavit/evidence/record/header'
import type { Outcome } from '@affidavit/evidence/record/kinds'
import { type AskedRequest, ambiguityOf, askPolicy } from './ask-policy.ts'
import { readClock } from './clock.ts'
import { draftCompleted, draftUnanswered, type End, recordOutcome } from './completed.ts'
import { type CaptureContext, replaceIn } from './context.ts'
import { DenialError } from './denial.ts'
import { type Exchange, InFlight, type OpenCall, PushbackError } from './exchange.ts'
import { guardRedactor } from './guard-redactor.ts'
import { ServerKnowledge } from './knowledge.ts'
import { answeredDirection, type CapturedLine, requestDirection, type Verdict } from './line.ts'
import { formOf, idKey, type ScannedMessage, type Span, textOf } from './message.ts'
import { openExchange } from './open-exchange.ts'
import { type Addressee, addresseesOf, idBytesOf, refuse, refuseDenied } from './refusal.ts'
import { draftRequested } from './requested.ts'
import { idNull, rpcCodes, toFailure } from './rpc-error.ts'
import { Session } from './session.ts'
import { markRequest } from './value-marks.ts'
import { describeUnreadable, draftViolation, violationsOf } from './violation.ts'

/** One record that a line waits for. */
interface Step {
  done: Promise<void>
  addressee?: Addressee
  /** A request that was recorded though its line is then refused: a batch goes on as a whole or not at all. */
  exchange?: Exchange
}

/** Key of requests without an id; no id has it (message.ts idKey), so no response finds them. */
const unanswerable = ''

/** Of lines that come when the server is gone and the records are finished: dropped, and not answered. */
const nowhere: Verdict = { pass: false, instead: undefined, reply: undefined }

/**
 * One connection between a client and a server: every line goes through `take` in the order it arrived, and what that
 * returns says when and whether the line may go on. Owns the calls in flight, hence must be finished.
 */
export class Capture {
  readonly #context: CaptureContext
  readonly #knowledge: ServerKnowledge
  readonly #session: Session
  readonly #inFlight = new InFlight()
  /** Requests that came on a line, for whoever has to end them without a response. */
  readonly #openedBy = new WeakMap<CapturedLine, Exchange[]>()
  /** Outcomes of undelivered and unanswerable calls that are on their way. */
  readonly #ends = new Set<Promise<void>>()
  #isFinished = false

  /** `knowledge`: what the server's other connections have told, where there are any. */
  constructor(context: CaptureContext, knowledge = new ServerKnowledge(context)) {
    this.#context = replaceIn(context, { redactor: guardRedactor(context) })
    this.#knowledge = knowledge
    this.#session = new Session(knowledge)
  }

  /** Whether no call of either direction waits for its response. */
  get isIdle(): boolean {
    return this.#inFlight.size === 0 && this.#ends.size === 0
  }

  /** Undefined: the line may go on at once. The promise never rejects. */
  take(line: CapturedLine): Promise<Verdict> | undefined {
    if (this.#isFinished) return Promise.resolve(nowhere)
    const violations = violationsOf(line, this.#session.server)
    const ambiguity = ambiguityOf(line, violations, this.#context.policy?.mode)
    const steps: Step[] = violations.map((code) => this.#recordViolation(line, code, ambiguity))
    for (const message of line.scanned.messages) {
      const id = message.spans.get('id')
      const form = formOf(message)
      if (form === 'notification') this.#takeNotification(line, message)
      else if (form === 'request') steps.push(...this.#takeRequest(line, message, ambiguity))
      else if (form === 'response' && id !== undefined) steps.push(...this.#takeResponse(line, message, id))
    }
    return steps.length === 0 ? undefined : this.#settle(line, steps)
  }

  /**
   * To be called every second or so: ends cancelled calls whose response nobody waits for any more, and writes what was
   * counted since the last call. What could not be written is counted again.
   */
  async flush(): Promise<void> {
    for (const exchange of this.#inFlight.takeCancelled(readClock().monotonicUs)) this.#end(exchange, 'cancelled')
    await this.#knowledge.flush(this.#context)
  }

  /** The connection is over: every call still open gets its outcome, every count its record. Later lines go nowhere. */
  async finish(): Promise<void> {
    this.#isFinished = true
    const ends = this.#inFlight
      .all()
      .map((exchange) =>
        this.#abandon(exchange, { outcome: exchange.cancelledUs === undefined ? 'transport_error' : 'cancelled' }),
      )
    await Promise.all([...ends, ...this.#ends, this.flush()])
  }

  /** A line that might go on found its receiver gone: its calls will not be answered. Does not wait; `finish` does. */
  undelivered(line: CapturedLine): void {
    for (const exchange of this.#openOf(line)) this.#end(exchange, 'transport_error')
  }

  /** Whether a response of this line is one that an open call waits for. */
  answersOpen(line: CapturedLine): boolean {
    return line.scanned.messages.some((message) => {
      const id = message.spans.get('id')
      const isResponse = id !== undefined && formOf(message) === 'response'
      return isResponse && this.#inFlight.find(answeredDirection(line), idKey(id)) !== undefined
    })
  }

  /** Whether a request of this line waits for its response. */
  isOpen(line: CapturedLine): boolean {
    return this.#openOf(line).length > 0
  }

  /** The calls of this line that wait for their responses, for whoever can say more of them than the messages do. */
  callsOf(line: CapturedLine): readonly OpenCall[] {
    return this.#openOf(line)
  }

  /**
   * Ends the calls of a request line that will get no response of their own: something else came in its place, or nothing.
   * Resolves when that is durable. Where it cannot be, what came must not be let go, and the verdict holds what goes instead.
   */
  async endUnanswered(line: CapturedLine, end: End): Promise<Verdict> {
    const open = this.#openOf(line)
    const results = await Promise.allSettled(open.map((exchange) => this.#recordEnd(exchange, end)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return { pass: true }
    const failure = toFailure(failed.reason)
    const addressees = addresseesOf(line).map(({ id }) => ({ form: 'response' as const, id }))
    return refuse({ ...line, direction: 'server-to-client' }, addressees, failure)
  }

  #openOf(line: CapturedLine): Exchange[] {
    return (this.#openedBy.get(line) ?? []).filter((exchange) => this.#inFlight.includes(exchange))
  }

  /** Ends a call without a response, while other things go on; `finish` waits for it. */
  #end(exchange: Exchange, outcome: Outcome): void {
    const end = this.#abandon(exchange, { outcome }).finally(() => this.#ends.delete(end))
    this.#ends.add(end)
  }

  #recordViolation(line: CapturedLine, code: ViolationDetail['code'], ambiguity?: DenialError): Step {
    const draft = draftViolation(line, this.#session.server, code)
    const record = async () => {
      await this.#context.emit(draft, describeUnreadable(this.#context, line, code))
      if (ambiguity !== undefined) throw ambiguity
    }
    return { done: record() }
  }

  #takeNotification(line: CapturedLine, message: ScannedMessage): void {
    const method = textOf(message.spans.get('method')) ?? ''
    this.#knowledge.notify.add(requestDirection(line), method, message.end - message.start)
    const id = message.spans.get('params.requestId')
    if (method !== 'notifications/cancelled' || id === undefined) return
    this.#inFlight.cancel(requestDirection(line), idKey(id), line.arrived.monotonicUs)
  }

  #takeRequest(line: CapturedLine, message: ScannedMessage, ambiguity: DenialError | undefined): Step[] {
    const id = message.spans.get('id')
    const from = { line, message, ambiguity }
    if (id === undefined) {
      const exchange = openExchange(this.#context, this.#knowledge, { line, message, key: unanswerable })
      return [{ done: this.#recordRequested(from, exchange), exchange }]
    }
    const exchange = openExchange(this.#context, this.#knowledge, { line, message, key: idKey(id) })
    const isDuplicate = this.#inFlight.has(exchange.direction, exchange.key)
    const isTooMany = this.#inFlight.isFull(exchange.direction)
    this.#inFlight.add(exchange)
    const opened = this.#openedBy.get(line)
    if (opened === undefined) this.#openedBy.set(line, [exchange])
    else opened.push(exchange)
    if (exchange.method === 'initialize' && exchange.direction === 'to-server') this.#session.open(line, message)
    const done = isTooMany ? Promise.reject(new PushbackError()) : this.#recordRequested(from, exchange)
    const addressee = { form: 'request' as const, id: idBytesOf(line, message) ?? idNull, callId: exchange.callId }
    const step = { done, addressee, exchange }
    return isDuplicate ? [this.#recordViolation(line, 'duplicate_id'), step] : [step]
  }

  async #recordRequested(from: AskedRequest, exchange: Exchange): Promise<void> {
    const { line, message } = from
    const { tools } = this.#knowledge
    const known = { session: this.#session, tools }
    const loading = exchange.method.startsWith('tools/') ? tools.load(this.#context) : undefined
    if (loading !== undefined && exchange.method === 'tools/call') await loading
    const drafted = draftRequested(this.#context, known, { line, message, place: exchange })
    // No await where none is needed: emits must be called in the order the lines came.
    const ready = drafted instanceof Promise ? await drafted : drafted
    const decided = askPolicy(this.#context, { ...from, method: exchange.method }, ready)
    const { draft, sections, denial } = decided instanceof Promise ? await decided : decided
    exchange.classification = draft.classification
    exchange.level = draft.level
    // No answer is waited for, and none is taken for that of a call that the server never sees.
    if (denial !== undefined) this.#inFlight.remove(exchange)
    const emitted = this.#context.emit(draft, sections)
    if (exchange.direction === 'to-server')
      exchange.accessed.values = markRequest(this.#context, { line, message, method: exchange.method })
    exchange.receipt = await emitted
    if (denial !== undefined) throw denial.of(exchange.callId)
  }

  #takeResponse(line: CapturedLine, message: ScannedMessage, id: Span): Step[] {
    const exchange = this.#inFlight.find(answeredDirection(line), idKey(id)) ?? this.#meantBy(line, id)
    const receipt = exchange?.receipt
    if (exchange === undefined || receipt === undefined) {
      // Too late for a call that was cancelled and is recorded as that, or is about to be.
      const isLate = this.#inFlight.exhume(answeredDirection(line), idKey(id))
      if (isLate) return [{ done: Promise.all(this.#ends).then(() => undefined) }]
      // Over HTTP, errors with id null answer what was no request, too.
      return id.type === 'null' && line.answer !== undefined ? [] : [this.#recordViolation(line, 'unmatched_response')]
    }
    this.#inFlight.remove(exchange)
    const isFromServer = exchange.direction === 'to-server'
    const server = isFromServer ? this.#session.learn(line, message, exchange.method) : undefined
    const listed = isFromServer && showsTools(exchange, message) ? this.#takeTools(line, message, exchange) : []
    const completed = draftCompleted(this.#context, exchange, receipt, { line, message, server })
    const { callGroupId, outcome } = completed.draft
    if (callGroupId !== undefined && outcome === 'continued') this.#knowledge.groups.remember(message, callGroupId)
    const addressee = { form: 'response' as const, id: idBytesOf(line, message) ?? idNull, callId: exchange.callId }
    return [...listed, { done: recordOutcome(this.#context, completed), addressee }]
  }

  #takeTools(line: CapturedLine, message: ScannedMessage, { asked, callId }: Exchange): Step[] {
    const page = { line, message, asked, callId, server: this.#session.server }
    const done = this.#knowledge.tools.take(this.#context, page)
    return done === undefined ? [] : [{ done }]
  }

  /** Servers refuse by an error with id null what they did not care to read (JSON-RPC 2.0 §5). */
  #meantBy({ answer }: CapturedLine, id: Span): Exchange | undefined {
    const open = id.type === 'null' && answer?.to !== undefined ? this.#openOf(answer.to) : []
    return open.length === 1 ? open[0] : undefined
  }

  async #settle(line: CapturedLine, steps: Step[]): Promise<Verdict> {
    const results = await Promise.allSettled(steps.map((step) => step.done))
    const reasons = results.map((result) => (result.status === 'rejected' ? [result.reason] : []))
    const [failed] = reasons.flat().filter((reason) => !(reason instanceof DenialError))
    if (failed === undefined) {
      const [denial, ...denials] = reasons.flat().filter((reason) => reason instanceof DenialError)
      if (denial !== undefined) {
        const addressees = await this.#endRefused(steps, { outcome: 'denied', rpcCode: rpcCodes.denied })
        return refuseDenied(line, addressees, [denial, ...denials])
      }
      this.#endUnanswerable(steps)
      return { pass: true }
    }
    const failure = toFailure(failed)
    this.#context.diagnose(
      'AFD_AUDIT_UNAVAILABLE',
      `messages are refused because they cannot be recorded (${failure.cause})`,
    )
    const refused = { outcome: 'protocol_error', rpcCode: rpcCodes.auditUnavailable } as const
    return refuse(line, await this.#endRefused(steps, refused), failure)
  }

  /** All calls of the line end before anybody hears that it was refused. */
  async #endRefused(steps: readonly Step[], end: End): Promise<Addressee[]> {
    await Promise.all(steps.map(({ exchange }) => exchange && this.#abandon(exchange, end)))
    return steps.flatMap(({ addressee }) => (addressee === undefined ? [] : [addressee]))
  }

  /**
   * A request without an id that now goes on. The server may execute it, and there will be no response that tells: the
   * outcome is `unknown` for good. (`continued` would promise another exchange, `success` would be a guess.)
   */
  #endUnanswerable(steps: readonly Step[]): void {
    for (const { exchange } of steps) if (exchange?.key === unanswerable) this.#end(exchange, 'unknown')
  }

  async #recordEnd(exchange: Exchange, end: End): Promise<void> {
    this.#inFlight.remove(exchange)
    if (exchange.receipt === undefined) return
    await recordOutcome(this.#context, draftUnanswered(exchange, exchange.receipt, end))
  }

  /** Ends a call without a response. Where not even that can be recorded, recovery finds it open and says `unknown`. */
  async #abandon(exchange: Exchange, end: End): Promise<void> {
    try {
      await this.#recordEnd(exchange, end)
    } catch (error) {
      const { cause } = toFailure(error)
      this.#context.diagnose('AFD_OUTCOME_LOST', `the outcome of an unanswered call could not be recorded (${cause})`)
    }
  }
}

function showsTools({ method }: Exchange, { spans }: ScannedMessage): boolean {
  return method === 'tools/list' && !spans.has('error') && spans.get('result.tools')?.type === 'array'
}
