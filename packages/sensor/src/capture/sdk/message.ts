import { readClock } from '../clock.ts'
import type { CapturedLine } from '../line.ts'
import type { RequestOrigin } from '../origin.ts'
import { scanBytes } from '../scan.ts'

/**
 * A message as the line that a transport of the SDK writes of it, or has read: JSON.stringify on either side. Throws
 * TypeError where that cannot be (BigInt, cycles); then it cannot be sent either.
 */
export function toLine(message: object, direction: CapturedLine['direction'], origin: RequestOrigin): CapturedLine {
  const bytes = Buffer.from(JSON.stringify(message))
  return { direction, scanned: scanBytes(bytes), arrived: readClock(), ending: 'terminated', bytes, origin }
}

/** An answer of ours as an SDK takes it. Of bytes that rpc-error.ts made: one JSON object. */
export function parseOwnMessage(bytes: Uint8Array): object {
  return JSON.parse(Buffer.from(bytes).toString()) as object
}

/** An answer of ours to a whole HTTP exchange. */
export function toResponse(bytes: Uint8Array | undefined): Response {
  return bytes === undefined ? new Response(null, { status: 202 }) : Response.json(parseOwnMessage(bytes))
}
