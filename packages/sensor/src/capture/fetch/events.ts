import { EventCopy, type JudgedEvent } from '../http/event-copy.ts'
import { type EventBody, EventFramer, encodeEvent } from '../http/sse.ts'
import type { Verdict } from '../line.ts'
import { answerLine, type FetchExchange, leaveOpen } from './exchange.ts'

/** An event on its way to the agent, and what it waits for. */
interface HeldEvent extends JudgedEvent {
  bytes: Uint8Array
  /** As sent, where it has one. */
  id: string | undefined
}

interface EventStream {
  exchange: FetchExchange
  response: Response
  events: HeldEvent[]
  /** Whether an event had an id: then the agent may resume, and a result may come on another stream. */
  isResumable: boolean
}

/**
 * The same stream, each event held until its records are durable. Events are held whole, whatever their size: an agent
 * makes nothing of one before it is complete either.
 */
export function gateEvents(
  exchange: FetchExchange,
  response: Response,
  body: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  const stream: EventStream = { exchange, response, events: [], isResumable: false }
  const framer = new EventFramer(() => openEvent(stream))
  const reader = body.getReader()
  const end = (way: 'over' | 'given up') => {
    const mayResume = stream.isResumable && !exchange.isModern
    return leaveOpen(exchange, response, mayResume ? 'may resume' : way)
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (let isOut = false; !isOut; ) {
          const { done, value } = await reader.read()
          await (done ? framer.end() : framer.take(value))
          for (const bytes of await releasable(stream)) {
            controller.enqueue(bytes)
            isOut = true
          }
          if (!done) continue
          await end('over')
          controller.close()
          return
        }
      } catch (error) {
        // The stream was cut, or the agent gave it up by its signal.
        await end(exchange.request.signal?.aborted === true ? 'given up' : 'over')
        controller.error(error)
      }
    },
    async cancel(reason) {
      await end('given up')
      await reader.cancel(reason)
    },
  })
}

function openEvent(stream: EventStream): EventBody {
  const copy = new EventCopy()
  const parts: Uint8Array[] = []
  return {
    data: (bytes) => copy.data(bytes),
    id: (value) => {
      copy.id = value
      stream.isResumable ||= value !== ''
    },
    raw(bytes) {
      parts.push(bytes)
      return undefined
    },
    finish(bytes) {
      const judged = copy.judge(stream.exchange, (from) => answerLine(stream.exchange, stream.response, from))
      stream.events.push({ ...judged, bytes: Buffer.concat([...parts, bytes]), id: copy.id })
      return undefined
    },
  }
}

/** What may go on of the events that are complete, in order. */
async function releasable({ exchange, events }: EventStream): Promise<Uint8Array[]> {
  const bytes: Uint8Array[] = []
  for (const event of events.splice(0)) {
    const verdict = await event.verdict
    if (verdict.pass) {
      event.released()
      bytes.push(event.bytes)
    } else bytes.push(...replace(exchange, event, verdict))
  }
  return bytes
}

function replace(
  { request }: FetchExchange,
  { id }: HeldEvent,
  verdict: Extract<Verdict, { pass: false }>,
): Uint8Array[] {
  if (verdict.reply !== undefined) request.reply(verdict.reply)
  return verdict.instead === undefined ? [] : [encodeEvent(id, verdict.instead)]
}
