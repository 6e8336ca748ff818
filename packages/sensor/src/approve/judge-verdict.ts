import { RecordError } from '@affidavit/evidence/record/error'
import {
  type ApprovalRequest,
  type ApprovalStatement,
  approvalBytesMax,
  encodeApprovalRequest,
  parseApprovalStatement,
  toApprovalMessage,
} from '@affidavit/evidence/wire/approval'
import { parseSignedLine } from '@affidavit/evidence/wire/signed-line'
import { verifyEd25519 } from '../crypto/node.ts'
import type { ApprovalProblem } from '../policy/approval.ts'
import { type Approver, findApprover, isSamePerson, type KeyApprover } from './approvers.ts'

/** A decision that counts: of somebody who may decide, on this very call. */
export interface Decided {
  verdict: ApprovalStatement['verdict']
  approver: Approver
}

/** How far clocks may differ between whoever signs and whoever verifies. */
const skewMs = 60_000

/**
 * Whether a signed statement lets through a call, which `expected` describes as we see it ourselves: nothing of what lies
 * in the folder is believed, so that whoever can write there can withhold an approval and give none.
 */
export function judgeVerdict(
  file: Uint8Array,
  { expected, approvers, nowMs }: { expected: ApprovalRequest; approvers: readonly KeyApprover[]; nowMs: number },
): Decided | { problem: ApprovalProblem } {
  const statement = readSigned(file)
  if (statement === undefined) return { problem: 'bad_signature' }
  const approver = findApprover(approvers, statement.key)
  if (approver === undefined) return { problem: 'not_an_approver' }
  if (isSamePerson(expected, approver)) return { problem: 'same_person' }
  const problem = judgeStatement(statement, expected, nowMs)
  if (problem !== undefined) return { problem }
  return {
    verdict: statement.verdict,
    approver: { id: approver.id, assurance: 'verified', method: 'ed25519' },
  }
}

/** What holds of every statement, whatever proves who made it. */
export function judgeStatement(
  { request, at, until, verdict }: ApprovalStatement,
  expected: ApprovalRequest,
  nowMs: number,
): ApprovalProblem | undefined {
  if (Buffer.compare(encodeApprovalRequest(request), encodeApprovalRequest(expected)) !== 0) return 'request_differs'
  const [atMs, untilMs] = [Date.parse(at), Date.parse(until)]
  if (atMs > nowMs + skewMs || atMs >= Date.parse(expected.closes)) return 'expired'
  if (verdict === 'denied') return undefined
  return nowMs < untilMs && untilMs <= atMs + expected.windowSeconds * 1000 ? undefined : 'expired'
}

/** Undefined where it is no statement, or not signed by the key it names. */
export function readSigned(file: Uint8Array): ApprovalStatement | undefined {
  const parsed = parseSignedLine(file, approvalBytesMax)
  if (typeof parsed === 'string') return undefined
  const statement = parse(parsed.line)
  if (statement?.key === undefined) return undefined
  const isGood = verifyEd25519(Buffer.from(statement.key, 'base64'), toApprovalMessage(parsed.line), parsed.signature)
  return isGood ? statement : undefined
}

function parse(line: Uint8Array): ApprovalStatement | undefined {
  try {
    return parseApprovalStatement(line)
  } catch (error) {
    if (error instanceof RecordError) return undefined
    throw error
  }
}
