import { type DecisionSection, encodeDecision } from '@affidavit/evidence/record/decision-section'
import type { DecisionRef, ViolationDetail } from '@affidavit/evidence/record/header'
import type { ApprovalDesk } from '../policy/approval.ts'
import { effectFor, hasArguments, isAsked, targetPart } from '../policy/asked.ts'
import type { DecisionPoint, Mode, PolicyRequest, Ruling } from '../policy/decision-point.ts'
import type { FindRisk } from '../policy/risk.ts'
import type { SessionCounters } from '../policy/session-counters.ts'
import { noteApproval, settleApproval } from './ask-approval.ts'
import type { CaptureContext, RequestedDraft } from './context.ts'
import { DenialError } from './denial.ts'
import { bytesOf, type CapturedLine } from './line.ts'
import { type ScannedMessage, textOf } from './message.ts'
import { isRequestMethod } from './methods.ts'
import type { DraftedRequest } from './requested.ts'

/** The policies in force over a server's calls. All of it may change between two calls. */
export interface PolicyInForce {
  readonly mode: Mode
  readonly point: DecisionPoint
  readonly sessions: SessionCounters
  /** Where there is a control feed. */
  readonly findRisk?: FindRisk | undefined
  /** Where approvals are configured. */
  readonly approvals?: ApprovalDesk | undefined
}

/** A request with its decision; `denial` where it must not go on. */
export interface DecidedRequest extends DraftedRequest {
  denial?: DenialError
}

/** A request that is to be decided. */
export interface AskedRequest {
  line: CapturedLine
  message: ScannedMessage
  /** Why it is refused whatever policies say. */
  ambiguity: DenialError | undefined
}

type Violation = ViolationDetail['code']

/** What two parsers would read differently, or one of them not at all: policy would judge another message than the server. */
const ambiguous: ReadonlySet<Violation> = new Set([
  'duplicate_key', 'folded_key', 'invalid_utf8', 'not_json', 'too_deep', 'header_mismatch', 'undecodable',
]) // biome-ignore format: one list

/** Why a line of a client's is refused as it stands, where policy is enforced (DESIGN §5). */
export function ambiguityOf(line: CapturedLine, found: readonly Violation[], mode: Mode | undefined) {
  if (mode !== 'enforce' || line.direction !== 'client-to-server') return undefined
  const codes = found.filter((code) => ambiguous.has(code))
  if (codes.length === 0) return undefined
  return new DenialError('ambiguous', `parsers read this message differently (${codes.join(', ')})`)
}

/** Puts a request to the policies, if there are any, before it goes on. At once, unless the decision point is elsewhere. */
export function askPolicy(
  context: CaptureContext,
  from: AskedRequest & { method: string },
  drafted: DraftedRequest,
): DecidedRequest | Promise<DecidedRequest> {
  const { policy, redactor } = context
  if (policy === undefined) return drafted
  const { mode } = policy
  const { draft } = drafted
  if (draft.direction === 'to-client') return withDecision(drafted, { disposition: 'undecided', mode }, notAsked)
  if (from.ambiguity !== undefined) {
    const section = { ...noPolicies, rationale: `Denied: ${from.ambiguity.message}.` }
    return { ...withDecision(drafted, { disposition: 'denied', mode }, section), denial: from.ambiguity }
  }
  if (!isAsked(draft.kind)) return withDecision(drafted, { disposition: 'undecided', mode }, notAsked)
  const session = draft.sessionId === undefined ? undefined : `${draft.sessionSource} ${draft.sessionId}`
  const request = {
    ...describe(from, drafted),
    ...situationOf(context, policy, drafted),
    session: session === undefined ? undefined : policy.sessions.of(session),
  }
  const privacy = {
    keepsValues: draft.level !== 'metadata',
    redact: (json: Uint8Array) => redactor.redactJson(json).text,
  }
  const finish = (ruling: Ruling): DecidedRequest => {
    if (session !== undefined) policy.sessions.note(session, ruling.disposition)
    return rule(drafted, policy, ruling)
  }
  const settle = (ruling: Ruling): DecidedRequest | Promise<DecidedRequest> => {
    const { asksApproval: policies } = ruling
    if (policies === undefined || policy.approvals === undefined || mode === 'observe') return finish(ruling)
    const { callId } = draft
    return settleApproval(policy.approvals, ruling, {
      request,
      callId,
      policies,
      privacy,
      digest: context.digest,
    }).then(finish)
  }
  const ruling = policy.point.decide(request, privacy)
  return ruling instanceof Promise ? ruling.then(settle) : settle(ruling)
}

