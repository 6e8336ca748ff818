import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import {
  type ApprovalRequest,
  approvalVerdicts,
  encodeApprovalRequest,
  encodeApprovalStatement,
} from '@affidavit/evidence/wire/approval'
import { z } from 'zod'
import type { CaptureContext } from '../capture/context.ts'
import { plainError, sendOwn } from '../capture/http/own-answer.ts'
import { toFailure } from '../capture/rpc-error.ts'
import type { Redact } from '../identity/claims.ts'
import { Refusal } from '../identity/refusal-code.ts'
import { ApprovalError, type ApprovalErrorCode } from './approval-error.ts'
import { type JudgePerson, openPersonJudge, type TokenPerson } from './approval-judge.ts'
import { toApprovalRecord } from './approval-record.ts'
import { findOpen, listOpen, toStatement } from './approval-requests.ts'
import type { OpenApprovals } from './open-policy.ts'

export interface ApprovalPageParts {
  approvals: OpenApprovals
  emit: CaptureContext['emit']
  digest: CaptureContext['digest']
  redact: Redact
}

export interface ApprovalPages {
  /** Undefined where the path is none of ours. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined
  close(): void
}

interface Desk extends ApprovalPageParts {
  judge: JudgePerson
  /** Requests that are decided on at this moment. */
  deciding: Set<string>
}

const bodyBytesMax = 4096
const bodyTimeoutMs = 10_000
/** Nobody decides more often; whoever tries tokens has no more tries than these. */
const requestsPerMinuteMax = 120

const statuses: Record<ApprovalErrorCode, number> = {
  approval_unknown: 404,
  approval_expired: 410,
  approval_decided: 409,
  approval_not_approver: 403,
  approval_same_person: 403,
  approval_differs: 409,
  approval_token_refused: 401,
  approval_not_recorded: 503,
  approval_busy: 429,
  approval_unreachable: 400,
}

/**
 * `GET /approvals`, `GET /approvals/ID` and `POST /approvals/ID`, each with the bearer token of somebody who may approve. The token
 * is verified here and by nobody else: what another process says of it would prove nothing. Undefined where no issuer is trusted.
 */
export function openApprovalPages(parts: ApprovalPageParts): ApprovalPages | undefined {
  const opened = openPersonJudge(parts.approvals.config, parts)
  if (opened === undefined) return undefined
  const desk: Desk = { ...parts, judge: opened.judge, deciding: new Set() }
  const minute = { sinceMs: 0, count: 0 }
  const mayGoOn = (): boolean => {
    const nowMs = Date.now()
    if (nowMs - minute.sinceMs >= 60_000 || nowMs < minute.sinceMs) Object.assign(minute, { sinceMs: nowMs, count: 0 })
    return ++minute.count <= requestsPerMinuteMax
  }
  return {
    close: opened.close,
    handle(request, response) {
      const [, id] = /^\/approvals(?:\/([^/?]*))?(?:\?.*)?$/.exec(request.url ?? '') ?? ['', undefined]
      if (!/^\/approvals(?:[/?]|$)/.test(request.url ?? '')) return undefined
      return answerRequest({ desk, id, mayGoOn }, request, response)
    },
  }
}

async function answerRequest(
  { desk, id, mayGoOn }: { desk: Desk; id: string | undefined; mayGoOn: () => boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (!mayGoOn()) throw new ApprovalError('approval_busy', 'too many requests; try again in a minute')
    const body = request.method === 'POST' ? await readBody(request) : ''
    const said = await answer(desk, { request, id, body })
    sendOwn(response, { status: 200, body: Buffer.from(said) })
  } catch (error) {
    if (!(error instanceof ApprovalError)) throw error
    request.resume()
    const body = plainError(`AFD_${error.code.toUpperCase()}`, error.message)
    sendOwn(response, { status: statuses[error.code], body })
  }
}

