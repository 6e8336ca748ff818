import type { KeyedDigest } from '@affidavit/evidence/record/header'
import { readClock } from '../clock.ts'
import type { CaptureContext } from '../context.ts'
import type { Conversations } from '../http/conversation.ts'
import { judgeAnswer } from '../http/judge-answer.ts'
import { judgeHeaders } from '../http/mcp-headers.ts'
import type { ServerKnowledge } from '../knowledge.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { isMessage, type ScannedLine } from '../message.ts'
import type { RequestOrigin } from '../origin.ts'
import { scanBytes } from '../scan.ts'
import { toResponse } from '../sdk/message.ts'
import { sendNoting } from './connection.ts'
import { gateEvents } from './events.ts'
import { answerLine, endOf, type FetchExchange, leaveOpen } from './exchange.ts'
import { type FetchRequest, mediaTypeOf, toRawHeaders } from './request.ts'

/** What captures the exchanges with one server. */
export interface FetchPlace {
  context: CaptureContext
  conversations: Conversations
  knowledge: ServerKnowledge
  originOf: (headers: Headers, session: KeyedDigest | undefined) => RequestOrigin
}

const passes: Verdict = { pass: true }
const eventStream = 'text/event-stream'

/** Whether a request is one of MCP's: it holds a message, opens a stream of them, or ends a session. */
export function speaksMcp({ method, headers }: FetchRequest, scanned: ScannedLine | undefined): boolean {
  if (method === 'POST') return scanned !== undefined && isMessage(scanned)
  if (method === 'GET') return headers.get('accept')?.includes(eventStream) === true
  return method === 'DELETE' && headers.has('mcp-session-id')
}

/** One exchange: sent when its requests are recorded, answered when what came of them is. Rejects as fetch does. */
export async function relayFetch(
  place: FetchPlace,
  request: FetchRequest,
  scanned: ScannedLine | undefined,
): Promise<Response> {
  const exchange = enter(place, request, scanned)
  const { line, conversation } = exchange
  const verdict = (line && (await conversation.capture.take(line))) ?? passes
  if (!verdict.pass && verdict.instead === undefined) {
    exchange.leave()
    return toResponse(verdict.reply)
  }
  const response = await send(exchange, verdict.pass ? undefined : verdict.instead)
  return answer(place, exchange, response)
}

function enter(
  { context, conversations, knowledge, originOf }: FetchPlace,
  request: FetchRequest,
  scanned: ScannedLine | undefined,
): FetchExchange {
  const { headers } = request
  const named = headers.get('mcp-session-id')
  const session = named === null ? undefined : context.digest(named)
  const conversation = conversations.enter({ session, lastEventId: headers.get('last-event-id') ?? undefined })
  const origin = originOf(headers, session)
  const { line, isModern } =
    scanned === undefined ? { line: undefined, isModern: false } : describe(request, scanned, { origin, knowledge })
  const leave = () => conversations.leave(conversation)
  return { request, origin, line, isModern, conversation, conversations, openedSession: undefined, leave: once(leave) }
}

function describe(
  { headers, body }: FetchRequest,
  scanned: ScannedLine,
  { origin, knowledge }: { origin: RequestOrigin; knowledge: ServerKnowledge },
) {
  const { isModern, violations } = judgeHeaders(toRawHeaders(headers), { scanned, bytes: body }, knowledge)
  const line: CapturedLine = {
    ...{ direction: 'client-to-server', scanned, arrived: readClock(), ending: 'terminated' },
    ...{ bytes: body, origin, violations },
  }
  return { line, isModern }
}

async function send(exchange: FetchExchange, instead: Uint8Array | undefined): Promise<Response> {
  try {
    return await sendNoting(() => exchange.request.send(instead))
  } catch (error) {
    await leaveOpen(exchange, undefined, exchange.request.signal?.aborted === true ? 'given up' : 'over')
    throw error
  }
}

async function answer(place: FetchPlace, exchange: FetchExchange, response: Response): Promise<Response> {
  const { request, conversation, conversations, line } = exchange
  if (request.method === 'DELETE' && response.ok) conversations.closeSession(conversation)
  const answered = { ...exchange, openedSession: response.ok ? openedSession(place, exchange, response) : undefined }
  const isStream = mediaTypeOf(response.headers) === eventStream
  if (isStream && response.body !== null)
    return sameAs(response, new Response(gateEvents(answered, response, response.body), response))
  if (line === undefined) {
    exchange.leave()
    return response
  }
  return answerWhole(answered, response)
}

/** The very response of the server, once what it says is recorded. */
async function answerWhole(exchange: FetchExchange, response: Response): Promise<Response> {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await response.clone().arrayBuffer())
  } catch (error) {
    // The agent meets the same error when it reads the body.
    const isGivenUp = exchange.request.signal?.aborted === true && error instanceof Error
    const verdict = await leaveOpen(exchange, response, isGivenUp ? 'given up' : 'over')
    return verdict.pass ? response : toResponse(verdict.instead)
  }
  const read = answerLine(exchange, response, { scanned: scanBytes(bytes), bytes })
  const verdict = await judgeAnswer(exchange, read, (line, outcome) =>
    endOf(line, outcome, { response, bytes: bytes.length }),
  )
  exchange.leave()
  return verdict.pass ? response : toResponse(verdict.instead)
}

/** A session that this answer names and the request did not. */
function openedSession({ context }: FetchPlace, { conversation, conversations }: FetchExchange, { headers }: Response) {
  const named = headers.get('mcp-session-id')
  if (named === null || conversation.session !== undefined) return undefined
  const session = context.digest(named)
  conversations.adopt(conversation, session)
  return session
}

/** What a Response that is made anew does not say by itself. */
function sameAs({ url, redirected, type }: Response, made: Response): Response {
  for (const [name, value] of Object.entries({ url, redirected, type })) Object.defineProperty(made, name, { value })
  return made
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}
