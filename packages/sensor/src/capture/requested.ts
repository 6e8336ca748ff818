import type { Absent } from '@affidavit/evidence/record/absent'
import { encodeDecision } from '@affidavit/evidence/record/decision-section'
import {
  type EnvironmentSection,
  encodeEnvironment,
  type ForeignIds,
} from '@affidavit/evidence/record/environment-section'
import type { ToolRef, Uuid } from '@affidavit/evidence/record/header'
import { type Actor, encodeIdentity } from '@affidavit/evidence/record/identity-section'
import { encodePurpose, type Purpose } from '@affidavit/evidence/record/purpose-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { clipText } from '@affidavit/evidence/record/text'
import type { Principals } from '../identity/principals.ts'
import { classifyRequest } from './classify.ts'
import type { CaptureContext, RequestedDraft } from './context.ts'
import { type Kept, keepInput } from './input.ts'
import { bytesOf, type CapturedLine, requestDirection } from './line.ts'
import { type ScannedMessage, textOf } from './message.ts'
import { isProtocolMethod, kindOf } from './methods.ts'
import type { Claims } from './origin.ts'
import { taskIdOf } from './outcome.ts'
import { listRemovals } from './removals.ts'
import type { Session } from './session.ts'
import type { ToolRegistry } from './tools/registry.ts'
import { viewerOf } from './tools/viewer.ts'

const idBytesMax = 1024

export interface DraftedRequest {
  draft: RequestedDraft
  sections: Sections
}

/** What a request is recorded against. */
export interface RequestPlace {
  callId: Uuid
  callGroupId: Uuid | undefined
  method: string
}

/** The write-ahead record of one request: everything that is known before it goes on. */
export function draftRequested(
  whole: CaptureContext,
  known: { session: Session; tools: ToolRegistry },
  from: { line: CapturedLine; message: ScannedMessage; place: RequestPlace },
): DraftedRequest | Promise<DraftedRequest> {
  const { line, message } = from
  const claims = { ...known.session.claimsOf(line, message), ...line.origin.claims }
  const tool = toolOf(whole, known.tools, from)
  const { fields, sections } = classifyRequest(
    whole,
    { line, message, method: from.place.method },
    { ref: tool, tools: known.tools },
  )
  const context = fields.level === whole.level ? whole : { ...whole, level: fields.level }
  const draft = {
    ...draftHeader(context, known, { ...from, claims }),
    ...(tool === undefined ? {} : { tool }),
    ...fields,
  }
  const finish = (input: Kept): DraftedRequest => ({
    draft,
    sections: {
      ...sections,
      input: input.text,
      identity: identitySection(
        line.origin.principals,
        claims.agent ?? known.session.agentOf(from.place.method) ?? unnamedAgent,
      ),
      decision: noDecision,
      purpose: purposeSection(context, claims),
      environment: encodeEnvironment({
        host: context.facts.host,
        processes: context.facts.processes,
        ...situationOf(context),
        network: line.origin.network,
        ids: foreignIds(context, { ...from, claims }),
        ...listRemovals(input.removed),
      }),
    },
  })
  const input = keepInput(context, line, message)
  return input instanceof Promise ? input.then(finish) : finish(input)
}

function draftHeader(
  context: CaptureContext,
  { session }: { session: Session },
  from: { line: CapturedLine; message: ScannedMessage; place: RequestPlace; claims: Claims },
): Omit<RequestedDraft, 'tool' | 'effect' | 'level' | 'classification'> {
  const { line, message, place, claims } = from
  const { method } = place
  const id = message.spans.get('id')
  return {
    kind: kindOf(method),
    stage: 'requested',
    vantage: context.vantage,
    direction: requestDirection(line),
    callId: place.callId,
    ...(place.callGroupId === undefined ? {} : { callGroupId: place.callGroupId }),
    ...parentOf(claims.parentCallId ?? line.origin.parentCallId),
    ...session.fieldsFor(claims, line.origin, context.digest),
    ...(isProtocolMethod(method) ? { method } : { methodDigest: context.digest(method) }),
    requestIdDigest: context.digest(id?.raw ?? id?.hash ?? ''),
    server: session.server,
    inputBytes: line.scanned.shape === 'batch' ? message.end - message.start : line.scanned.bytes,
    decision: { disposition: 'undecided', mode: 'observe' },
    ...(claims.trace ?? line.origin.trace),
    ...(line.origin.reported === undefined ? {} : { reported: line.origin.reported }),
    ...line.arrived,
  }
}

