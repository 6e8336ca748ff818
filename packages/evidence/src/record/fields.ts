import { isAbsent } from './absent.ts'
import { type DecisionSection, parseDecision } from './decision-section.ts'
import { type EnvironmentSection, type ForeignIds, parseEnvironment } from './environment-section.ts'
import { RecordError } from './error.ts'
import type {
  Classification, CompletedHeader, DecisionRef, KeyedDigest, RequestedHeader, ServerRef, Timestamp, ToolRef, Uuid,
} from './header.ts' // biome-ignore format: one list
import { type IdentitySection, parseIdentity } from './identity-section.ts'
import { JsonScanner } from './json-scan.ts'
import { type Outcome, type ResponseStatus, type SectionName, type SessionSource, toResponseStatus } from './kinds.ts'
import { parseResources, type ResourcesSection } from './resources-section.ts'
import type { Sections } from './sections.ts'

/** The twelve fields of a call in the order of DESIGN §3: what an auditor counts. */
export const fieldNames = [
  'timestamp', 'session', 'identity', 'server', 'tool', 'input', 'status', 'responseBytes', 'latency',
  'classification', 'policy', 'correlation',
] as const // biome-ignore format: one list, read as one
export type FieldName = (typeof fieldNames)[number]

/**
 * Why a field is not complete. `not_applicable`: the kind of exchange has no such field, so it is not counted.
 * `reduced`: captured at level `metadata`. `not_opened`: committed to, but its section was not handed over (withheld,
 * erased, or the keys are elsewhere). `continued`: the outcome comes with a later exchange of the group.
 */
export type FieldReason =
  | 'not_applicable' | 'reduced' | 'elided' | 'not_captured' | 'not_opened' | 'section_invalid' | 'not_completed'
  | 'no_response' | 'outcome_unknown' | 'continued' | 'session_absent' | 'agent_absent' | 'version_not_reported'
  | 'tool_unlisted' | 'unclassified' | 'undecided' // biome-ignore format: one list

/** `valid` implies `present`; a reason is there exactly where the field is not valid. `value` is what is known anyway. */
export interface Field<V> {
  present: boolean
  valid: boolean
  value: V | null
  reason?: FieldReason
}

export interface TwelveFields {
  timestamp: Field<{ time: Timestamp; observedTime?: Timestamp }>
  session: Field<{ source: SessionSource; id?: string; reason?: string }>
  identity: Field<IdentitySection>
  server: Field<ServerRef>
  tool: Field<ToolRef>
  /** `json`: the redacted input as JSON text. */
  input: Field<{ bytes: number; json?: string }>
  status: Field<{ outcome: Outcome; status?: ResponseStatus; httpStatus?: number; rpcCode?: number }>
  responseBytes: Field<number>
  latency: Field<{ us: number; ms: number }>
  classification: Field<Classification & { resources?: ResourcesSection }>
  policy: Field<DecisionRef & { evaluation?: DecisionSection }>
  correlation: Field<CallIds>
}

export interface CallIds {
  callId: Uuid
  callGroupId?: Uuid
  requestIdDigest: KeyedDigest
  traceId?: string
  spanId?: string
  foreign?: ForeignIds
  network?: EnvironmentSection['network']
}

/** Counted over applicable fields. `reduced` ones are present but not complete. */
export interface Completeness {
  complete: number
  reduced: number
  applicable: number
  incomplete: FieldName[]
}

export interface Call {
  callId: Uuid
  fields: TwelveFields
  completeness: Completeness
}

/** What else is known of a call: opened sections, whose bytes the caller holds against the commitments. */
export interface CallParts {
  requested?: Sections
  completed?: Sections
  observedTime?: Timestamp
}

/**
 * Joins the two records of an exchange into the call that is counted. `completed` is undefined while it is open.
 * Throws RecordError `bad_value` where the records are not of the same call; sections that do not parse only make
 * their fields invalid.
 */