function rule(drafted: DraftedRequest, { mode, approvals }: PolicyInForce, ruling: Ruling): DecidedRequest {
  const { disposition, reason, section, asksApproval } = ruling
  const isDenied = disposition === 'denied'
  if (isDenied && mode === 'enforce') {
    const { determining: policies, approval, problem } = section
    const denial =
      approval === undefined
        ? new DenialError('policy', reason, { policies, problem })
        : new DenialError('approval_required', reason, { policies, approvalId: approval.id, problem: approval.problem })
    return { ...withDecision(drafted, { disposition, mode }, section), denial }
  }
  const remark = isDenied ? ' It went on all the same: the mode is observe.' : ''
  const noted = asksApproval === undefined || approvals === undefined ? section : noteApproval(section)
  return withDecision(drafted, { disposition, mode }, { ...noted, rationale: section.rationale + remark })
}

const noPolicies = { engine: { absent: 'it was not put to policies' }, policies: [], conditions: [], obligations: [] }
const notAsked: DecisionSection = {
  ...noPolicies,
  rationale: 'Not put to policies: it opens a session or lists what there is, or the server asked it of the client.',
}
const encoded = new WeakMap<DecisionSection, Uint8Array>()

function withDecision(
  { draft, sections }: DraftedRequest,
  decision: DecisionRef,
  section: DecisionSection,
): DraftedRequest {
  const bytes = encoded.get(section) ?? encodeDecision(section)
  if (section === notAsked) encoded.set(section, bytes)
  return { draft: { ...draft, decision }, sections: { ...sections, decision: bytes } }
}

function describe(
  { line, message, method }: { line: CapturedLine; message: ScannedMessage; method: string },
  { draft, sections }: DraftedRequest,
): Omit<PolicyRequest, 'session'> {
  const args = message.spans.get(hasArguments(method) ? 'params.arguments' : 'params')
  const json = bytesOf(line, args)
  return {
    method,
    isKnownMethod: isRequestMethod(method),
    effect: effectFor(draft, method),
    server: draft.server.name,
    target: targetOf(draft, message, method),
    identity: sections.identity ?? new Uint8Array(0),
    classification: draft.classification,
    resources: sections.resources,
    arguments: json,
    ...(args !== undefined && json === undefined ? { argumentsMissing: 'too_large' as const } : {}),
    timeMs: Date.now(),
  }
}

/** What is said of the machine, and of those involved. */
function situationOf(
  { currentPosture, digest }: CaptureContext,
  { findRisk }: PolicyInForce,
  { draft, sections }: DraftedRequest,
): Pick<PolicyRequest, 'posture' | 'risk'> {
  const reading = currentPosture?.()
  const risk = findRisk?.(
    { identity: sections.identity, server: draft.server.name, session: draft.sessionId, nowMs: Date.now() },
    digest,
  )
  if (reading === undefined || 'absent' in reading) return { risk }
  const { values, state, ageMs, section } = reading
  return { risk, posture: { source: section.source, state, ageMs, failure: section.failure, signals: values } }
}

function targetOf({ tool }: RequestedDraft, { spans }: ScannedMessage, method: string): PolicyRequest['target'] {
  const part = targetPart(method)
  const name = part === undefined ? undefined : textOf(spans.get(`params.${part.member}`))
  if (part === undefined || name === undefined) return undefined
  return { type: part.type, name, isListed: tool !== undefined && 'name' in tool }
}
