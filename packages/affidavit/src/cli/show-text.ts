import { type FieldName, fieldNames, type TwelveFields } from '@affidavit/evidence/record/fields'
import { type SectionName, sectionNames } from '@affidavit/evidence/record/kinds'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Terminal } from '@affidavit/sensor/cli/terminal'
import { judgeCall } from '../query/call-priority.ts'
import type { FetchedRecord } from '../query/fetch.ts'
import type { Priority } from '../query/priority.ts'
import { readPurpose } from '../query/purpose.ts'
import type { CallGroup } from '../query/sqlite/call-group.ts'
import { identityCell, type ListedCall, nameInFull, toolCell } from './call-columns.ts'
import { changeLines } from './change-lines.ts'
import { formatCount, formatLatency, formatNumberOf } from './format.ts'
import { outcomeStyle, priorityStyle } from './outcome-style.ts'
import { purposeLines } from './purpose-text.ts'
import type { ProofResult, Shown } from './show.ts'
import { describeConnection, sightingLines } from './sighting-text.ts'
import { touchedLines } from './touched-lines.ts'
import { describeFlow } from './value-flows.ts'

const labelWidth = 16
/** Lines of a section before it is cut: `--json` has it whole. */
const sectionLinesMax = 60

/** A call, or a single record, for a person. */
export function* showLines({ call, group, flows, records, keys }: Shown, terminal: Terminal): Generator<string> {
  if (call !== undefined) {
    yield* callLines(call, terminal)
    if (group !== undefined) yield* groupLines(group, terminal)
    for (const flow of flows?.in ?? []) yield flowLine(describeFlow(flow, 'target'), terminal)
    for (const flow of flows?.out ?? []) yield flowLine(describeFlow(flow, 'source'), terminal)
    yield ''
  }
  for (const { record } of records) {
    yield* recordLines(record, terminal)
    yield ''
  }
  yield terminal.paint('bold', 'Proof')
  for (const { record, proof } of records) yield* proofLines(record, proof, terminal)
  const where =
    keys.source === 'home'
      ? 'found beside the log (keys/log.pub): compare it with one kept elsewhere'
      : 'given with --key'
  yield label('key', `${keys.names.join(', ') || 'none'}, ${where}`)
}

function* callLines(listed: ListedCall, terminal: Terminal): Generator<string> {
  const { call, requested, completed, sighting } = listed
  const { status, server, latency } = call.fields
  const outcome = status.value?.outcome
  const took = latency.value === null ? '' : ` in ${formatLatency(latency.value.us)}`
  const title = toPrintable(`${toolCell({ requested, call })} on ${server.value?.name ?? 'an unknown server'}`)
  yield `${terminal.paint('bold', title)}: ${terminal.paint(outcomeStyle(outcome), outcome ?? 'open')}${took}`
  yield label('call', call.callId)
  const { reported } = requested.header
  if (reported !== undefined)
    yield label('reported', `by ${reported}: no sensor saw it, and everything in it is claimed`)
  yield label(
    'entries',
    completed === undefined
      ? `leaf:${requested.leaf}`
      : `leaf:${requested.leaf} (requested), leaf:${completed.leaf} (completed)`,
  )
  for (const line of sightingLines(sighting, terminal)) yield label(line.name, line.text)
  const { priority, reasons } = judgeCall(listed)
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  yield label('priority', `${paintPriority(priority, terminal)}${toPrintable(why)}`)
  const { complete, applicable } = call.completeness
  yield label('fields', `${complete} of ${applicable} complete`)
  for (const [i, name] of fieldNames.entries()) {
    yield fieldLine(i + 1, name, call.fields, terminal)
    if (name === 'classification') yield* touched(call.fields, terminal)
    if (name !== 'policy') continue
    yield* decided(call.fields, terminal)
    yield* declaredLines(requested.sections, terminal)
  }
}

function paintPriority(priority: Priority, terminal: Terminal): string {
  const style = priorityStyle(priority)
  return style === undefined ? priority : terminal.paint(style, priority)
}

