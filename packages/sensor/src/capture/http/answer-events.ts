import type { IncomingMessage, ServerResponse } from 'node:http'
import { drain } from '../drain.ts'
import { Flow, flowBytes } from '../flow.ts'
import { Lane } from '../lane.ts'
import type { Verdict } from '../line.ts'
import { Pieces } from '../pieces.ts'
import { openSink, type Sink, writeAll } from '../sink.ts'
import { openDecoder } from './decode.ts'
import { relayEncoded } from './encoded-events.ts'
import { EventCopy, eventMemoryBytesMax } from './event-copy.ts'
import {
  answerLine,
  cut,
  endAnswer,
  endOf,
  type HttpExchange,
  outcomeOfGone,
  passes,
  placeOf,
  writeHead,
} from './exchange.ts'
import { replyToServer } from './reply.ts'
import { type EventBody, EventFramer, encodeEvent } from './sse.ts'

const laneLimits = { bytesMax: 4 * 1024 * 1024, itemsMax: 4096 }
const lf = 0x0a
const cr = 0x0d

/** One event stream on its way to the client. */
export interface EventStream {
  exchange: HttpExchange
  incoming: IncomingMessage
  lane: Lane
  sink: Sink
  /** Whether an event had an id: then a client may resume, and a result may come on another stream. */
  isResumable: boolean
  /** The event at hand, as far as it waits. */
  held: HeldEvent | undefined
  /** Its encoding could not be undone from some byte on: it may have held any result. */
  isUndecodable: boolean
  /** What came of the calls, once the stream is over. */
  ending: Promise<Verdict> | undefined
}

/** What waits of an event for the verdict. */
interface HeldEvent {
  parts: Pieces
  /** The way of an event above eventMemoryBytesMax, and the moment at which everything before it has gone on. */
  flow: Flow | undefined
  flowsAfter: Promise<void>
  /** Line ends at the end of what came so far: the last of them may end the event. */
  ends: Uint8Array
}

/** Most streams that answer a request bring their event at once: then head, event and end leave in one piece. */
const headWaitsMs = 5

function sendHeadSoon(response: ServerResponse): void {
  const timer = setTimeout(() => response.flushHeaders(), headWaitsMs)
  response.once('close', () => clearTimeout(timer))
}

/** Events go on in order, each when its records are durable; what has no record passes at once. */
export async function relayEvents(
  exchange: HttpExchange,
  incoming: IncomingMessage,
  onFault: (fault: unknown) => void,
): Promise<void> {
  writeHead(exchange, incoming)
  sendHeadSoon(exchange.response)
  const lane = new Lane(laneLimits, onFault)
  const sink = openSink(exchange.response, () => incoming.destroy())
  const stream: EventStream = {
    ...{ exchange, incoming, lane, sink },
    isResumable: false,
    held: undefined,
    isUndecodable: false,
    ending: undefined,
  }
  const decoder = openDecoder(incoming.rawHeaders)
  if (decoder === undefined) {
    const framer = new EventFramer(() => openEvent(stream))
    await drain(incoming, (chunk) => framer.take(chunk).then(() => lane.room()))
    if (incoming.complete) await framer.end()
    else await breakOff(stream)
  } else await relayEncoded(stream, decoder)
  await lane.idle()
  await endStream(stream)
}

/**
 * The stream was cut within an event, which so never becomes a message: what waits of it goes on when what came of the
 * calls is durable.
 */
async function breakOff(stream: EventStream): Promise<void> {
  const { held, lane, sink } = stream
  if (held === undefined) return
  if (held.flow === undefined) {
    const ended = lane.idle().then(() => endCalls(stream))
    lane.push(held.parts.length, async () => {
      if ((await ended).pass) await writeAll(sink, ...held.parts.take())
    })
    return
  }
  await held.flow.hold(held.ends)
  held.flow.finish(held.flowsAfter.then(() => endCalls(stream)))
}

/** The stream is over on one side or the other. */
async function endStream(stream: EventStream): Promise<void> {
  await endCalls(stream)
  endAnswer(stream.exchange, stream.incoming)
}

/** Once: the calls that no event answered end, or wait for another stream. */
function endCalls(stream: EventStream): Promise<Verdict> {
  stream.ending ??= endUnanswered(stream)
  return stream.ending
}

