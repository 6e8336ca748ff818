import { isAbsent } from '@affidavit/evidence/record/absent'
import type { TwelveFields } from '@affidavit/evidence/record/fields'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import { vantages } from '@affidavit/evidence/record/kinds'
import { cutText } from '@affidavit/sensor/cli/printable'
import { judgeCall } from '../query/call-priority.ts'
import type { FetchedCall } from '../query/fetch.ts'
import { isDisagreement, type Sighting } from '../query/sqlite/sightings.ts'
import { formatBytes, formatLatency, shortenId } from './format.ts'
import { outcomeStyle, priorityStyle } from './outcome-style.ts'
import { describePurpose } from './purpose-text.ts'
import type { Column } from './table.ts'

/** What stands where a field is not known. */
const unknown = '–'
/** Characters of an input that a table shows at most; `show` and `--json` have it whole. */
const inputPreview = 60
/** Larger inputs are not parsed for the sake of a name in a table. */
const parsedInputMax = 1_000_000
/** Where only the digest of a tool's name is at hand. */
export const unlistedTool = 'unlisted tool'

/** A call as it is listed: what was recorded, and from where it was seen. */
export interface ListedCall extends FetchedCall {
  sighting: Sighting
}

/** The twelve fields as columns, in the order of the record. Names that are only claimed say so. */
export function callColumns(times: 'day and time' | 'time of day'): readonly Column<ListedCall>[] {
  return [
    {
      title: times === 'time of day' ? 'TIME' : 'TIME (UTC)',
      cell: ({ requested }) => formatWhen(requested.header.time, times),
      style: () => 'dim',
    },
    { title: 'SESSION', cell: ({ call }) => sessionCell(call.fields), style: () => 'dim', leaves: 9 },
    { title: 'AGENT', cell: ({ call }) => identityCell(call.fields), widthMin: 22, leaves: 3 },
    { title: 'SERVER', cell: ({ call }) => serverCell(call.fields), widthMin: 8, leaves: 4 },
    {
      title: 'TOOL',
      cell: toolCell,
      widthMin: 12,
      style: ({ requested }) => (requested.header.tool ? undefined : 'dim'),
    },
    { title: 'INPUT', cell: ({ call }) => inputCell(call.fields), widthMin: 12, leaves: 2 },
    {
      title: 'STATUS',
      cell: ({ call }) => statusCell(call.fields),
      widthMin: 15,
      style: ({ call }) => outcomeStyle(call.fields.status.value?.outcome),
    },
    { title: 'BYTES', cell: ({ call }) => bytesCell(call.fields), align: 'right', leaves: 6 },
    { title: 'LATENCY', cell: ({ call }) => latencyCell(call.fields), align: 'right', leaves: 5 },
    {
      title: 'CLASS',
      cell: ({ call }) => classCell(call.fields),
      style: markIncomplete('classification'),
      widthMin: 8,
      leaves: 8,
    },
    {
      title: 'POLICY',
      cell: ({ call }) => policyCell(call.fields),
      style: markIncomplete('policy'),
      widthMin: 7,
      leaves: 7,
    },
    {
      title: 'PRIORITY',
      cell: (call) => judgeCall(call).priority,
      style: (call) => priorityStyle(judgeCall(call).priority),
      leaves: 2,
    },
    { title: 'PURPOSE', cell: purposeCell, style: () => 'dim', widthMin: 16, leaves: 2 },
    {
      title: 'VANTAGE',
      cell: vantageCell,
      style: ({ sighting }) => (isDisputed(sighting) ? 'red' : 'dim'),
      widthMin: 14,
      leaves: 1,
    },
    { title: 'ID', cell: ({ call }) => shortenId(call.callId), style: () => 'cyan' },
  ]
}

/** `demo-agent (claimed) for ana (attested)` */
export function identityCell(
  { identity }: Pick<TwelveFields, 'identity'>,
  name: (actor: Actor) => string = nameShortly,
): string {
  if (identity.value === null) return identity.reason === 'not_opened' ? '(sealed)' : unknown
  const { agent, user } = identity.value
  const agentText = isAbsent(agent) ? unknown : name(agent)
  return isAbsent(user) ? agentText : `${agentText} for ${name(user)}`
}

/** Never without how far it may be believed. */
export function nameInFull(actor: Actor): string {
  const version = actor.version === undefined ? '' : ` ${actor.version}`
  return `${actor.name ?? actor.id}${version} (${actor.assurance})`
}

function nameShortly(actor: Actor): string {
  return `${actor.name ?? actor.id} (${actor.assurance})`
}

