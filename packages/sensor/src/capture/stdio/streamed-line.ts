import { readClock } from '../clock.ts'
import { Flow, flowBytes } from '../flow.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { Pieces } from '../pieces.ts'
import { LineScan } from '../scan.ts'
import { writeAll } from '../sink.ts'
import type { Ending, LineBody } from './frame.ts'
import { judge, type Outlet } from './outlet.ts'

/** Lines towards the client up to this size are held whole; of larger ones only the end is held. */
export const resultMemoryBytesMax = 1024 * 1024
const lineFeed = Buffer.from('\n')

/**
 * A line towards the client. Above resultMemoryBytesMax it flows while it arrives, all but its end: the last byte of its
 * JSON value and what follows. Without that byte the line is not a message, so it can still be withheld.
 */
export function openStreamedLine(outlet: Outlet): LineBody {
  const scan = new LineScan()
  const start = new Pieces()
  let flow: Flow | undefined
  let flown = 0

  const append = (bytes: Uint8Array): Promise<void> | undefined => {
    if (bytes.length === 0) return undefined
    if (flow !== undefined) return pour(flow, bytes)
    start.push(bytes)
    if (start.length <= resultMemoryBytesMax) return undefined
    const flowing = new Flow()
    flow = flowing
    outlet.lane.push(flowBytes, () => releaseFlow(outlet, flowing))
    // Taken, not read: of a line that flows nothing is kept that has gone on.
    return pour(flow, Buffer.concat(start.take()))
  }

  const pour = (into: Flow, bytes: Uint8Array): Promise<void> | undefined => {
    const cut = scan.topEnd === undefined ? bytes.length : Math.min(bytes.length, Math.max(0, scan.topEnd - flown))
    flown += bytes.length
    const held = into.hold(bytes.subarray(cut))
    const room = into.append(bytes.subarray(0, cut))
    return held === undefined || room === undefined ? (held ?? room) : Promise.all([held, room]).then(() => undefined)
  }

  const send = (ending: Ending) => {
    const line: CapturedLine = {
      direction: 'server-to-client',
      scanned: scan.end(),
      arrived: readClock(),
      ending,
      bytes: flow === undefined ? start.whole() : undefined,
      origin: outlet.origin,
    }
    const verdict = judge(outlet, line)
    if (flow !== undefined) flow.finish(verdict)
    else outlet.lane.push(start.length, () => releaseWhole(outlet, line, verdict))
  }

  return {
    append(bytes) {
      scan.push(bytes)
      return append(bytes)
    },
    finish(bytes, ending) {
      scan.push(ending === 'terminated' ? bytes.subarray(0, -1) : bytes)
      const wait = append(bytes)
      if (wait !== undefined) return wait.then(() => send(ending))
      send(ending)
      return undefined
    },
  }
}

async function releaseWhole(outlet: Outlet, line: CapturedLine, verdict: Promise<Verdict>): Promise<void> {
  const decided = await verdict
  await writeAll(outlet.sink, decided.pass ? line.bytes : decided.instead)
  if (!decided.pass && decided.reply !== undefined) outlet.reply(decided.reply)
}

/** Where the end is withheld, a line feed leaves what went on unreadable. */
async function releaseFlow(outlet: Outlet, flow: Flow): Promise<void> {
  const verdict = await flow.release(outlet.sink)
  if (verdict.pass) return
  await writeAll(outlet.sink, lineFeed, verdict.instead)
  if (verdict.reply !== undefined) outlet.reply(verdict.reply)
}
