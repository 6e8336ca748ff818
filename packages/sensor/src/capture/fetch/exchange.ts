import type { KeyedDigest } from '@affidavit/evidence/record/header'
import type { Outcome } from '@affidavit/evidence/record/kinds'
import { readClock } from '../clock.ts'
import type { End } from '../completed.ts'
import type { AnswerPlace } from '../http/judge-answer.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import type { ScannedLine } from '../message.ts'
import type { RequestOrigin } from '../origin.ts'
import { answerConnection } from './connection.ts'
import type { FetchRequest } from './request.ts'

/** One HTTP exchange that an agent makes by fetch. */
export interface FetchExchange extends AnswerPlace {
  request: FetchRequest
  origin: RequestOrigin
  /** The session that the answer opened. */
  openedSession: KeyedDigest | undefined
  /** To be called once, when nothing of the exchange is under way any more. */
  leave: () => void
}

/** What the server said, as capture takes it: a body, or the data of an event. */
export function answerLine(
  { line, origin, openedSession }: FetchExchange,
  response: Response,
  from: { scanned: ScannedLine; bytes: Uint8Array | undefined },
): CapturedLine {
  return {
    direction: 'server-to-client',
    ...from,
    arrived: readClock(),
    ending: 'terminated',
    origin,
    answer: {
      httpStatus: response.status,
      ...answerConnection(response),
      ...(openedSession === undefined ? {} : { session: openedSession }),
      ...(line === undefined ? {} : { to: line }),
    },
  }
}

/** How a call ends that was answered by something else, or by nothing. */
export function endOf(line: CapturedLine, outcome: Outcome, came: { response?: Response; bytes?: number } = {}): End {
  const { response, bytes } = came
  return {
    outcome,
    ...(response === undefined ? {} : { httpStatus: response.status, ...answerConnection(response) }),
    ...(bytes === undefined
      ? {}
      : { responseBytes: bytes, latencyUs: Math.max(0, readClock().monotonicUs - line.arrived.monotonicUs) }),
  }
}

/**
 * Leaves an exchange whose answer is over. Calls that it left open are cancelled where the agent gave them up in the modern
 * era, in which closing the stream says so; where their results may come on another stream, they are waited for.
 */
export async function leaveOpen(
  exchange: FetchExchange,
  response: Response | undefined,
  way: 'over' | 'given up' | 'may resume',
): Promise<Verdict> {
  const { line, conversation, conversations, isModern } = exchange
  try {
    if (line === undefined || !conversation.capture.isOpen(line)) return { pass: true }
    if (way === 'may resume') {
      conversations.await(conversation, line)
      return { pass: true }
    }
    const outcome = isModern && way === 'given up' ? 'cancelled' : 'transport_error'
    return await conversation.capture.endUnanswered(
      line,
      endOf(line, outcome, response === undefined ? {} : { response }),
    )
  } finally {
    exchange.leave()
  }
}
