import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Outcome } from '@affidavit/evidence/record/kinds'
import { readClock } from '../clock.ts'
import type { End } from '../completed.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import type { ScannedLine } from '../message.ts'
import type { RequestOrigin, ResponseOrigin } from '../origin.ts'
import type { Conversation } from './conversation.ts'
import type { Departure } from './departure.ts'
import type { OurCredential } from './doorkeeper.ts'
import type { AnswerPlace } from './judge-answer.ts'
import { notedConnection } from './network.ts'
import { pairsOf, toForward } from './raw-headers.ts'
import type { Upstream } from './upstream.ts'

/** One HTTP exchange on its way through the gateway. */
export interface HttpExchange {
  upstream: Upstream
  request: IncomingMessage
  response: ServerResponse
  /** Path and query at the upstream. */
  path: string
  /** Whether that is the server's MCP endpoint. */
  isEndpoint: boolean
  conversation: Conversation
  origin: RequestOrigin
  /** What the upstream sees in the place of the client's credential. */
  ours: OurCredential | undefined
  /** The request's body as it was captured; undefined where it holds nothing of MCP. */
  line: CapturedLine | undefined
  isModern: boolean
  /** Of the client, before it was answered. */
  gone: Departure
  /** The session that the answer opened; it belongs to the record of whatever it answers, as a body or as an event. */
  openedSession?: KeyedDigest | undefined
}

/** Where its answers belong. */
export function placeOf({ line, conversation, upstream, isModern }: HttpExchange): AnswerPlace {
  return { line, conversation, conversations: upstream.conversations, isModern }
}

export const passes: Verdict = { pass: true }

/** Status line and header fields as the upstream sent them. Its framing too, but for HTTP/1.0 clients. */
export function writeHead({ request, response, ours }: HttpExchange, incoming: IncomingMessage): void {
  const { statusCode: status = 502, statusMessage } = incoming
  const changes = new Map<string, undefined>()
  if (request.httpVersion === '1.0') changes.set('transfer-encoding', undefined)
  const isChallenge = status === 401 || status === 403
  // Of a credential that the client never had: it would look for another one at an authorization server that is not its own.
  if (ours !== undefined && isChallenge) changes.set('www-authenticate', undefined)
  // Node would add the date of now.
  response.sendDate = false
  const line =
    ours !== undefined && status === 401
      ? ([502, 'Bad Gateway'] as const)
      : ([status, reasonOf(statusMessage)] as const)
  response.writeHead(...line, toForward(incoming.rawHeaders, changes))
}

/** Node reads control characters in a reason phrase and refuses to write them; nobody means anything by them. */
function reasonOf(phrase = ''): string {
  return phrase.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ')
}

/** Breaks an answer off. Its head goes before, if it has not gone yet: that much the server said. */
export function cut(response: ServerResponse): void {
  response.flushHeaders()
  response.destroy()
}

/** Ends the answer with the trailers that came, or cuts it where it was cut. */
export function endAnswer({ response }: HttpExchange, incoming: IncomingMessage): void {
  if (!incoming.complete) {
    // What was let go arrives, as it would have from the server; then the connection ends, and the message does not.
    response.flushHeaders()
    if (response.socket === null) response.destroy()
    else response.socket.destroySoon()
    return
  }
  if (incoming.rawTrailers.length > 0) response.addTrailers(pairsOf(incoming.rawTrailers))
  response.end()
}

/** What a server said, as capture takes it: a body, or the data of an event. */
export function answerLine(
  exchange: HttpExchange,
  incoming: IncomingMessage,
  from: { scanned: ScannedLine; bytes: Uint8Array | undefined },
): CapturedLine {
  const { line, origin, openedSession: session } = exchange
  const { scanned, bytes } = from
  return {
    direction: 'server-to-client',
    scanned,
    arrived: readClock(),
    ending: 'terminated',
    bytes,
    origin,
    answer: {
      ...wayOf(incoming),
      ...(session === undefined ? {} : { session }),
      ...(line === undefined ? {} : { to: line }),
    },
  }
}

/** How the calls of a request end where something else came in the place of their responses: an answer, or nothing. */
export function endOf(
  line: CapturedLine,
  outcome: Outcome,
  { incoming, bytes }: { incoming?: IncomingMessage; bytes?: number } = {},
): End {
  return {
    outcome,
    ...(incoming === undefined ? {} : wayOf(incoming)),
    ...(bytes === undefined
      ? {}
      : { responseBytes: bytes, latencyUs: Math.max(0, readClock().monotonicUs - line.arrived.monotonicUs) }),
  }
}

function wayOf(incoming: IncomingMessage): Pick<ResponseOrigin, 'httpStatus' | 'network'> {
  const network = notedConnection(incoming)
  const { statusCode = 502 } = incoming
  // RFC 9110 §15 ends at 599; some servers do not, and their answers pass all the same.
  return { ...(statusCode > 599 ? {} : { httpStatus: statusCode }), ...(network === undefined ? {} : { network }) }
}

/** Calls whose client is gone: cancelled in the modern era, where closing the stream says so; else merely unanswered. */
export function outcomeOfGone({ isModern, gone }: HttpExchange): Outcome {
  return isModern && gone.isGone ? 'cancelled' : 'transport_error'
}
