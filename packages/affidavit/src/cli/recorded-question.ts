import { isAbsent } from '@affidavit/evidence/record/absent'
import { type DecisionSection, parseDecision } from '@affidavit/evidence/record/decision-section'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { RequestedHeader } from '@affidavit/evidence/record/header'
import { JsonScanner } from '@affidavit/evidence/record/json-scan'
import { isRequestMethod } from '@affidavit/sensor/capture/methods'
import { effectFor, hasArguments, isAsked, targetPart } from '@affidavit/sensor/policy/asked'
import type { PolicyRequest } from '@affidavit/sensor/policy/decision-point'
import type { RecordedQuestion } from '@affidavit/sensor/policy/replay'
import { markerStart } from '@affidavit/sensor/redact/marker'
import type { FetchedRecord } from '../query/fetch.ts'
import { readMembers, readText } from './json-members.ts'

type Requested = FetchedRecord<RequestedHeader>
type Place = RecordedQuestion['missing'][number]

/** What a decision point would be asked about a recorded call; or why that cannot be told; or that it is not asked. */
export type Reconstructed =
  | { is: 'question'; question: RecordedQuestion }
  | { is: 'unknown'; lacks: string }
  | { is: 'not_asked' }

/** Nothing is put in the place of what is not on record: it is named as missing. */
export function reconstruct({ header, sections }: Requested): Reconstructed {
  if (!isAsked(header.kind) || header.direction === 'to-client' || header.reported !== undefined)
    return { is: 'not_asked' }
  const { identity, resources, input } = sections
  if (identity === undefined) return { is: 'unknown', lacks: 'principal' }
  const method = header.method ?? 'other'
  const members = input === undefined ? undefined : readMembers(input)
  const target = targetOf(header, members)
  if (target === 'unknown') return { is: 'unknown', lacks: 'resource' }
  const args = argumentsOf(method, input, members)
  const posture = postureOf(sections.environment)
  return {
    is: 'question',
    question: {
      request: {
        method,
        isKnownMethod: header.method !== undefined && isRequestMethod(method),
        effect: effectFor(header, method),
        server: header.server.name,
        target,
        identity,
        classification: header.classification,
        resources,
        arguments: args.json,
        timeMs: Date.parse(header.time),
        session: undefined,
        posture: posture.seen,
      },
      missing: [
        ...args.missing,
        ...posture.missing,
        ...(header.sections.resources !== undefined && resources === undefined ? withoutResources : []),
        // What a session had done before is in no record, nor what the control feed said at that time.
        ...(header.sessionId === undefined ? [] : [['context', 'session'] as const]),
        ['context', 'risk'],
      ],
      recorded: decisionOf(sections.decision),
    },
  }
}

const withoutResources: readonly Place[] = [
  ['resource', 'dataTypes'],
  ['resource', 'accesses'],
]

/** What was decided then; undefined where that is withheld. */
export function decisionOf(section: Uint8Array | undefined): DecisionSection | undefined {
  return section === undefined ? undefined : parseDecision(section)
}

function targetOf(
  { method = '', tool }: RequestedHeader,
  members: ReadonlyMap<string, Uint8Array> | undefined,
): PolicyRequest['target'] | 'unknown' {
  const part = targetPart(method)
  if (part === undefined) return undefined
  const isListed = tool !== undefined && 'name' in tool
  const name = isListed ? tool.name : readText(members?.get(part.member))
  // A request that names nothing is told from one whose name is not kept only where all of it is there.
  if (name === undefined) return members === undefined || isReduced(members) ? 'unknown' : undefined
  return name.includes(markerStart) ? 'unknown' : { type: part.type, name, isListed }
}

/** Level metadata keeps shapes; what is too large or cannot be redacted is left out. */
const isReduced = (members: ReadonlyMap<string, Uint8Array>) => members.has('$shape') || members.has('$elided')

const allArguments: readonly Place[] = [['context', 'arguments']]

function argumentsOf(
  method: string,
  input: Uint8Array | undefined,
  members: ReadonlyMap<string, Uint8Array> | undefined,
): { json: Uint8Array | undefined; missing: readonly Place[] } {
  if (input !== undefined && Buffer.from(input).toString() === 'null') return { json: undefined, missing: [] }
  if (members === undefined || isReduced(members)) return { json: undefined, missing: allArguments }
  const json = hasArguments(method) ? members.get('arguments') : input
  if (json === undefined) return { json: undefined, missing: [] }
  const each = readMembers(json)
  // A list is no arguments; a key that comes twice is left to the decision point, which refuses to judge it.
  if (each === undefined && !isChanged(json)) return { json, missing: [] }
  if (each === undefined || hasChangedKey(json)) return { json: undefined, missing: allArguments }
  const changed = [...each]
    .filter(([, value]) => isChanged(value))
    .map(([key]) => ['context', 'arguments', key] as const)
  return { json, missing: changed }
}

/** Keys that differed may be the same by now: then what the call had looks like a key that comes twice. */
function hasChangedKey(json: Uint8Array): boolean {
  let isChanged = false
  const scanner = new JsonScanner(({ type, raw }) => {
    if (type === 'key' && (raw === undefined || Buffer.from(raw).includes(markerStart))) isChanged = true
  })
  scanner.push(json)
  return scanner.end() !== undefined || isChanged
}

/** Whether something was taken out of it. What a client wrote in the form of a marker counts as taken out, too. */
function isChanged(json: Uint8Array): boolean {
  const text = Buffer.from(json).toString()
  return text.includes(markerStart) || text.includes('"$elided"')
}

/** Signals are on record as text: whether `true` was a truth or a word cannot be told. */
function postureOf(section: Uint8Array | undefined): { seen: PolicyRequest['posture']; missing: readonly Place[] } {
  if (section === undefined) return { seen: undefined, missing: [['context', 'posture']] }
  const { posture } = parseEnvironment(section)
  if (posture === undefined || isAbsent(posture)) return { seen: undefined, missing: [] }
  const { source, state, ageMs, failure } = posture
  return { seen: { source, state, ageMs, failure, signals: {} }, missing: [['context', 'posture', 'signals']] }
}
