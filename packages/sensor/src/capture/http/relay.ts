import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { parentCallHeader, parseParentCall, parseTraceparent } from '../../identity/claims.ts'
import { readClock } from '../clock.ts'
import { HeldBytes } from '../hold.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { isMessage } from '../message.ts'
import { noSession, type RequestOrigin } from '../origin.ts'
import { addresseesOf, answerRequests, refuse } from '../refusal.ts'
import { toFailure, upstreamFailed } from '../rpc-error.ts'
import { relayBody } from './answer-body.ts'
import { relayEvents } from './answer-events.ts'
import { Departure } from './departure.ts'
import { endOf, type HttpExchange, outcomeOfGone, passes } from './exchange.ts'
import { type Forwarded, forward } from './forward.ts'
import { judgeHeaders } from './mcp-headers.ts'
import { connectionOf } from './network.ts'
import { plainError, sendOwn } from './own-answer.ts'
import { type Changes, headerOf, mediaTypeOf, pairsOf, type RawHeaders, valuesOf } from './raw-headers.ts'
import { type RequestBody, readRequestBody } from './read-body.ts'
import { recordRefused } from './refused.ts'
import type { Upstream } from './upstream.ts'

/** Where a request goes. */
export interface Place {
  upstream: Upstream
  /** Path and query at the upstream. */
  path: string
  /** Whether it is the server's MCP endpoint; anything else behind the same name is passed on, and judged where it is MCP. */
  isEndpoint: boolean
}

/** One HTTP exchange: recorded before it goes on, answered when what came of it is recorded. */
export async function relayExchange(
  place: Place,
  request: IncomingMessage,
  response: ServerResponse,
  onFault: (fault: unknown) => void,
): Promise<void> {
  const { upstream } = place
  const { method = 'GET', url = '/', rawHeaders, socket } = request
  // Before anything is waited for: whoever leaves meanwhile is gone, too.
  const gone = new Departure()
  response.on('close', () => {
    if (!response.writableFinished) gone.leave()
  })
  const admission = await upstream.doorkeeper.admit({ method, target: url, rawHeaders, socket })
  if (admission.verdict === 'answered') {
    request.resume()
    sendOwn(response, admission)
    return
  }
  const session = sessionOf(place, rawHeaders)
  const { conversations } = upstream
  const lastEventId = method === 'GET' ? headerOf(rawHeaders, 'last-event-id') : undefined
  const conversation = conversations.enter({ session, lastEventId })
  try {
    const { principals, ours } = admission
    const origin = describeOrigin(request, { principals, session })
    const body = await readRequestBody(request)
    if (body === undefined) return
    const shared = {
      upstream,
      request,
      response,
      path: place.path,
      isEndpoint: place.isEndpoint,
      conversation,
      origin,
      ours,
      gone,
    }
    const exchange = toExchange(shared, body, place)
    try {
      await passOn(exchange, body, onFault)
    } finally {
      // Nothing is open here but after a defect: of what came of these calls nobody knows.
      if (exchange.line !== undefined && !conversation.waiting.has(exchange.line))
        await conversation.capture.endUnanswered(exchange.line, { outcome: 'unknown' })
      await body.held.close()
    }
  } finally {
    conversations.leave(conversation)
  }
}

/** Undefined where the request names none, or several: servers differ in which of them they take. */
function sessionOf({ upstream }: Place, raw: RawHeaders): KeyedDigest | undefined {
  const [session, ...others] = new Set(valuesOf(raw, 'mcp-session-id'))
  return session === undefined || others.length > 0 ? undefined : upstream.context.digest(session)
}

function describeOrigin(
  { rawHeaders, socket }: IncomingMessage,
  { principals, session }: Pick<RequestOrigin, 'principals'> & { session: KeyedDigest | undefined },
): RequestOrigin {
  const trace = parseTraceparent(headerOf(rawHeaders, 'traceparent'))
  const parentCallId = parseParentCall(headerOf(rawHeaders, parentCallHeader))
  return {
    principals,
    network: connectionOf(socket, 'client'),
    session: session === undefined ? noSession : { digest: session },
    ...(trace === undefined ? {} : { trace }),
    ...(parentCallId === undefined ? {} : { parentCallId }),
  }
}

function toExchange(
  shared: Omit<HttpExchange, 'line' | 'isModern'>,
  body: RequestBody,
  { isEndpoint }: Place,
): HttpExchange {
  const { request, origin } = shared
  const { scanned, text, held, isEncoded, isUndecodable } = body
  const { isModern, violations } = judgeHeaders(request.rawHeaders, { scanned, bytes: text }, shared.upstream.knowledge)
  const isPost = request.method === 'POST'
  const isMcp = isEndpoint ? isPost || scanned.bytes > 0 : isMessage(scanned)
  if (!isMcp) return { ...shared, line: undefined, isModern }
  const line: CapturedLine = {
    direction: 'client-to-server',
    scanned,
    arrived: readClock(),
    ending: 'terminated',
    bytes: text,
    origin,
    violations: [
      ...violations,
      ...(isUndecodable ? (['undecodable'] as const) : []),
      ...(scanned.shape === 'blank' ? (['not_json'] as const) : []),
    ],
    ...(isEncoded ? {} : { hashSpan: (span) => hashHeld(held, span) }),
  }
  return { ...shared, line, isModern }
}

async function hashHeld(held: HeldBytes, { start, end }: { start: number; end: number }): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for await (const piece of held.pieces(start, end)) hash.update(piece)
  return hash.digest()
}