/** Beside the classification: what it is the classification of. */
function* touched({ classification }: TwelveFields, terminal: Terminal): Generator<string> {
  const resources = classification.value?.resources
  if (resources === undefined) return
  for (const line of touchedLines(resources))
    yield `       ${terminal.paint('dim', 'touches'.padEnd(labelWidth))}${toPrintable(line)}`
}

/** Why it was decided so, where policies were asked. */
function* decided({ policy }: TwelveFields, terminal: Terminal): Generator<string> {
  const evaluation = policy.value?.evaluation
  if (evaluation === undefined || 'absent' in evaluation.engine) return
  yield `       ${terminal.paint('dim', 'because'.padEnd(labelWidth))}${toPrintable(evaluation.rationale)}`
}

/** Beside the decision: what it was said to be for. */
function* declaredLines(sections: FetchedRecord['sections'], terminal: Terminal): Generator<string> {
  const purpose = readPurpose(sections)
  if (purpose === undefined) return
  for (const line of purposeLines(purpose))
    yield `       ${terminal.paint('yellow', 'for'.padEnd(labelWidth))}${toPrintable(line)}`
}

function* groupLines({ outcome, exchanges, total }: CallGroup, terminal: Terminal): Generator<string> {
  const end = terminal.paint(outcomeStyle(outcome), outcome ?? 'open')
  yield label('one call', `of ${formatCount(total)} exchanges; what came of it: ${end}`)
  for (const { place, method, outcome: each } of exchanges)
    yield label('', `${place.callId}  ${method ?? 'a method of its own'}  ${each ?? 'open'}`)
}

function flowLine(text: string, terminal: Terminal): string {
  return label('values', terminal.paint('yellow', toPrintable(text)))
}

function fieldLine(number: number, name: FieldName, fields: TwelveFields, terminal: Terminal): string {
  const { reason, valid } = fields[name]
  const text = toPrintable(describeField(name, fields))
  const mark = valid
    ? terminal.paint('green', '✓')
    : terminal.paint(reason === 'not_applicable' ? 'dim' : 'yellow', '·')
  const why = reason === undefined ? '' : terminal.paint('dim', ` [${reason.replaceAll('_', ' ')}]`)
  return `  ${String(number).padStart(2)} ${mark} ${name.padEnd(labelWidth)}${text}${why}`
}

function describeField(name: FieldName, fields: TwelveFields): string {
  switch (name) {
    case 'identity':
      return identityCell(fields, nameInFull)
    case 'input':
      return fields.input.value === null
        ? '–'
        : `${formatCount(fields.input.value.bytes)} bytes; ${fields.input.value.json ?? ''}`
    case 'responseBytes':
      return fields.responseBytes.value === null ? '–' : formatCount(fields.responseBytes.value)
    case 'latency':
      return fields.latency.value === null ? '–' : `${fields.latency.value.ms} ms`
    case 'tool':
      return describeTool(fields.tool.value)
    case 'correlation':
      return describeCorrelation(fields.correlation.value)
    default:
      return describeMembers(fields[name].value)
  }
}

function describeTool(tool: TwelveFields['tool']['value']): string {
  if (tool === null) return '–'
  return 'name' in tool ? `${tool.name}, definition ${tool.definition}` : `unlisted, name digest ${tool.nameDigest}`
}

/** Ids, and both ends of every connection. */
function describeCorrelation(ids: TwelveFields['correlation']['value']): string {
  const network = Array.isArray(ids?.network) ? ids.network : []
  return [describeMembers(ids), ...network.map(describeConnection)].join(', ')
}

/** `name value, name value`: the members that say something in one line. */
function describeMembers(value: object | null): string {
  if (value === null) return '–'
  const parts = Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    if (typeof member === 'string' || typeof member === 'number') return [`${key} ${member}`]
    return Array.isArray(member) && member.length > 0 && typeof member[0] === 'string'
      ? [`${key} ${member.join(' ')}`]
      : []
  })
  return parts.join(', ')
}