export function joinCall(
  requested: RequestedHeader,
  completed: CompletedHeader | undefined,
  parts: CallParts = {},
): Call {
  if (completed !== undefined && completed.callId !== requested.callId)
    throw new RecordError('bad_value', 'callId', 'requested and completed are of different calls')
  const fields: TwelveFields = {
    timestamp: complete({ time: requested.time, ...(parts.observedTime && { observedTime: parts.observedTime }) }),
    session: judgeSession(requested, completed),
    identity: judgeIdentity(requested, parts),
    server: judgeServer(requested, completed),
    tool: judgeTool(requested),
    input: judgeInput(requested, parts),
    status: judgeStatus(completed),
    responseBytes: judgeSize(completed, completed?.responseBytes),
    latency: judgeLatency(completed),
    classification: judgeClassification(requested, completed, parts),
    policy: judgePolicy(requested, parts),
    correlation: judgeCorrelation(requested, completed, parts),
  }
  return { callId: requested.callId, fields, completeness: countComplete(fields) }
}

function countComplete(fields: TwelveFields): Completeness {
  const applicable = fieldNames.filter((name) => fields[name].reason !== 'not_applicable')
  return {
    complete: applicable.filter((name) => fields[name].valid).length,
    reduced: applicable.filter((name) => fields[name].reason === 'reduced').length,
    applicable: applicable.length,
    incomplete: applicable.filter((name) => !fields[name].valid),
  }
}

function complete<V>(value: V): Field<V> {
  return { present: true, valid: true, value }
}

/** Something is there, but it is not what the field asks for. */
function invalid<V>(value: V | null, reason: FieldReason): Field<V> {
  return { present: true, valid: false, value, reason }
}

function missing<V>(reason: FieldReason, value: V | null = null): Field<V> {
  return { present: false, valid: false, value, reason }
}

/** A request that opens a session belongs to it, though only the answer has its id. */
function judgeSession(
  { sessionSource: source, sessionId, sessionReason }: RequestedHeader,
  completed: CompletedHeader | undefined,
): TwelveFields['session'] {
  if (completed?.sessionId !== undefined) return complete({ source: 'legacy-http', id: completed.sessionId })
  if (sessionId !== undefined) return complete({ source, id: sessionId })
  return missing('session_absent', { source, ...(sessionReason !== undefined && { reason: sessionReason }) })
}

/** The agent has to be named; user, role and token count where they are named or absent for a stated reason. */
function judgeIdentity(requested: RequestedHeader, parts: CallParts): TwelveFields['identity'] {
  const section = open(requested, parts.requested, 'identity', parseIdentity)
  if (!('value' in section)) return missOrInvalid(section.reason)
  return isAbsent(section.value.agent) ? missing('agent_absent', section.value) : complete(section.value)
}

function judgeServer(requested: RequestedHeader, completed: CompletedHeader | undefined): TwelveFields['server'] {
  const server = { ...requested.server, ...completed?.server }
  return server.version === undefined ? invalid(server, 'version_not_reported') : complete(server)
}

function judgeTool({ method, tool }: RequestedHeader): TwelveFields['tool'] {
  if (tool === undefined) return missing(method === 'tools/call' ? 'not_captured' : 'not_applicable')
  return 'name' in tool ? complete(tool) : invalid(tool, 'tool_unlisted')
}

function judgeInput(requested: RequestedHeader, parts: CallParts): TwelveFields['input'] {
  const bytes = requested.inputBytes
  const section = open(requested, parts.requested, 'input', parseText)
  if (!('value' in section)) {
    const missed: TwelveFields['input'] = missOrInvalid(section.reason)
    return { ...missed, value: { bytes } }
  }
  const value = { bytes, json: section.value }
  if (requested.level === 'metadata') return invalid(value, 'reduced')
  return section.value.startsWith('{"$elided":') ? invalid(value, 'elided') : complete(value)
}

function judgeStatus(completed: CompletedHeader | undefined): TwelveFields['status'] {
  if (completed === undefined) return missing('not_completed')
  const { outcome, httpStatus, rpcCode } = completed
  const status = toResponseStatus(outcome)
  const value = {
    outcome,
    ...(status !== undefined && { status }),
    ...(httpStatus !== undefined && { httpStatus }),
    ...(rpcCode !== undefined && { rpcCode }),
  }
  if (outcome === 'unknown') return invalid(value, 'outcome_unknown')
  return outcome === 'continued' ? invalid(value, 'continued') : complete(value)
}

function judgeSize(completed: CompletedHeader | undefined, size: number | undefined): Field<number> {
  if (completed === undefined) return missing('not_completed')
  return size === undefined ? missing('no_response') : complete(size)
}

function judgeLatency(completed: CompletedHeader | undefined): TwelveFields['latency'] {
  const us = completed?.latencyUs
  if (us === undefined) return missing(completed === undefined ? 'not_completed' : 'no_response')
  return complete({ us, ms: us / 1_000 })
}