async function passOn(exchange: HttpExchange, body: RequestBody, onFault: (fault: unknown) => void): Promise<void> {
  const { line, conversation, response, isModern, gone } = exchange
  const verdict = line === undefined ? passes : await judgeRequest(exchange, line, body)
  if (!verdict.pass && verdict.instead === undefined) {
    const isAnswered = line !== undefined && answerable(line)
    sendOwn(response, {
      status: isAnswered ? 200 : (verdict.status ?? 503),
      body: verdict.reply ?? plainError('AFD_AUDIT_UNAVAILABLE', 'not recorded'),
    })
    return
  }
  // In the modern era a closed stream cancels: what was not sent yet need not be.
  if (isModern && gone.isGone && line !== undefined) {
    await conversation.capture.endUnanswered(line, { outcome: 'cancelled' })
    return
  }
  const answer = await send(exchange, body.held, verdict)
  if (answer.kind === 'answer') await relayAnswer(exchange, answer.incoming, onFault)
  else await answerFailed(exchange, answer)
}

async function judgeRequest(
  { conversation }: HttpExchange,
  line: CapturedLine,
  { failure }: RequestBody,
): Promise<Verdict> {
  if (failure !== undefined) return refuse(line, addresseesOf(line), toFailure(failure))
  return conversation.capture.take(line) ?? passes
}

const answerable = (line: CapturedLine) => addresseesOf(line).some(({ form }) => form === 'request')

/** Sends the body, or what stands in the place of a client's response that could not be recorded. */
function send(exchange: HttpExchange, body: HeldBytes, verdict: Verdict): Promise<Forwarded> {
  const { upstream, request, path, ours, gone } = exchange
  const instead = verdict.pass ? undefined : verdict.instead
  const shared = {
    method: request.method ?? 'GET',
    path,
    rawHeaders: request.rawHeaders,
    rawTrailers: request.rawTrailers,
    authorization: ours?.authorization,
    onInformation: (status: number, message: string, raw: RawHeaders) =>
      writeInformation(exchange, { status, message, raw }),
    gone,
  }
  if (instead === undefined) return forward(upstream, { ...shared, body })
  const replaced = new HeldBytes(instead.length)
  replaced.append(instead)
  const changes: Changes = new Map([
    ['content-length', String(instead.length)],
    ['content-encoding', undefined],
  ])
  return forward(upstream, { ...shared, body: replaced, changes })
}

/** Interim responses (RFC 9110 §15.2), which Node has no general way to write. */
function writeInformation(
  { response }: HttpExchange,
  { status, message, raw }: { status: number; message: string; raw: RawHeaders },
): void {
  if (response.headersSent || response.socket === null) return
  const fields = pairsOf(raw).map(([name, value]) => `${name}: ${value}\r\n`)
  response.socket.write(`HTTP/1.1 ${status} ${message}\r\n${fields.join('')}\r\n`, 'latin1')
}

async function relayAnswer(
  exchange: HttpExchange,
  incoming: IncomingMessage,
  onFault: (fault: unknown) => void,
): Promise<void> {
  const { upstream, conversation, request } = exchange
  const status = incoming.statusCode ?? 502
  if (status === 401) exchange.ours?.forget()
  const isRefused = status === 401 || status === 403
  if (isRefused && exchange.isEndpoint && exchange.line === undefined) await recordRefused(exchange, status)
  const answered = { ...exchange, openedSession: status < 300 ? openedSession(exchange, incoming) : undefined }
  if (request.method === 'DELETE' && status < 300) upstream.conversations.closeSession(conversation)
  if (mediaTypeOf(incoming.rawHeaders) === 'text/event-stream') await relayEvents(answered, incoming, onFault)
  else await relayBody(answered, incoming)
}

/** A session that this answer names and the request did not. */
function openedSession({ upstream, conversation }: HttpExchange, { rawHeaders }: IncomingMessage): string | undefined {
  const named = headerOf(rawHeaders, 'mcp-session-id')
  if (named === undefined || conversation.session !== undefined) return undefined
  const session = upstream.context.digest(named)
  upstream.conversations.adopt(conversation, session)
  return session
}

/** There is no answer to pass on: the calls end, and the client is told what is known. */
async function answerFailed(exchange: HttpExchange, failed: Extract<Forwarded, { kind: 'failed' }>): Promise<void> {
  const { line, conversation, response, upstream } = exchange
  const { cause } = failed
  const outcome = exchange.gone.isGone ? outcomeOfGone(exchange) : cause === 'timeout' ? 'timeout' : 'transport_error'
  const verdict = line === undefined ? passes : await conversation.capture.endUnanswered(line, endOf(line, outcome))
  if (exchange.gone.isGone) return
  upstream.context.diagnose(
    'AFD_UPSTREAM_FAILED',
    `upstream ${upstream.options.name} gave no answer (${cause}, ${failed.code})`,
  )
  const executed =
    cause === 'unreachable' || cause === 'unsent' || failed.code === 'connect_timeout' ? false : 'unknown'
  const error = line === undefined ? undefined : answerRequests(line, upstreamFailed(cause, executed))
  const plain = plainError('AFD_UPSTREAM_FAILED', `The MCP server behind this gateway gave no answer (${cause}).`)
  const own = verdict.pass ? error : verdict.instead
  sendOwn(response, { status: cause === 'timeout' ? 504 : 502, body: own ?? plain })
}
