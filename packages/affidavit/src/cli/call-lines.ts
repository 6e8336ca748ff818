import { isAbsent } from '@affidavit/evidence/record/absent'
import { judgeCall } from '../query/call-priority.ts'
import { readPurpose } from '../query/purpose.ts'
import { isDisagreement, type Sighting } from '../query/sqlite/sightings.ts'
import { type ListedCall, nameVantages } from './call-columns.ts'
import { formatCsvLine } from './csv.ts'
import { formatEnd } from './format.ts'
import { describePurpose } from './purpose-text.ts'
import { toSightingObject } from './sighting-object.ts'

/** One line of `--json`: the call with its twelve fields, each with what is known and whether it counts as complete. */
export function toJsonLine(listed: ListedCall): string {
  return `${JSON.stringify(toCallObject(listed))}\n`
}

export function toCallObject(listed: ListedCall) {
  const { call, requested, completed, sighting } = listed
  const { kind, method, direction, level, effect } = requested.header
  return {
    id: call.callId,
    kind,
    method,
    direction,
    ...toSightingObject(sighting),
    level,
    effect,
    ...judgeCall(listed),
    leaves: { requested: requested.leaf, completed: completed?.leaf ?? null },
    purpose: readPurpose(requested.sections) ?? null,
    fields: call.fields,
    completeness: call.completeness,
  }
}

type Cell = string | number | undefined
const csvColumns: readonly { name: string; cell(call: ListedCall): Cell }[] = [
  { name: 'id', cell: ({ call }) => call.callId },
  { name: 'time', cell: ({ requested }) => requested.header.time },
  { name: 'observed_time', cell: ({ requested }) => requested.envelope.observedTime },
  { name: 'vantages', cell: ({ sighting }) => nameVantages(sighting) },
  { name: 'disagreements', cell: ({ sighting }) => disagreementsOf(sighting) },
  { name: 'possibly_same', cell: ({ sighting }) => sighting.possible.map(({ callId }) => callId).join(' ') },
  { name: 'reported', cell: ({ sighting }) => sighting.reported },
  { name: 'session', cell: ({ call }) => call.fields.session.value?.id },
  { name: 'session_source', cell: ({ call }) => call.fields.session.value?.source },
  { name: 'agent', cell: (call) => actorOf(call, 'agent')?.name },
  { name: 'agent_assurance', cell: (call) => actorOf(call, 'agent')?.assurance },
  { name: 'user', cell: (call) => actorOf(call, 'user')?.name },
  { name: 'user_assurance', cell: (call) => actorOf(call, 'user')?.assurance },
  { name: 'server', cell: ({ call }) => call.fields.server.value?.name },
  { name: 'server_version', cell: ({ call }) => call.fields.server.value?.version },
  { name: 'method', cell: ({ requested }) => requested.header.method },
  {
    name: 'tool',
    cell: ({
      requested: {
        header: { tool },
      },
    }) => (tool && 'name' in tool ? tool.name : tool?.nameDigest),
  },
  { name: 'tool_definition', cell: ({ requested }) => requested.header.tool?.definition },
  { name: 'input', cell: ({ call }) => call.fields.input.value?.json },
  { name: 'input_bytes', cell: ({ requested }) => requested.header.inputBytes },
  { name: 'status', cell: ({ call }) => call.fields.status.value?.status },
  { name: 'outcome', cell: ({ call }) => call.fields.status.value?.outcome ?? 'open' },
  { name: 'http_status', cell: ({ call }) => call.fields.status.value?.httpStatus },
  { name: 'rpc_code', cell: ({ call }) => call.fields.status.value?.rpcCode },
  { name: 'response_bytes', cell: ({ call }) => call.fields.responseBytes.value ?? undefined },
  { name: 'latency_ms', cell: ({ call }) => call.fields.latency.value?.ms },
  { name: 'classification', cell: ({ call }) => call.fields.classification.value?.level },
  { name: 'tags', cell: ({ call }) => call.fields.classification.value?.tags.join(' ') },
  { name: 'decision', cell: ({ call }) => call.fields.policy.value?.disposition },
  { name: 'policies', cell: policiesOf },
  { name: 'purpose_claimed', cell: describePurpose },
  { name: 'trace_id', cell: ({ requested }) => requested.header.traceId },
  { name: 'span_id', cell: ({ requested }) => requested.header.spanId },
  { name: 'request_id_digest', cell: ({ requested }) => requested.header.requestIdDigest },
  { name: 'client_address', cell: (call) => addressOf(call, 'client') },
  { name: 'server_address', cell: (call) => addressOf(call, 'server') },
  { name: 'complete_fields', cell: ({ call }) => call.completeness.complete },
  { name: 'applicable_fields', cell: ({ call }) => call.completeness.applicable },
  { name: 'priority', cell: (call) => judgeCall(call).priority },
]

export function csvTitle(): string {
  return formatCsvLine(csvColumns.map(({ name }) => name))
}

export function toCsvLine(listed: ListedCall): string {
  return formatCsvLine(csvColumns.map(({ cell }) => cell(listed)))
}

function actorOf({ call }: ListedCall, role: 'agent' | 'user'): { name: string; assurance: string } | undefined {
  const actor = call.fields.identity.value?.[role]
  if (actor === undefined || isAbsent(actor)) return undefined
  return { name: actor.name ?? actor.id, assurance: actor.assurance }
}

function policiesOf({ call }: ListedCall): string | undefined {
  return call.fields.policy.value?.evaluation?.policies.map(({ id, verdict }) => `${id}=${verdict}`).join(' ')
}

/** Of the first connection to that peer, its own end. */
function addressOf({ call }: ListedCall, peer: 'client' | 'server'): string | undefined {
  const { network } = call.fields.correlation.value ?? {}
  const connection = Array.isArray(network) ? network.find((one) => one.peer === peer) : undefined
  return connection && formatEnd(connection.remoteAddress, connection.remotePort)
}

/** What the vantages do not agree about. */
function disagreementsOf({ differences, others }: Sighting): string {
  const all = [...differences, ...others.flatMap((other) => other.differences)].filter(isDisagreement)
  return [...new Set(all.map(({ field }) => field))].join(' ')
}