function judgeClassification(
  requested: RequestedHeader,
  completed: CompletedHeader | undefined,
  parts: CallParts,
): TwelveFields['classification'] {
  const classification = completed?.classification ?? requested.classification
  const sections = [
    open(requested, parts.requested, 'resources', parseResources),
    ...(completed === undefined ? [] : [open(completed, parts.completed, 'resources', parseResources)]),
  ]
  const opened = sections.flatMap((section) => ('value' in section ? [section.value] : []))
  const value = { ...classification, ...(opened.length > 0 && { resources: mergeResources(opened) }) }
  if (sections.some((section) => 'reason' in section && section.reason === 'section_invalid'))
    return invalid(value, 'section_invalid')
  return classification.level === 'unclassified' ? invalid(value, 'unclassified') : complete(value)
}

/** What was asked for, and what was touched then. */
function mergeResources(sections: readonly ResourcesSection[]): ResourcesSection {
  const statements = sections.flatMap((section) => section.statements ?? [])
  return {
    ...(statements.length === 0 ? {} : { statements }),
    resources: sections.flatMap(({ resources }) => resources),
    omitted: sections.reduce((sum, { omitted }) => sum + omitted, 0),
  }
}

function judgePolicy(requested: RequestedHeader, parts: CallParts): TwelveFields['policy'] {
  const section = open(requested, parts.requested, 'decision', parseDecision)
  const value = { ...requested.decision, ...('value' in section && { evaluation: section.value }) }
  if (requested.decision.disposition === 'undecided') return invalid(value, 'undecided')
  return 'value' in section ? complete(value) : { ...missOrInvalid(section.reason), present: true, value }
}

function judgeCorrelation(
  requested: RequestedHeader,
  completed: CompletedHeader | undefined,
  parts: CallParts,
): TwelveFields['correlation'] {
  const section = open(requested, parts.requested, 'environment', parseEnvironment)
  const answered = completed && open(completed, parts.completed, 'environment', parseEnvironment)
  const { callId, callGroupId, requestIdDigest, traceId, spanId } = requested
  const value = {
    callId,
    requestIdDigest,
    ...(callGroupId !== undefined && { callGroupId }),
    ...(traceId !== undefined && { traceId }),
    ...(spanId !== undefined && { spanId }),
    ...('value' in section && { foreign: section.value.ids, network: networkOf(section.value, answered) }),
  }
  return 'reason' in section && section.reason === 'section_invalid' ? invalid(value, section.reason) : complete(value)
}

/** Connections that only the answer's record knows come behind those of the request's. */
function networkOf(
  { network }: EnvironmentSection,
  answered: Opened<EnvironmentSection> | undefined,
): EnvironmentSection['network'] {
  const later = answered !== undefined && 'value' in answered ? answered.value.network : []
  if (!Array.isArray(later) || later.length === 0) return network
  return Array.isArray(network) ? [...network, ...later] : later
}

type Opened<V> = { value: V } | { reason: 'not_captured' | 'not_opened' | 'section_invalid' }

/** A section of a record: committed to or not, handed over or not, readable or not. */
function open<V>(
  header: RequestedHeader | CompletedHeader,
  sections: Sections | undefined,
  name: SectionName,
  parse: (bytes: Uint8Array) => V,
): Opened<V> {
  if (header.sections[name] === undefined) return { reason: 'not_captured' }
  const bytes = sections?.[name]
  if (bytes === undefined) return { reason: 'not_opened' }
  try {
    return { value: parse(bytes) }
  } catch (error) {
    if (error instanceof RecordError) return { reason: 'section_invalid' }
    throw error
  }
}

function missOrInvalid<V>(reason: 'not_captured' | 'not_opened' | 'section_invalid'): Field<V> {
  return reason === 'not_captured' ? missing(reason) : invalid<V>(null, reason)
}

/** `input` is JSON text whose bytes stay as they are; only its form is judged. */
function parseText(bytes: Uint8Array): string {
  const scanner = new JsonScanner(() => undefined, { tokenBytesMax: 0 })
  scanner.push(bytes)
  const problem = scanner.end()
  if (problem !== undefined)
    throw new RecordError(problem.code, `byte ${problem.offset}`, 'the section input is not JSON text')
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
