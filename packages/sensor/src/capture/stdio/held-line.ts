import { createHash } from 'node:crypto'
import { readClock } from '../clock.ts'
import { HeldBytes } from '../hold.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import type { Span } from '../message.ts'
import { addresseesOf, refuse } from '../refusal.ts'
import { toFailure } from '../rpc-error.ts'
import { LineScan } from '../scan.ts'
import { writeAll } from '../sink.ts'
import type { Ending, LineBody } from './frame.ts'
import { judge, type Outlet } from './outlet.ts'

/** Requests up to this size wait in memory, larger ones in an encrypted temporary file. */
export const requestMemoryBytesMax = 4 * 1024 * 1024
const lineFeed = Buffer.from('\n')

/** A line towards the server: nothing of it goes on before all of it was read and its records are durable. */
export function openHeldLine(outlet: Outlet): LineBody {
  const scan = new LineScan()
  const held = new HeldBytes(requestMemoryBytesMax)
  /** Set when the line could not be held; then it is read to its end, answered, and dropped. */
  let failure: unknown

  const keep = (bytes: Uint8Array): Promise<void> | undefined => {
    if (failure !== undefined || bytes.length === 0) return undefined
    return held.append(bytes)?.catch((error: unknown) => {
      failure = error
    })
  }

  const send = (ending: Ending) => {
    const line = describe(outlet, scan, held, ending)
    const verdict = failure === undefined ? judge(outlet, line) : refuseUnheld(line, failure)
    outlet.lane.push(line.bytes?.length ?? 0, () => releaseHeld(outlet, { line, held, verdict }))
  }

  return {
    append(bytes) {
      scan.push(bytes)
      return keep(bytes)
    },
    finish(bytes, ending) {
      scan.push(ending === 'terminated' ? bytes.subarray(0, -1) : bytes)
      const wait = keep(bytes)
      if (wait !== undefined) return wait.then(() => send(ending))
      send(ending)
      return undefined
    },
  }
}

function describe({ origin }: Outlet, scan: LineScan, held: HeldBytes, ending: Ending): CapturedLine {
  return {
    direction: 'client-to-server',
    scanned: scan.end(),
    arrived: readClock(),
    ending,
    bytes: held.inMemory(),
    origin,
    hashSpan: (span) => hashHeld(held, span),
  }
}

async function hashHeld(held: HeldBytes, span: Span): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for await (const piece of held.pieces(span.start, span.end)) hash.update(piece)
  return hash.digest()
}

async function refuseUnheld(line: CapturedLine, error: unknown): Promise<Verdict> {
  return refuse(line, addresseesOf(line), toFailure(error))
}

async function releaseHeld(
  outlet: Outlet,
  { line, held, verdict }: { line: CapturedLine; held: HeldBytes; verdict: Promise<Verdict> },
): Promise<void> {
  const decided = await verdict
  if (decided.pass) {
    await pass(outlet, line, held)
    if (outlet.sink.isGone()) outlet.capture.undelivered(line)
  } else {
    await writeAll(outlet.sink, decided.instead)
    // To a server that is gone it could not have been delivered anyway: then nobody answers, as without us.
    if (decided.reply !== undefined && !outlet.sink.isGone()) outlet.reply(decided.reply)
  }
  await held.close()
}

async function pass(outlet: Outlet, line: CapturedLine, held: HeldBytes): Promise<void> {
  if (line.bytes !== undefined) return writeAll(outlet.sink, line.bytes)
  try {
    for await (const piece of held.pieces(0, held.length)) await writeAll(outlet.sink, piece)
  } catch (error) {
    // Part of the line is out already. A line feed makes that part unreadable, for its last byte is missing.
    const refused = await refuseUnheld(line, error)
    await writeAll(outlet.sink, lineFeed)
    if (!refused.pass && refused.reply !== undefined) outlet.reply(refused.reply)
  }
}
