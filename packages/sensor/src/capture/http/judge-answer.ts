import type { Outcome } from '@affidavit/evidence/record/kinds'
import type { End } from '../completed.ts'
import type { CapturedLine, Verdict } from '../line.ts'
import { formOf } from '../message.ts'
import type { Conversation, Conversations } from './conversation.ts'

/** What an answer is judged against: the request it answers, if that held anything of MCP, and where more may come. */
export interface AnswerPlace {
  line: CapturedLine | undefined
  conversation: Conversation
  conversations: Conversations
  isModern: boolean
}

/**
 * Judges an answer that is no event stream and was read to its end, and ends the calls that it leaves without a response.
 * `endOf` says what is known of such an end.
 */
export async function judgeAnswer(
  place: AnswerPlace,
  answered: CapturedLine,
  endOf: (line: CapturedLine, outcome: Outcome) => End,
): Promise<Verdict> {
  const { line, conversation, conversations } = place
  const { capture } = conversation
  const { scanned, violations = [], answer } = answered
  const status = answer?.httpStatus ?? 502
  const isUndecodable = violations.includes('undecodable')
  const isMessage = scanned.problem === undefined && scanned.messages.some((message) => formOf(message) !== 'other')
  const isGarbage = line !== undefined && status < 300 && (scanned.shape === 'unreadable' || isUndecodable)
  const verdict: Verdict = ((isMessage || isGarbage) && (await capture.take(answered))) || { pass: true }
  if (!verdict.pass || line === undefined || !capture.isOpen(line)) return verdict
  if (mayComeLater(place, answered)) {
    conversations.await(conversation, line)
    return verdict
  }
  return capture.endUnanswered(line, endOf(line, outcomeOfStatus(status, isGarbage ? 'unread' : 'read')))
}

/** A server that accepts a request of a session with 202 and nothing else answers it on the session's stream. */
function mayComeLater({ isModern, conversation }: AnswerPlace, { scanned, answer }: CapturedLine): boolean {
  return answer?.httpStatus === 202 && !isModern && conversation.session !== undefined && scanned.shape === 'blank'
}

/** A success whose copy could not be read may hold any result for those who read otherwise. */
function outcomeOfStatus(status: number, copy: 'read' | 'unread'): Outcome {
  if (status === 401 || status === 403) return 'denied'
  if (status === 408 || status === 504) return 'timeout'
  return status < 300 && copy === 'unread' ? 'unknown' : 'transport_error'
}
