import type { IncomingMessage } from 'node:http'
import type { Outcome } from '@affidavit/evidence/record/kinds'
import { drain } from '../drain.ts'
import { Flow } from '../flow.ts'
import type { Verdict } from '../line.ts'
import type { ScannedLine } from '../message.ts'
import { Pieces } from '../pieces.ts'
import { answerRequests } from '../refusal.ts'
import { upstreamFailed } from '../rpc-error.ts'
import { openSink } from '../sink.ts'
import {
  answerLine,
  endAnswer,
  endOf,
  type HttpExchange,
  outcomeOfGone,
  passes,
  placeOf,
  writeHead,
} from './exchange.ts'
import { judgeAnswer } from './judge-answer.ts'
import { plainError, sendOwn } from './own-answer.ts'
import { openBodyCopy } from './read-body.ts'

/** Answers up to this size are held whole; of larger ones only the end is held. */
const answerMemoryBytesMax = 1024 * 1024

interface ReadAnswer {
  scanned: ScannedLine
  text: Uint8Array | undefined
  isUndecodable: boolean
}

/** An answer that is no event stream: held until what came of the calls is durable, then let go as it came. */
export async function relayBody(exchange: HttpExchange, incoming: IncomingMessage): Promise<void> {
  const start = new Pieces()
  const copy = openBodyCopy(incoming.rawHeaders, answerMemoryBytesMax)
  let flow: Flow | undefined
  let released: Promise<Verdict> | undefined
  let flown = 0
  const pour = (into: Flow, bytes: Uint8Array): Promise<void> | undefined => {
    const topEnd = copy.topEnd()
    // Of an encoded body nobody can say in which byte its value ends: all that came with it is held.
    const seen = copy.isEncoded ? 0 : flown
    const cut =
      topEnd === undefined ? bytes.length : copy.isEncoded ? 0 : Math.min(bytes.length, Math.max(0, topEnd - seen))
    flown += bytes.length
    const room = into.append(bytes.subarray(0, cut))
    const held = into.hold(bytes.subarray(cut))
    return held === undefined || room === undefined ? (held ?? room) : Promise.all([held, room]).then(() => undefined)
  }
  const take = (bytes: Uint8Array): Promise<void> | undefined => {
    if (flow !== undefined) return pour(flow, bytes)
    start.push(bytes)
    if (start.length <= answerMemoryBytesMax) return undefined
    flow = new Flow()
    writeHead(exchange, incoming)
    released = flow.release(openSink(exchange.response, () => incoming.destroy()))
    // Taken, not read: of an answer that flows nothing is kept that has gone on.
    return pour(flow, Buffer.concat(start.take()))
  }
  const { timedOut } = await readAll(exchange, incoming, (bytes) => {
    const wait = copy.push(bytes)
    return wait === undefined ? take(bytes) : wait.then(() => take(bytes))
  })
  const { scanned, text: decoded, isUndecodable } = await copy.end()
  const text = copy.isEncoded ? decoded : flow === undefined ? start.whole() : undefined
  const read = { scanned, text, isUndecodable }
  const verdict = incoming.complete
    ? await judgeRead(exchange, incoming, read)
    : await endCut(exchange, incoming, timedOut ? 'timeout' : outcomeOfGone(exchange))
  if (flow === undefined || released === undefined) {
    if (incoming.complete) releaseWhole(exchange, incoming, { verdict, body: start.whole() })
    else answerCut(exchange, { verdict, cause: timedOut ? 'timeout' : 'reset' })
    return
  }
  flow.finish(Promise.resolve(incoming.complete ? verdict : { pass: false, instead: undefined, reply: undefined }))
  if ((await released).pass) endAnswer(exchange, incoming)
  else exchange.response.destroy()
}

/** Reads to the end. Where nothing comes for too long, the connection is given up. */
async function readAll(
  { upstream }: HttpExchange,
  incoming: IncomingMessage,
  take: (bytes: Uint8Array) => Promise<void> | undefined,
): Promise<{ timedOut: boolean }> {
  const { bodyIdleMs } = upstream.options.timeouts
  const state = { timedOut: false }
  const socket = incoming.socket
  const onTimeout = () => {
    // A client that reads slowly keeps us from reading: that is no silence of the server's.
    if (incoming.isPaused()) return
    state.timedOut = true
    incoming.destroy()
  }
  if (bodyIdleMs > 0) socket.setTimeout(bodyIdleMs, onTimeout)
  await drain(incoming, take)
  if (bodyIdleMs > 0) {
    socket.off('timeout', onTimeout)
    socket.setTimeout(0)
  }
  return state
}

function judgeRead(exchange: HttpExchange, incoming: IncomingMessage, read: ReadAnswer): Promise<Verdict> {
  const { scanned, text, isUndecodable } = read
  const answered = answerLine(exchange, incoming, { scanned, bytes: text })
  return judgeAnswer(
    placeOf(exchange),
    isUndecodable ? { ...answered, violations: ['undecodable'] } : answered,
    (line, outcome) => endOf(line, outcome, { incoming, bytes: scanned.bytes }),
  )
}

async function endCut(exchange: HttpExchange, incoming: IncomingMessage, outcome: Outcome): Promise<Verdict> {
  const { line, conversation } = exchange
  if (line === undefined) return passes
  return conversation.capture.endUnanswered(line, endOf(line, outcome, { incoming }))
}

function releaseWhole(
  exchange: HttpExchange,
  incoming: IncomingMessage,
  { verdict, body }: { verdict: Verdict; body: Uint8Array },
): void {
  const { response } = exchange
  if (!verdict.pass) {
    sendOwn(response, { status: 200, body: verdict.instead ?? plainError('AFD_RESULT_WITHHELD', 'not recorded') })
    return
  }
  writeHead(exchange, incoming)
  if (body.length > 0) response.write(body)
  endAnswer(exchange, incoming)
}

/** The server broke off, and nothing of its answer is out. */
function answerCut(
  { response, line }: HttpExchange,
  { verdict, cause }: { verdict: Verdict; cause: 'timeout' | 'reset' },
): void {
  const error = line === undefined ? undefined : answerRequests(line, upstreamFailed(cause, 'unknown'))
  const own = verdict.pass ? error : verdict.instead
  const plain = plainError('AFD_UPSTREAM_FAILED', `The MCP server broke off its answer (${cause}).`)
  sendOwn(response, { status: cause === 'timeout' ? 504 : 502, body: own ?? plain })
}