async function answer(
  desk: Desk,
  { request, id, body }: { request: IncomingMessage; id: string | undefined; body: string },
): Promise<string> {
  const { files } = desk.approvals
  const person = await authenticate(desk, request)
  if (request.method === 'POST' && id !== undefined) return decide(desk, person, { id, body })
  if (request.method !== 'GET') throw new ApprovalError('approval_unknown', 'GET and POST are understood here')
  const open = id === undefined ? await listOpen(files) : [await findHere(desk, id)]
  const waiting = open.filter((each) => !desk.approvals.desk.hasDecision(each.id))
  return waiting.map((each) => `${Buffer.from(encodeApprovalRequest(each))}\n`).join('')
}

async function findHere({ approvals, deciding }: Desk, id: string): Promise<ApprovalRequest> {
  const request = await findOpen(approvals.files, id)
  if (deciding.has(id) || approvals.desk.hasDecision(id))
    throw new ApprovalError('approval_decided', 'somebody has decided on it already')
  return request
}

async function authenticate({ judge, emit }: Desk, request: IncomingMessage): Promise<TokenPerson> {
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2)
    headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? ''])
  const { method = '', url: target = '' } = request
  try {
    return await judge({ method, target, headers, origins: () => [], nowMs: Date.now() })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    await recorded(emit({ kind: 'auth', detail: { event: 'refused', code: error.code } }, {}))
    throw new ApprovalError('approval_token_refused', `${error.message} (${error.code})`)
  }
}

const decisionSchema = z.strictObject({
  verdict: z.enum(approvalVerdicts),
  /** SHA-256 of the request that was shown, base64. */
  request: z.string(),
})

async function decide(
  desk: Desk,
  { approver, principals, checkOther }: TokenPerson,
  { id, body }: { id: string; body: string },
): Promise<string> {
  const { approvals, deciding, emit } = desk
  const request = await findHere(desk, id)
  const wanted = parseDecision(body)
  if (wanted.request !== createHash('sha256').update(encodeApprovalRequest(request)).digest('base64'))
    throw new ApprovalError('approval_differs', 'the request is not the one that was shown')
  checkOther(request)
  deciding.add(id)
  try {
    const statement = toStatement(request, wanted.verdict)
    const line = encodeApprovalStatement(statement)
    const identity = encodeIdentity({ agent: { absent: 'somebody decided by a token of his own' }, ...principals })
    const { draft, sections } = toApprovalRecord({ line, method: 'token', identity })
    await recorded(emit(draft, sections))
    // A crash here leaves a record of a decision that lets nothing through: it has to be made again.
    if (wanted.verdict === 'denied') await approvals.files.decide(id, 'denied', new Uint8Array(0))
    approvals.desk.accept({ statement, approver })
    return `${JSON.stringify({ approvalId: id, verdict: wanted.verdict, until: statement.until })}\n`
  } finally {
    deciding.delete(id)
  }
}

/** What is not durable does not count, whatever the fail mode lets pass. */
async function recorded(emitting: ReturnType<CaptureContext['emit']>): Promise<void> {
  let cause = 'it passed under a gap'
  try {
    const receipt = await emitting
    if (receipt.recorded) return
  } catch (error) {
    cause = toFailure(error).cause
  }
  throw new ApprovalError('approval_not_recorded', `it could not be recorded (${cause}), and does not count`)
}

function parseDecision(body: string): z.infer<typeof decisionSchema> {
  const malformed = new ApprovalError('approval_differs', 'expected {"verdict":…,"request":…}')
  try {
    const parsed = decisionSchema.safeParse(JSON.parse(body))
    if (parsed.success) return parsed.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw malformed
}

async function readBody(request: IncomingMessage): Promise<string> {
  const tooLong = new ApprovalError('approval_differs', `a decision has at most ${bodyBytesMax} bytes`)
  const timer = setTimeout(() => request.destroy(), bodyTimeoutMs)
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += chunk.length
      if (length > bodyBytesMax) throw tooLong
      chunks.push(chunk)
    }
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).toString()
}
