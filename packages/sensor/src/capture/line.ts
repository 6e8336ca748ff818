import type { ViolationDetail } from '@affidavit/evidence/record/header'
import type { Direction } from '@affidavit/evidence/record/kinds'
import type { Moment } from './clock.ts'
import type { ScannedLine, Span } from './message.ts'
import type { RequestOrigin, ResponseOrigin } from './origin.ts'

/**
 * A line (over HTTP: a body, or the data of an event) that a transport has read to its end and lets nobody see before
 * capture says so.
 */
export interface CapturedLine {
  direction: 'client-to-server' | 'server-to-client'
  scanned: ScannedLine
  /** When its last byte arrived. */
  arrived: Moment
  /** Whether it ended in a terminator, or because the input ended. */
  ending: 'terminated' | 'unterminated'
  /** The line's bytes, where they are in memory. */
  bytes: Uint8Array | undefined
  /** Who sent it, where it holds requests. */
  origin: RequestOrigin
  /** How it was answered, where it holds responses. */
  answer?: ResponseOrigin
  /** What the transport found wrong beside the bytes. */
  violations?: readonly ViolationDetail['code'][]
  /** SHA-256 of the bytes of a span, where the line is held outside memory; undefined where it has gone on already. */
  hashSpan?: (span: Span) => Promise<Uint8Array>
}

/** What becomes of a line. Absent bytes mean: nothing. */
export type Verdict =
  | { pass: true }
  | {
      pass: false
      /** Goes on in the line's place. */
      instead: Uint8Array | undefined
      /** Goes back to who sent the line. */
      reply: Uint8Array | undefined
      /** Of HTTP, where the line holds no request that could be answered by its id; else 503. */
      status?: number
    }

/** The bytes of a span, where the line is in memory. */
export function bytesOf(
  line: Pick<CapturedLine, 'bytes'>,
  span: Pick<Span, 'start' | 'end'> | undefined,
): Uint8Array | undefined {
  return span === undefined ? undefined : line.bytes?.subarray(span.start, span.end)
}

/** JSON of a span of at most bytesMax bytes. Undefined where there is none, or it is not what JSON.parse takes. */
export function parseSpan(line: Pick<CapturedLine, 'bytes'>, span: Span | undefined, bytesMax: number): unknown {
  const bytes = bytesOf(line, span)
  return bytes === undefined || bytes.length > bytesMax ? undefined : parseBytes(bytes)
}

/** Undefined where they are not what JSON.parse takes. */
export function parseBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    // The scanner allows deeper nesting than some engines parse.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

/** Which way a request travels that comes on such a line; a response answers one of the other direction. */
export function requestDirection(line: CapturedLine): Direction {
  return line.direction === 'client-to-server' ? 'to-server' : 'to-client'
}

export function answeredDirection(line: CapturedLine): Direction {
  return line.direction === 'client-to-server' ? 'to-client' : 'to-server'
}
