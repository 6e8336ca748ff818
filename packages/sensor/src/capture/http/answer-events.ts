import type { IncomingMessage } from 'node:http'
import { drain } from '../drain.ts'
import { Flow, flowBytes } from '../flow.ts'
import { Lane } from '../lane.ts'
import type { Verdict } from '../line.ts'
import { openSink, type Sink, writeAll } from '../sink.ts'
import { openDecoder } from './decode.ts'
import { relayEncoded } from './encoded-events.ts'
import { EventCopy, eventMemoryBytesMax } from './event-copy.ts'
import { endAnswer, endOf, type HttpExchange, outcomeOfGone, writeHead } from './exchange.ts'
import { replyToServer } from './reply.ts'
import { type EventBody, EventFramer } from './sse.ts'

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
}

/** Events go on in order, each when its records are durable; what has no record passes at once. */
export async function relayEvents(
  exchange: HttpExchange,
  incoming: IncomingMessage,
  onFault: (fault: unknown) => void,
): Promise<void> {
  writeHead(exchange, incoming)
  exchange.response.flushHeaders()
  const lane = new Lane(laneLimits, onFault)
  const sink = openSink(exchange.response, () => incoming.destroy())
  const stream: EventStream = { exchange, incoming, lane, sink, isResumable: false }
  const decoder = openDecoder(incoming.rawHeaders)
  if (decoder === undefined) {
    const framer = new EventFramer(() => openEvent(stream))
    await drain(incoming, (chunk) => framer.take(chunk).then(() => lane.room()))
    if (incoming.complete) await framer.end()
  } else await relayEncoded(stream, decoder)
  await lane.idle()
  await endStream(stream)
}

/** The stream is over on one side or the other. */
async function endStream({ exchange, incoming, isResumable }: EventStream): Promise<void> {
  const { line, conversation, isModern, upstream } = exchange
  const { capture } = conversation
  if (line !== undefined && capture.isOpen(line)) {
    if (!isModern && isResumable) upstream.conversations.await(conversation, line)
    else await capture.endUnanswered(line, endOf(line, outcomeOfGone(exchange), { incoming }))
  }
  endAnswer(exchange, incoming)
}

/** One event: held whole until it is judged, or, above eventMemoryBytesMax, on its way without its end. */
function openEvent(stream: EventStream): EventBody {
  const copy = new EventCopy()
  let parts: Uint8Array[] = []
  let length = 0
  let flow: Flow | undefined
  let isPartlyOut = false
  /** Line ends at the end of what came so far: the last of them may end the event. */
  let ends: Uint8Array = new Uint8Array(0)

  const pour = (into: Flow, bytes: Uint8Array): Promise<void> | undefined => {
    const all = ends.length === 0 ? bytes : Buffer.concat([ends, bytes])
    const cut = endOfText(all)
    ends = all.subarray(cut)
    return into.append(all.subarray(0, cut))
  }
  const keep = (bytes: Uint8Array): Promise<void> | undefined => {
    if (flow !== undefined) return pour(flow, bytes)
    parts.push(bytes)
    length += bytes.length
    if (length <= eventMemoryBytesMax) return undefined
    const flowing = new Flow()
    flow = flowing
    stream.lane.push(flowBytes, () => releaseFlow(stream, flowing))
    const before = Buffer.concat(parts)
    parts = []
    return pour(flow, before)
  }

  return {
    data: (bytes) => copy.data(bytes),
    id: (value) => {
      copy.id = value
      stream.isResumable ||= value !== ''
    },
    raw(bytes) {
      if (copy.hasData || flow !== undefined) return keep(bytes)
      // Without data it is no message, whatever comes: comments keep connections alive and must not wait.
      isPartlyOut = true
      stream.lane.push(bytes.length, () => writeAll(stream.sink, bytes))
      return undefined
    },
    finish(bytes) {
      const wait = keep(bytes)
      const { verdict, released } = copy.judge(stream.exchange, stream.incoming)
      if (flow === undefined) {
        const whole = { parts, verdict, released, id: isPartlyOut ? 'out' : copy.id }
        stream.lane.push(length, () => releaseEvent(stream, whole))
        return wait
      }
      const held = flow.hold(ends)
      flow.finish(verdict)
      void verdict.then(({ pass }) => pass && released())
      return held === undefined ? wait : Promise.all([wait, held]).then(() => undefined)
    },
  }
}

interface WholeEvent {
  parts: Uint8Array[]
  verdict: Promise<Verdict>
  released: () => void
  /** `out`: the beginning of the event has gone on. */
  id: 'out' | string | undefined
}

async function releaseEvent(stream: EventStream, { parts, verdict, released, id }: WholeEvent): Promise<void> {
  const decided = await verdict
  if (decided.pass) {
    await writeAll(stream.sink, ...parts)
    released()
    return
  }
  if (decided.reply !== undefined) replyToServer(stream.exchange, decided.reply)
  if (decided.instead === undefined) return
  if (id === 'out') {
    stream.exchange.response.destroy()
    return
  }
  const place = id === undefined ? '' : `id: ${id}\n`
  const error = Buffer.from(decided.instead).toString('utf8').trimEnd()
  await writeAll(stream.sink, Buffer.from(`${place}event: message\ndata: ${error}\n\n`))
}

/** Most of it is out: the connection is cut before its last byte, and the client has no event. */
async function releaseFlow(stream: EventStream, flow: Flow): Promise<void> {
  const verdict = await flow.release(stream.sink)
  if (!verdict.pass) stream.exchange.response.destroy()
}

function endOfText(bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === lf || bytes[end - 1] === cr)) end--
  return end
}