function* recordLines(record: FetchedRecord, terminal: Terminal): Generator<string> {
  const { header, envelope, leaf } = record
  const what = 'stage' in header ? `${header.kind} ${header.stage}` : header.kind
  yield terminal.paint('bold', `Record ${what}`)
  yield label('entry', `leaf:${leaf}, stream ${header.streamId}, seq ${header.seq}`)
  yield label('reported' in header ? 'reported' : 'captured', `${header.time}, in the log ${envelope.observedTime}`)
  yield label('header', '')
  for (const [name, value] of Object.entries(header)) yield `      ${name.padEnd(labelWidth)}${headerCell(name, value)}`
  yield label('body', describeBody(record))
  for (const name of sectionNames) {
    const bytes = record.sections[name]
    const change =
      header.kind === 'change' && name === 'input' && bytes !== undefined ? readChange(bytes, terminal) : undefined
    if (change === undefined) yield* sectionLines(name, bytes, terminal)
    else yield* change
  }
}

/** What changed, line by line. Undefined where it is not a tool that did. */
function readChange(bytes: Uint8Array, terminal: Terminal): string[] | undefined {
  const lines = changeLines(Buffer.from(bytes).toString('utf8'), terminal)
  if (lines === undefined) return undefined
  return [
    label('  input', terminal.paint('dim', `${formatCount(bytes.length)} bytes`)),
    ...lines.map((line) => `      ${line}`),
  ]
}

/** Commitments are 44 characters of noise to a person: the names say which sections there are. */
function headerCell(name: string, value: unknown): string {
  if (name === 'sections' && typeof value === 'object' && value !== null) return Object.keys(value).join(', ') || 'none'
  return toPrintable(typeof value === 'string' ? value : JSON.stringify(value))
}

function describeBody({ body, sections }: FetchedRecord): string {
  switch (body) {
    case 'opened':
      return `${formatNumberOf(Object.keys(sections).length, 'section', 'sections')}, each fits the commitment in the header`
    case 'none':
      return 'none: the header commits to no section'
    case 'destroyed':
      return 'its key was destroyed: the header still proves that it was there'
    case 'locked':
      return 'keys/bodies.key is not here, so it stays closed'
    case 'missing':
      return 'MISSING: the header commits to sections, and there is no body'
    case 'corrupt':
      return 'ALTERED: it does not open, or does not fit the commitments in the header'
  }
}

function* sectionLines(name: SectionName, bytes: Uint8Array | undefined, terminal: Terminal): Generator<string> {
  if (bytes === undefined) return
  yield label(`  ${name}`, terminal.paint('dim', `${formatCount(bytes.length)} bytes`))
  const lines = [...indent(layOut(Buffer.from(bytes).toString('utf8')))]
  yield* lines.slice(0, sectionLinesMax)
  if (lines.length > sectionLinesMax) yield `      … ${lines.length - sectionLinesMax} more lines: --json has all of it`
}

/** For reading only: the numbers of `input` may exceed a double, so where that would alter the text it stays as it is. */
function layOut(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? JSON.stringify(value, undefined, 2) : text
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function* indent(text: string): Generator<string> {
  for (const line of text.split('\n')) yield `      ${toPrintable(line)}`
}

function* proofLines({ leaf }: FetchedRecord, result: ProofResult, terminal: Terminal): Generator<string> {
  if ('failure' in result) {
    yield label(`leaf:${leaf}`, `${terminal.paint('red', 'NOT PROVEN')}: ${toPrintable(result.failure)}`)
    return
  }
  const { checkpoint, hashes } = result.proof
  const path = formatNumberOf(hashes.length, 'hash', 'hashes')
  yield label(
    `leaf:${leaf}`,
    `${terminal.paint('green', 'verified')}: ${path} lead to the root of the checkpoint of size ${formatCount(checkpoint.size)}`,
  )
}

function label(name: string, text: string): string {
  return `  ${name.padEnd(labelWidth)}${text}`.trimEnd()
}
