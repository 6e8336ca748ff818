import { randomBytes } from 'node:crypto'
import type { Uuid } from '@affidavit/evidence/record/header'
import { formatUuidV7 } from '@affidavit/evidence/record/id'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import type { ApprovalAnswer, ApprovalDesk, ApprovalQuestion } from '../policy/approval.ts'
import type { ApprovalFiles, HeldRequest } from './approval-files.ts'
import type { KeyApprover } from './approvers.ts'
import { type ApprovalTerms, type CallPart, describeCall, digestCall } from './describe-call.ts'
import { type Found, isAboutSame, isSame, lookAt, type TokenDecision } from './look-up.ts'

/** More requests than these wait for nobody: whoever floods them fills no disk, and one who asks crowds out only himself. */
const pendingMax = 256
const pendingPerActorsMax = 32

export interface DeskOptions {
  files: ApprovalFiles
  terms: ApprovalTerms
  approvers: readonly KeyApprover[]
  diagnose: (code: string, sentence: string) => void
}

export interface OpenDesk extends ApprovalDesk {
  /**
   * Takes what somebody decided whose token this process verified, once that is recorded. It counts in this process alone:
   * written down it would be the word of whoever can write to the folder.
   */
  accept(decision: TokenDecision): void
  /** Whether somebody has decided on it by a token. */
  hasDecision(id: Uuid): boolean
}

interface Desk extends DeskOptions {
  byToken: Map<Uuid, TokenDecision>
  /** Uses that this process let through: whoever removes the files that say so gets no second one from it. */
  usesHere: Map<Uuid, { count: number; untilMs: number }>
}

export function openDesk(options: DeskOptions): OpenDesk {
  const desk: Desk = { ...options, byToken: new Map(), usesHere: new Map() }
  let last: Promise<unknown> = Promise.resolve()
  return {
    settle(question) {
      // One after the other: two calls alike must neither ask twice nor use the same approval.
      const answer = last.then(() => settle(desk, question)).catch((error: unknown) => sayFailure(error, desk))
      last = answer
      return answer
    },
    hasDecision: (id) => desk.byToken.has(id),
    accept(decision) {
      desk.byToken.set(decision.statement.request.id, decision)
    },
  }
}

async function settle(desk: Desk, question: ApprovalQuestion): Promise<ApprovalAnswer> {
  const call = describeCall(question, desk.terms)
  if (call === undefined) return { state: 'required', problem: 'not_bindable' }
  const nowMs = Date.now()
  const held = await desk.files.list(nowMs)
  forgetOver(desk, nowMs)
  const by = { question, call, approvers: desk.approvers, nowMs }
  const found = held
    .filter((each) => isAboutSame(each, by))
    .map((each) => {
      const { id } = each.request
      const uses = Math.max(each.uses, desk.usesHere.get(id)?.count ?? 0)
      return { id, ...lookAt({ ...each, uses }, desk.byToken.get(id), by) }
    })
  const granted = await use(desk, found)
  if (granted !== undefined) return granted
  const denied = found.find((each) => each.is === 'denied')
  if (denied !== undefined) return sayDenied(denied)
  const problem = found.flatMap((each) => (each.is === 'void' ? (each.problem ?? []) : [])).at(-1)
  const waiting = found.find(({ is }) => is === 'pending')
  const why = problem === undefined ? {} : { problem }
  if (waiting !== undefined) return { state: 'required', id: waiting.id, ...why }
  return { ...why, ...(await ask(desk, held, { call, question })) }
}

type FoundUnder = Found & { id: Uuid }

/**
 * Claims one use, durably, before the call is recorded and goes on. A crash between the two, or a record that cannot be
 * made, leaves a use without a call: then the approval has to be asked for again, and nothing passed without one.
 */
async function use(
  { files, terms, usesHere }: Desk,
  found: readonly FoundUnder[],
): Promise<ApprovalAnswer | undefined> {
  for (const each of found) {
    if (each.is !== 'approved' || !(await files.claim(each.id, terms.uses))) continue
    const untilMs = Date.now() + 2 * terms.windowSeconds * 1000
    usesHere.set(each.id, { count: (usesHere.get(each.id)?.count ?? 0) + 1, untilMs })
    return { state: 'granted', id: each.id, approver: each.approver }
  }
  return undefined
}

/** Durable before the refusal that names it. A crash in between leaves a request for a call that nobody was told of. */
async function ask(
  { files, terms, approvers }: Desk,
  held: readonly HeldRequest[],
  { call, question }: { call: CallPart; question: ApprovalQuestion },
): Promise<ApprovalAnswer> {
  const pending = held.filter(({ verdict, isDenied }) => verdict === undefined && !isDenied)
  const own = pending.filter(({ request }) => isSame(request.actors, call.actors))
  if (pending.length >= pendingMax || own.length >= pendingPerActorsMax)
    return { state: 'required', problem: 'too_many_pending' }
  const nowMs = Date.now()
  const salt = randomBytes(32)
  const id = formatUuidV7(nowMs, randomBytes(16))
  const request = {
    v: 1 as const,
    id,
    callId: question.callId,
    requested: formatTimestamp(nowMs),
    closes: formatTimestamp(nowMs + terms.openSeconds * 1000),
    ...call,
    digest: digestCall(question, salt),
    salt: salt.toString('base64'),
  }
  await files.write(request, JSON.stringify(approvers))
  return { state: 'required', id }
}

/** By time and not by what is in the folder: what is taken away there may be put back. */
function forgetOver({ byToken, usesHere }: Desk, nowMs: number): void {
  for (const [id, { untilMs }] of usesHere) if (nowMs > untilMs) usesHere.delete(id)
  for (const [id, { statement }] of byToken) if (nowMs > Date.parse(statement.until)) byToken.delete(id)
}

function sayDenied(found: FoundUnder): ApprovalAnswer {
  const approver = found.is === 'denied' ? found.approver : undefined
  return { state: 'denied', id: found.id, problem: 'denied', ...(approver === undefined ? {} : { approver }) }
}

function sayFailure(error: unknown, { diagnose }: Desk): ApprovalAnswer {
  if (!(error instanceof Error)) throw error
  const code = 'code' in error ? String(error.code) : error.name
  diagnose('AFD_APPROVALS_UNUSABLE', `nobody can be asked to approve a call: the folder approvals fails (${code})`)
  return { state: 'required', problem: 'store_failed' }
}
