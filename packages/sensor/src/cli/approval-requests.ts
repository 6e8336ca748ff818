import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { ApprovalRequest, ApprovalStatement } from '@affidavit/evidence/wire/approval'
import type { ApprovalFiles, HeldRequest } from '../approve/approval-files.ts'
import { ApprovalError } from './approval-error.ts'

/** Requests that somebody may decide on now. */
export async function listOpen(files: ApprovalFiles): Promise<ApprovalRequest[]> {
  const nowMs = Date.now()
  const held = await files.list(nowMs)
  return held.filter((each) => !isDecided(each) && !isOver(each, nowMs)).map(({ request }) => request)
}

/** Throws ApprovalError where it cannot be decided on. */
export async function findOpen(files: ApprovalFiles, id: string): Promise<ApprovalRequest> {
  const held = await files.find(id)
  if (held === undefined) throw new ApprovalError('approval_unknown', `no request has the id ${id}`)
  if (isDecided(held)) throw new ApprovalError('approval_decided', 'somebody has decided on it already')
  const { request } = held
  if (isOver(held, Date.now()))
    throw new ApprovalError('approval_expired', `it could be decided on until ${request.closes}`)
  return request
}

const isDecided = ({ verdict, isDenied, uses }: HeldRequest) => verdict !== undefined || isDenied || uses > 0
const isOver = ({ request }: HeldRequest, nowMs: number) => nowMs >= Date.parse(request.closes)

/** `key`: of whoever signs it. */
export function toStatement(
  request: ApprovalRequest,
  verdict: ApprovalStatement['verdict'],
  key?: string,
): ApprovalStatement {
  const nowMs = Date.now()
  const until = verdict === 'denied' ? request.closes : formatTimestamp(nowMs + request.windowSeconds * 1000)
  return { v: 1, verdict, at: formatTimestamp(nowMs), until, ...(key === undefined ? {} : { key }), request }
}
