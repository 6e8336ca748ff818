import { drain } from '../drain.ts'
import { writeAll } from '../sink.ts'
import type { EventStream } from './answer-events.ts'
import type { BodyDecoder } from './decode.ts'
import { EventCopy, eventMemoryBytesMax, type JudgedEvent } from './event-copy.ts'
import { answerLine, placeOf } from './exchange.ts'
import { EventFramer } from './sse.ts'

/**
 * Of an encoded stream only a copy can be read: bytes wait while an event in them is incomplete, and go on when all that are
 * complete may; where one may not, the connection is cut. Events that are too long to hold flow, all but their last bytes.
 */
export async function relayEncoded(stream: EventStream, decoder: BodyDecoder): Promise<void> {
  const { exchange, incoming, lane, sink } = stream
  const state: { isReadable: boolean; openEvent?: EventCopy | undefined } = { isReadable: true }
  let judged: JudgedEvent[] = []
  let held: Uint8Array[] = []
  let heldBytes = 0
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
    const chunks = held
    judged = []
    held = []
    lane.push(heldBytes, async () => {
      const verdicts = await Promise.all(events.map(({ verdict }) => verdict))
      if (verdicts.some(({ pass }) => !pass)) {
        exchange.response.destroy()
        return
      }
      await writeAll(sink, ...chunks)
      for (const { released } of events) released()
    })
    heldBytes = 0
  }
  await drain(incoming, async (chunk) => {
    if (state.isReadable) state.isReadable = await readEncoded(decoder, framer, chunk)
    held.push(chunk)
    heldBytes += chunk.length
    if (state.openEvent?.hasData === true && heldBytes <= eventMemoryBytesMax && state.isReadable) return
    release()
    await lane.room()
  })
  if (incoming.complete) await framer.end()
  release()
}

/** False where the copy cannot be read any more. */
async function readEncoded(decoder: BodyDecoder, framer: EventFramer, chunk: Uint8Array): Promise<boolean> {
  try {
    for (const part of await decoder.push(chunk)) await framer.take(part)
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'DecodeError') return false
    throw error
  }
}