/** A name that the server never listed is the client's word: it stands in the body, where that can be opened. */
export function toolCell({ requested, call }: Pick<FetchedCall, 'requested' | 'call'>): string {
  const { tool, method } = requested.header
  if (tool === undefined) return method ?? 'unknown method'
  if ('name' in tool) return tool.name
  const name = readToolName(call.fields.input.value?.json)
  return name === undefined ? unlistedTool : `${name} (unlisted)`
}

function readToolName(json: string | undefined): string | undefined {
  if (json === undefined || json.length > parsedInputMax) return undefined
  const input = knownOf(parseInput(json))
  if (typeof input !== 'object' || input === null || !('name' in input)) return undefined
  return typeof input.name === 'string' ? cutText(input.name, inputPreview) : undefined
}

/** Where a reporter told a part of the input, that part. */
function knownOf(input: unknown): unknown {
  const elided = typeof input === 'object' && input !== null && '$elided' in input ? input.$elided : undefined
  return typeof elided === 'object' && elided !== null && 'known' in elided ? elided.known : input
}

/** What an agent sent need not be JSON; then it names nothing. */
function parseInput(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The usual case, in which a column for it says nothing. */
export function isSeenOnlyFromGateways({ sighting }: ListedCall): boolean {
  const { vantage, reported, others, possible } = sighting
  return vantage === 'gateway' && reported === undefined && others.length === 0 && possible.length === 0
}

/** Of most calls nobody says what they are for: then a column for it says nothing. */
export function isWithoutPurpose(call: ListedCall): boolean {
  return describePurpose(call) === undefined
}

/** Then a column for it says nothing. */
export function isOfLowPriority(call: ListedCall): boolean {
  return judgeCall(call).priority === 'low'
}

function purposeCell(call: ListedCall): string {
  const purpose = describePurpose(call)
  return purpose === undefined ? unknown : cutText(`(claimed) ${purpose}`, inputPreview)
}

/** `≠ gateway+server`; marks come first, for the rest may be cut. */
function vantageCell({ sighting }: ListedCall): string {
  const marks = [...(isDisputed(sighting) ? ['≠'] : []), ...(sighting.possible.length > 0 ? ['?'] : [])]
  return [...marks, nameVantages(sighting)].join(' ')
}

/** `gateway+server`, from the client to the server; what was only reported says so. */
export function nameVantages(sighting: Sighting): string {
  const all = [...sighting.others, sighting].sort((a, b) => vantages.indexOf(a.vantage) - vantages.indexOf(b.vantage))
  return all.map(({ vantage, reported }) => (reported === undefined ? vantage : `${vantage}(reported)`)).join('+')
}

function isDisputed({ differences, others }: Sighting): boolean {
  return [...differences, ...others.flatMap((other) => other.differences)].some(isDisagreement)
}

/** An HTTP status says more than the outcome where it is not the usual one. */
function statusCell({ status }: TwelveFields): string {
  const { outcome, httpStatus } = status.value ?? {}
  return httpStatus === undefined || httpStatus === 200 ? (outcome ?? 'open') : `${outcome} ${httpStatus}`
}

function markIncomplete(field: 'classification' | 'policy') {
  return ({ call }: FetchedCall) => (call.fields[field].valid ? undefined : ('dim' as const))
}

function formatWhen(time: string, times: 'day and time' | 'time of day'): string {
  return times === 'time of day' ? time.slice(11, 23) : time.replace('T', ' ').slice(0, 23)
}

function sessionCell({ session }: TwelveFields): string {
  return session.value?.id === undefined ? unknown : shortenId(session.value.id)
}

function serverCell({ server }: TwelveFields): string {
  if (server.value === null) return unknown
  const { name, version } = server.value
  return version === undefined ? name : `${name} ${version}`
}

/** Of a tool call its arguments: the name stands in the column before. */
function inputCell({ input }: TwelveFields): string {
  if (input.value?.json !== undefined) return cutText(previewInput(input.value.json), inputPreview)
  return input.reason === 'not_opened' ? '(sealed)' : unknown
}

function previewInput(json: string): string {
  // Only for looking at: `show` and `--json` have the text as it was recorded.
  const prefix = /^\{"name":"[^"\\]*","arguments":/.exec(json)
  return prefix === null ? json : json.slice(prefix[0].length, -1)
}

function bytesCell({ responseBytes }: TwelveFields): string {
  return responseBytes.value === null ? unknown : formatBytes(responseBytes.value)
}

function latencyCell({ latency }: TwelveFields): string {
  return latency.value === null ? unknown : formatLatency(latency.value.us)
}

function classCell({ classification }: TwelveFields): string {
  if (classification.value === null) return unknown
  return [classification.value.level, ...classification.value.tags].join(' ')
}

function policyCell({ policy }: TwelveFields): string {
  return policy.value?.disposition ?? unknown
}
