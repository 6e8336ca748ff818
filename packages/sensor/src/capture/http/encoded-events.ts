import { drain } from '../drain.ts'
import { Pieces } from '../pieces.ts'
import { LineScan } from '../scan.ts'
import { writeAll } from '../sink.ts'
import type { EventStream } from './answer-events.ts'
import type { BodyDecoder } from './decode.ts'
import { EventCopy, eventMemoryBytesMax, type JudgedEvent } from './event-copy.ts'
import { answerLine, cut, placeOf } from './exchange.ts'
import { EventFramer } from './sse.ts'

/**
 * Of an encoded stream only a copy can be read: bytes wait while an event in them is incomplete, and go on when all that are
 * complete may; where one may not, the connection is cut. Events that are too long to hold flow, all but their last bytes.
 */
export async function relayEncoded(stream: EventStream, decoder: BodyDecoder): Promise<void> {
  const { exchange, incoming, lane, sink } = stream
  const state: { openEvent?: EventCopy | undefined } = {}
  let judged: JudgedEvent[] = []
  const held = new Pieces()
  const framer = new EventFramer(() => {
    const copy = new EventCopy()
    state.openEvent = copy
    return {
      data: (bytes) => copy.data(bytes),
      id: (value) => {
        copy.id = value
        stream.isResumable ||= value !== ''
      },
      raw: () => undefined,
      finish: () => {
        state.openEvent = undefined
        judged.push(copy.judge(placeOf(exchange), (from) => answerLine(exchange, incoming, from)))
        return undefined
      },
    }
  })
  const release = () => {
    const events = judged
    const bytes = held.length
    const chunks = held.take()
    judged = []
    lane.push(bytes, async () => {
      const verdicts = await Promise.all(events.map(({ verdict }) => verdict))
      if (verdicts.some(({ pass }) => !pass)) {
        cut(exchange.response)
        return
      }
      await writeAll(sink, ...chunks)
      for (const { released } of events) released()
    })
  }
  const read = async (decoded: Promise<Uint8Array[]>, bytes: number): Promise<void> => {
    if (await isRead(decoded, framer)) return
    stream.isUndecodable = true
    judged.push(judgeUndecodable(stream, bytes))
  }
  await drain(incoming, async (chunk) => {
    if (!stream.isUndecodable) await read(decoder.push(chunk), chunk.length)
    held.push(chunk)
    if (state.openEvent?.hasData === true && held.length <= eventMemoryBytesMax && !stream.isUndecodable) return
    release()
    await lane.room()
  })
  if (incoming.complete && !stream.isUndecodable) await read(decoder.end(), 0)
  if (incoming.complete) await framer.end()
  release()
}

/** False where the copy cannot be read any more. */
async function isRead(decoded: Promise<Uint8Array[]>, framer: EventFramer): Promise<boolean> {
  try {
    for (const part of await decoded) await framer.take(part)
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'DecodeError') return false
    throw error
  }
}

/** Once per stream: from here on nobody here can say what passes. */
function judgeUndecodable({ exchange, incoming }: EventStream, bytes: number): JudgedEvent {
  const line = answerLine(exchange, incoming, { scanned: { ...new LineScan().end(), bytes }, bytes: undefined })
  const verdict = exchange.conversation.capture.take({ ...line, violations: ['undecodable'] })
  return { verdict: verdict ?? Promise.resolve({ pass: true }), released: () => undefined }
}