async function endUnanswered({ exchange, incoming, isResumable, isUndecodable }: EventStream): Promise<Verdict> {
  const { line, conversation, isModern, upstream } = exchange
  const { capture } = conversation
  if (line === undefined || !capture.isOpen(line)) return passes
  const outcome = isUndecodable && incoming.complete ? 'unknown' : outcomeOfGone(exchange)
  if (isModern || !isResumable) return capture.endUnanswered(line, endOf(line, outcome, { incoming }))
  upstream.conversations.await(conversation, line)
  return passes
}

/** One event: held whole until it is judged, or, above eventMemoryBytesMax, on its way without its end. */
function openEvent(stream: EventStream): EventBody {
  const copy = new EventCopy()
  const nothing = new Uint8Array(0)
  const held: HeldEvent = { parts: new Pieces(), flow: undefined, flowsAfter: Promise.resolve(), ends: nothing }
  let isPartlyOut = false
  stream.held = held
  return {
    data: (bytes) => copy.data(bytes),
    id: (value) => {
      copy.id = value
      stream.isResumable ||= value !== ''
    },
    raw(bytes) {
      if (copy.hasData || held.flow !== undefined) return keep(stream, held, bytes)
      // Without data it is no message, whatever comes: comments keep connections alive and must not wait.
      isPartlyOut = true
      stream.lane.push(bytes.length, () => writeAll(stream.sink, bytes))
      return undefined
    },
    finish(bytes) {
      const wait = keep(stream, held, bytes)
      const { verdict, released } = copy.judge(placeOf(stream.exchange), (from) =>
        answerLine(stream.exchange, stream.incoming, from),
      )
      const { flow, parts, ends } = held
      stream.held = undefined
      if (flow === undefined) {
        const whole = { parts, verdict, released, id: isPartlyOut ? 'out' : copy.id }
        stream.lane.push(parts.length, () => releaseEvent(stream, whole))
        return wait
      }
      const waits = flow.hold(ends)
      flow.finish(verdict)
      void verdict.then(({ pass }) => pass && released())
      return waits === undefined ? wait : Promise.all([wait, waits]).then(() => undefined)
    },
  }
}

function keep(stream: EventStream, held: HeldEvent, bytes: Uint8Array): Promise<void> | undefined {
  if (held.flow !== undefined) return pour(held, held.flow, bytes)
  held.parts.push(bytes)
  if (held.parts.length <= eventMemoryBytesMax) return undefined
  const flow = new Flow()
  held.flow = flow
  held.flowsAfter = stream.lane.idle()
  stream.lane.push(flowBytes, () => releaseFlow(stream, flow))
  return pour(held, flow, Buffer.concat(held.parts.take()))
}

function pour(held: HeldEvent, flow: Flow, bytes: Uint8Array): Promise<void> | undefined {
  const all = held.ends.length === 0 ? bytes : Buffer.concat([held.ends, bytes])
  const cut = endOfText(all)
  held.ends = all.subarray(cut)
  return flow.append(all.subarray(0, cut))
}

interface WholeEvent {
  parts: Pieces
  verdict: Promise<Verdict>
  released: () => void
  /** `out`: the beginning of the event has gone on. */
  id: 'out' | string | undefined
}

async function releaseEvent(stream: EventStream, { parts, verdict, released, id }: WholeEvent): Promise<void> {
  const decided = await verdict
  if (decided.pass) {
    await writeAll(stream.sink, ...parts.take())
    released()
    return
  }
  if (decided.reply !== undefined) replyToServer(stream.exchange, decided.reply)
  if (decided.instead === undefined) return
  if (id === 'out') {
    cut(stream.exchange.response)
    return
  }
  await writeAll(stream.sink, encodeEvent(id, decided.instead))
}

/** Most of it is out: the connection is cut before its last byte, and the client has no event. */
async function releaseFlow(stream: EventStream, flow: Flow): Promise<void> {
  const verdict = await flow.release(stream.sink)
  if (!verdict.pass) cut(stream.exchange.response)
}

function endOfText(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === lf || bytes[end - 1] === cr)) end--
  return end
}
