import type { Envelope } from '@affidavit/evidence/record/envelope'
import type { Classification, CompletedHeader, Header, RequestedHeader } from '@affidavit/evidence/record/header'
import { toResponseStatus } from '@affidavit/evidence/record/kinds'
import type { Purpose } from '@affidavit/evidence/record/purpose-section'
import { clipText } from '@affidavit/evidence/record/text'
import type { Actor } from '../actor.ts'
import { toMachineKey, toRequestKey } from '../links.ts'
import { judgeOutcome, judgeRequest, rankOf, toRequestFacts } from '../priority.ts'
import { noPriorityFacts, type PriorityFacts } from '../priority-facts.ts'
import type { Surroundings } from '../surroundings.ts'
import { type CallMarks, toMarkBytes } from '../value-marks.ts'

/** One log entry, parsed, with what the index takes from its body. */
export interface IndexedEntry<H extends Header = Header> {
  leaf: number
  header: H
  /** Hash of the header line: 32 bytes, what `requestedHash` of the completed record names. */
  headerHash: Uint8Array
  envelope: Envelope
  actor: Actor
  /** Undefined where the body does not tell them. */
  surroundings: Surroundings | undefined
  /** Undefined where none is declared, or the body does not tell it. */
  purpose?: Purpose | undefined
  /** Undefined where the body does not tell them. */
  priority?: PriorityFacts | undefined
  /** Undefined where the body does not tell them. */
  marks?: CallMarks | undefined
}

export type Value = string | number | Uint8Array | null

/** A column is a name and a function of the entry alone: writing it, rebuilding it and verifying it are one thing. */
export interface ColumnRule<H extends Header> {
  name: string
  value(entry: IndexedEntry<H>): Value
}

export const requestedColumns: readonly ColumnRule<RequestedHeader>[] = [
  { name: 'leaf', value: ({ leaf }) => leaf },
  { name: 'callId', value: ({ header }) => header.callId },
  { name: 'callGroupId', value: ({ header }) => header.callGroupId ?? null },
  { name: 'parentCallId', value: ({ header }) => header.parentCallId ?? null },
  { name: 'streamId', value: ({ header }) => header.streamId },
  { name: 'seq', value: ({ header }) => header.seq },
  { name: 'headerHash', value: ({ headerHash }) => headerHash },
  { name: 'time', value: ({ header }) => Date.parse(header.time) },
  { name: 'observedTime', value: ({ envelope }) => Date.parse(envelope.observedTime) },
  { name: 'bootId', value: ({ header }) => Buffer.from(header.bootId.replaceAll('-', ''), 'hex') },
  { name: 'monotonicUs', value: ({ header }) => header.monotonicUs },
  { name: 'kind', value: ({ header }) => header.kind },
  { name: 'vantage', value: ({ header }) => header.vantage },
  { name: 'reported', value: ({ header }) => header.reported ?? null },
  { name: 'direction', value: ({ header }) => header.direction },
  { name: 'method', value: ({ header }) => header.method ?? null },
  { name: 'methodDigest', value: ({ header }) => header.methodDigest ?? null },
  { name: 'requestKey', value: ({ header }) => toRequestKey(header) },
  { name: 'machineKey', value: ({ header, surroundings }) => toMachineKey(header, surroundings) ?? null },
  { name: 'sessionSource', value: ({ header }) => header.sessionSource },
  { name: 'sessionId', value: ({ header }) => header.sessionId ?? null },
  { name: 'server', value: ({ header }) => header.server.name },
  { name: 'serverName', value: ({ header }) => header.server.reportedName ?? null },
  { name: 'serverVersion', value: ({ header }) => header.server.version ?? null },
  { name: 'tool', value: ({ header: { tool } }) => (tool !== undefined && 'name' in tool ? tool.name : null) },
  {
    name: 'toolDigest',
    value: ({ header: { tool } }) => (tool !== undefined && 'nameDigest' in tool ? tool.nameDigest : null),
  },
  {
    name: 'toolDefinition',
    value: ({ header: { tool } }) => (tool !== undefined && 'name' in tool ? tool.definition : null),
  },
  { name: 'effect', value: ({ header }) => header.effect },
  { name: 'effectClass', value: ({ header }) => header.effectClass ?? null },
  { name: 'level', value: ({ header }) => header.level },
  { name: 'disposition', value: ({ header }) => header.decision.disposition },
  { name: 'mode', value: ({ header }) => header.decision.mode },
  { name: 'classification', value: ({ header }) => header.classification.level },
  { name: 'tags', value: ({ header }) => JSON.stringify(header.classification.tags) },
  { name: 'inputBytes', value: ({ header }) => header.inputBytes },
  { name: 'traceId', value: ({ header }) => header.traceId ?? null },
  { name: 'spanId', value: ({ header }) => header.spanId ?? null },
  { name: 'subject', value: ({ envelope }) => envelope.subject ?? null },
  { name: 'credential', value: ({ envelope }) => envelope.credential ?? null },
  { name: 'tokenFingerprint', value: ({ actor }) => actor.tokenFingerprint ?? null },
  { name: 'agent', value: ({ actor }) => actor.agent ?? null },
  { name: 'agentId', value: ({ actor }) => actor.agentId ?? null },
  { name: 'agentVersion', value: ({ actor }) => actor.agentVersion ?? null },
  { name: 'user', value: ({ actor }) => actor.user ?? null },
  { name: 'userId', value: ({ actor }) => actor.userId ?? null },
  { name: 'run', value: ({ actor }) => actor.run ?? null },
  { name: 'purpose', value: ({ purpose }) => (purpose === undefined ? null : clipText(purpose.statement)) },
  {
    name: 'requestedPriority',
    value: ({ header, priority }) => rankOf(judgeRequest(toRequestFacts(header, priority ?? noPriorityFacts)).priority),
  },
]