function situationOf({ facts, currentPosture }: CaptureContext): Pick<EnvironmentSection, 'containment' | 'posture'> {
  const { containment } = facts
  const posture = currentPosture?.()
  return {
    ...(containment === undefined ? {} : { containment }),
    ...(posture === undefined ? {} : { posture: 'absent' in posture ? posture : posture.section }),
  }
}

function toolOf(
  context: CaptureContext,
  tools: ToolRegistry,
  { line, message, place }: { line: CapturedLine; message: ScannedMessage; place: RequestPlace },
): ToolRef | undefined {
  const name = place.method === 'tools/call' ? textOf(message.spans.get('params.name')) : undefined
  return name === undefined ? undefined : tools.refer(name, viewerOf(line.origin, context.digest), context)
}

const noDecision = encodeDecision({
  engine: { absent: 'no policy is configured' },
  policies: [],
  conditions: [],
  obligations: [],
  rationale: 'No policy was evaluated: none is configured, and the mode is observe.',
})
const noPurpose = encodePurpose({ absent: 'the request declares no task, no intent, no reason and no turn' })

const hiddenPurpose = encodePurpose({ absent: 'declared, but at level metadata no values are kept' })
const unnamedAgent: Absent = { absent: 'the client has not named itself on this connection' }
const encodedIdentities = new WeakMap<Principals, WeakMap<object, Uint8Array>>()

/** Encoded once per agent and principals: it is the same for every call that an agent makes for somebody. */
function identitySection(principals: Principals, agent: Actor | Absent): Uint8Array {
  const byAgent = encodedIdentities.get(principals) ?? new WeakMap<object, Uint8Array>()
  encodedIdentities.set(principals, byAgent)
  const known = byAgent.get(agent)
  if (known !== undefined) return known
  const encoded = encodeIdentity({ agent, ...principals })
  byAgent.set(agent, encoded)
  return encoded
}

const encodedPurposes = new WeakMap<Purpose, Uint8Array>()

/** Encoded once for the calls that declare it in the same words. */
function purposeSection({ level }: CaptureContext, { purpose }: Claims): Uint8Array {
  if (purpose === undefined) return noPurpose
  if (level === 'metadata') return hiddenPurpose
  const encoded = encodedPurposes.get(purpose) ?? encodePurpose(purpose)
  encodedPurposes.set(purpose, encoded)
  return encoded
}

function parentOf(parentCallId: Uuid | undefined): Pick<RequestedDraft, 'parentCallId'> {
  return parentCallId === undefined ? {} : { parentCallId }
}

/** Ids that others chose go here and nowhere else, redacted: a client may put anything into them. */
function foreignIds(
  { redactor, level }: CaptureContext,
  {
    line,
    message,
    place,
    claims,
  }: { line: CapturedLine; message: ScannedMessage; place: RequestPlace; claims: Claims },
): ForeignIds {
  if (level === 'metadata') return {}
  const kept = (key: keyof ForeignIds, value: string | undefined): ForeignIds =>
    value === undefined ? {} : { [key]: clipText(redactor.redactText(value).text, idBytesMax) }
  const id = message.spans.get('id')
  const raw = id === undefined || id.end - id.start > idBytesMax ? undefined : (id.raw ?? bytesOf(line, id))
  const requestId = raw === undefined ? '' : new TextDecoder().decode(redactor.redactJson(raw).text)
  return {
    ...(requestId !== '' && Buffer.byteLength(requestId) <= idBytesMax ? { requestId } : {}),
    ...kept('conversationId', claims.conversation),
    ...kept('taskId', taskIdOf(message)),
    ...(isProtocolMethod(place.method) ? {} : kept('method', place.method)),
  }
}