export const completedColumns: readonly ColumnRule<CompletedHeader>[] = [
  { name: 'completedLeaf', value: ({ leaf }) => leaf },
  { name: 'completedStreamId', value: ({ header }) => header.streamId },
  { name: 'completedSeq', value: ({ header }) => header.seq },
  { name: 'completedTime', value: ({ header }) => Date.parse(header.time) },
  { name: 'completedObservedTime', value: ({ envelope }) => Date.parse(envelope.observedTime) },
  { name: 'completedMonotonicUs', value: ({ header }) => header.monotonicUs },
  { name: 'completedSessionId', value: ({ header }) => header.sessionId ?? null },
  { name: 'completedServerName', value: ({ header }) => header.server?.reportedName ?? null },
  { name: 'completedServerVersion', value: ({ header }) => header.server?.version ?? null },
  { name: 'completedClassification', value: ({ header }) => header.classification?.level ?? null },
  { name: 'completedTags', value: ({ header }) => toTags(header.classification) },
  { name: 'outcome', value: ({ header }) => header.outcome },
  { name: 'status', value: ({ header }) => toResponseStatus(header.outcome) ?? null },
  { name: 'httpStatus', value: ({ header }) => header.httpStatus ?? null },
  { name: 'rpcCode', value: ({ header }) => header.rpcCode ?? null },
  { name: 'responseBytes', value: ({ header }) => header.responseBytes ?? null },
  { name: 'latencyUs', value: ({ header }) => header.latencyUs ?? null },
  { name: 'completedPriority', value: ({ header }) => rankOf(judgeOutcome(header).priority) },
]

/** Everything that is no half of a call, and halves that found no partner: so that nothing in the log is invisible. */
export const recordColumns: readonly ColumnRule<Header>[] = [
  { name: 'leaf', value: ({ leaf }) => leaf },
  { name: 'kind', value: ({ header }) => header.kind },
  { name: 'stage', value: ({ header }) => ('stage' in header ? header.stage : null) },
  { name: 'streamId', value: ({ header }) => header.streamId },
  { name: 'seq', value: ({ header }) => header.seq },
  { name: 'time', value: ({ header }) => Date.parse(header.time) },
  { name: 'observedTime', value: ({ envelope }) => Date.parse(envelope.observedTime) },
  { name: 'server', value: ({ header }) => ('server' in header ? (header.server?.name ?? null) : null) },
  { name: 'callId', value: ({ header }) => callOf(header) },
  { name: 'credential', value: ({ envelope }) => envelope.credential ?? null },
  { name: 'tokenFingerprint', value: ({ actor }) => actor.tokenFingerprint ?? null },
  { name: 'agent', value: ({ actor }) => actor.agent ?? null },
  { name: 'user', value: ({ actor }) => actor.user ?? null },
  { name: 'event', value: ({ header }) => eventOf(header) },
  { name: 'detail', value: ({ header }) => ('detail' in header ? JSON.stringify(header.detail) : '{}') },
]

function toTags(classification: Classification | undefined): string | null {
  return classification === undefined ? null : JSON.stringify(classification.tags)
}

function callOf(header: Header): string | null {
  if ('callId' in header) return header.callId
  if (header.kind === 'approval') return header.detail.callId
  return header.kind === 'notify' ? (header.detail.callId ?? null) : null
}

/** One word for the table: what happened. */
function eventOf(header: Header): string {
  switch (header.kind) {
    case 'stream':
    case 'gap':
    case 'change':
    case 'auth':
      return header.detail.event
    case 'approval':
      return header.detail.verdict
    case 'violation':
      return header.detail.code
    case 'notify':
      return header.detail.method ?? 'unlisted'
    case 'epoch':
      return 'opened'
    case 'heartbeat':
      return 'alive'
    default:
      return 'stage' in header ? `${header.stage} without partner` : header
  }
}

/** Rows of `valueMarks` that a `completed` record gives. */
export function valueMarkRows({ leaf, marks }: IndexedEntry): { mark: Buffer; side: number; leaf: number }[] {
  return [marks?.read, marks?.sent].flatMap((each, side) => toMarkBytes(each).map((mark) => ({ mark, side, leaf })))
}
