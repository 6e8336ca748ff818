import { hash, keyedDigest } from './digest.ts'
import { origin, place, sensorId, spanId, traceId, uuid, uuidV7 } from './id.ts'
import {
  captureLevels, directions, dispositions, effectClasses, effects, exchangeKinds, outcomes, reportedWays, sectionNames, sessionSources,
  vantages,
} from './kinds.ts' // biome-ignore format: one list
import {
  byMember, type Check, type Flaw, flaw, integer, integerMax, isObject, type JsonObject, listOf, matchingPlain, nullOr,
  type Optional, object, oneOf, optional, type Rule, ruled, variants,
} from './shape.ts' // biome-ignore format: one list
import { code, serverChosenName, shortText, text } from './text.ts'
import { timestamp } from './timestamp.ts'
import { toUsual } from './usual.ts'

/** Commitments of the collector's section are in the envelope, not here. */
const capturedSections = sectionNames.filter((name) => name !== 'enrichment')
const sections = object(Object.fromEntries(capturedSections.map((name) => [name, optional(hash)])))

const core = {
  v: oneOf([1]),
  tenant: place,
  epoch: place,
  streamId: uuidV7,
  seq: integer(),
  prev: optional(hash),
  bootId: uuid,
  time: timestamp,
  monotonicUs: integer(),
  sections,
}

const server = object({
  name: shortText,
  reportedName: optional(serverChosenName),
  version: optional(serverChosenName),
  protocolVersion: optional(serverChosenName),
})

const listedTool = object({ name: serverChosenName, definition: hash })
const unlistedTool = object({ nameDigest: keyedDigest, definition: oneOf(['unlisted']) })
const tool = byMember('nameDigest', unlistedTool, listedTool)

/** Methods the protocol defines look like this; anything else came from a client and is only digested. */
const method = matchingPlain(/^[a-z]{1,32}(?:\/[A-Za-z_]{1,32}){0,3}$/, 'a method of the protocol')
const classification = object({ level: text(64), tags: listOf(text(64), 16) })
const decision = object({ disposition: oneOf(dispositions), mode: oneOf(['observe', 'enforce']) })

/** Members beside the core, as a shape and as a rule between them; together they are the header's check. */
interface HeaderShape {
  members: Check
  rule: Rule
}

function header(fields: Record<string, Check | Optional>, rule: Rule = () => undefined): HeaderShape {
  return { members: object({ ...core, ...fields }), rule: (value) => checkPlace(value) ?? rule(value) }
}

function checkPlace(value: JsonObject): Flaw | undefined {
  if ((value.seq === 0) === Object.hasOwn(value, 'prev'))
    return flaw('bad_value', 'prev', 'present exactly where seq is not 0')
  return undefined
}

function checkMethod(value: JsonObject): Flaw | undefined {
  if (Object.hasOwn(value, 'method') === Object.hasOwn(value, 'methodDigest'))
    return flaw('bad_value', 'method', 'exactly one of method and methodDigest')
  return undefined
}

/** A session's id has the form of its source, so that no client-chosen text gets in. */
const sessionIds: Record<string, Check> = {
  'legacy-http': keyedDigest,
  'legacy-stdio': uuidV7,
  declared: keyedDigest,
  trace: traceId,
}

function checkSession(value: JsonObject): Flaw | undefined {
  const isAbsent = value.sessionSource === 'absent'
  if (Object.hasOwn(value, 'sessionReason') !== isAbsent)
    return flaw('bad_value', 'sessionReason', 'present exactly where sessionSource is absent')
  if (Object.hasOwn(value, 'sessionId') === isAbsent)
    return flaw('bad_value', 'sessionId', 'absent exactly where sessionSource is absent')
  const found = isAbsent ? undefined : sessionIds[String(value.sessionSource)]?.(value.sessionId)
  return found === undefined ? undefined : { ...found, at: 'sessionId' }
}

/** A claim never decides the fail mode; what the catalogue says does. */
function checkEffect(value: JsonObject): Flaw | undefined {
  const { effect, effectClass, effectClaim } = value
  if (effectClass === undefined && effectClaim === undefined) return undefined
  if (effectClass !== undefined && effectClaim !== undefined)
    return flaw('bad_value', 'effectClaim', 'absent where effectClass says it')
  const decided = effectClass === undefined ? 'unknown' : effectClass === 'read' ? 'read' : 'write'
  return effect === decided ? undefined : flaw('bad_value', 'effect', `expected ${decided}, as effectClass has it`)
}

function checkRequested(value: JsonObject): Flaw | undefined {
  if (Object.hasOwn(value, 'spanId') && !Object.hasOwn(value, 'traceId'))
    return flaw('missing_field', 'traceId', 'a span belongs to a trace')
  return checkMethod(value) ?? checkSession(value) ?? checkEffect(value)
}

const requested = header(
  {
    kind: oneOf(exchangeKinds),
    stage: oneOf(['requested']),
    vantage: oneOf(vantages),
    direction: oneOf(directions),
    callId: uuidV7,
    callGroupId: optional(uuidV7),
    parentCallId: optional(uuidV7),
    sessionSource: oneOf(sessionSources),
    sessionId: optional(text(64)),
    sessionReason: optional(shortText),
    method: optional(method),
    methodDigest: optional(keyedDigest),
    requestIdDigest: keyedDigest,
    server,
    tool: optional(tool),
    effect: oneOf(effects),
    effectClass: optional(oneOf(effectClasses)),
    effectClaim: optional(oneOf(effectClasses)),
    level: oneOf(captureLevels),
    inputBytes: integer(),
    classification,
    decision,
    traceId: optional(traceId),
    spanId: optional(spanId),
    reported: optional(oneOf(reportedWays)),
  },
  checkRequested,
)

const completed = header({
  kind: oneOf(exchangeKinds),
  stage: oneOf(['completed']),
  callId: uuidV7,
  callGroupId: optional(uuidV7),
  requestedHash: hash,
  outcome: oneOf(outcomes),
  httpStatus: optional(integer(100, 599)),
  rpcCode: optional(integer(-integerMax)),
  responseBytes: optional(integer()),
  latencyUs: optional(integer()),
  server: optional(server),
  classification: optional(classification),
  sessionId: optional(keyedDigest),
  reported: optional(oneOf(reportedWays)),
})

const streamHead = object({ streamId: uuidV7, seq: integer(), hash })

const streamDetail = variants('event', {
  opened: object({
    event: oneOf(['opened']),
    sensorId,
    sensorKey: hash,
    counter: integer(),
    previous: nullOr(streamHead),
    software: shortText,
  }),
  closed: object({ event: oneOf(['closed']), reason: oneOf(['exit', 'signal', 'idle', 'error']) }),
  recovered: object({ event: oneOf(['recovered']), head: streamHead, tornBytes: integer(), unknownCalls: integer() }),
})

const gapDetail = variants('event', {
  opened: object({ event: oneOf(['opened']), gapId: uuidV7, code }),
  closed: object({
    event: oneOf(['closed']),
    gapId: uuidV7,
    missingRequests: integer(),
    missingResponses: integer(),
    missingNotifications: integer(),
    from: timestamp,
    to: timestamp,
  }),
})

const violationDetail = object({
  code: oneOf([
    'not_json', 'invalid_utf8', 'duplicate_key', 'folded_key', 'not_jsonrpc', 'batch', 'duplicate_id',
    'unmatched_response', 'too_deep', 'unterminated_line', 'refused_stream', 'header_mismatch', 'header_missing',
    'undecodable',
  ]), // biome-ignore format: one list
  direction: optional(oneOf(directions)),
  bytes: integer(),
})

const notifyDetail = ruled(
  object({
    direction: oneOf(directions),
    method: optional(method),
    methodDigest: optional(keyedDigest),
    count: integer(1),
    bytes: integer(),
    callId: optional(uuidV7),
  }),
  checkMethod,
)

const toolChange = { subject: oneOf(['tool']), name: serverChosenName }
const configChange = { subject: oneOf(['config']) }
const policyChange = { subject: oneOf(['policy']) }
const changeDetail = variants('subject', {
  tool: variants('event', {
    appeared: object({ ...toolChange, event: oneOf(['appeared']), after: hash }),
    changed: object({ ...toolChange, event: oneOf(['changed']), before: hash, after: hash }),
    disappeared: object({ ...toolChange, event: oneOf(['disappeared']), before: hash }),
  }),
  config: variants('event', {
    loaded: object({ ...configChange, event: oneOf(['loaded']), after: hash }),
    changed: object({ ...configChange, event: oneOf(['changed']), before: hash, after: hash }),
  }),
  policy: variants('event', {
    loaded: object({ ...policyChange, event: oneOf(['loaded']), after: hash }),
    changed: object({ ...policyChange, event: oneOf(['changed']), before: hash, after: hash }),
  }),
})

const authDetail = object({
  event: oneOf(['admitted', 'refused', 'exchanged', 'exchange_failed']),
  mode: optional(oneOf(['observe'])),
  code: optional(code),
  grant: optional(oneOf(['token-exchange', 'client-credentials'])),
  fingerprint: optional(keyedDigest),
  expires: optional(timestamp),
  upstreamFingerprint: optional(keyedDigest),
  upstreamExpires: optional(timestamp),
  count: optional(integer(1)),
})

const approvalDetail = object({
  verdict: oneOf(['approved', 'denied']),
  approvalId: uuidV7,
  callId: uuidV7,
  method: oneOf(['ed25519', 'token']),
  digest: keyedDigest,
  until: timestamp,
  uses: integer(1),
})

const epochDetail = object({ origin, previous: nullOr(object({ origin, size: integer(), root: hash })) })

const otherKinds = new Map<unknown, HeaderShape>([
  ['stream', header({ kind: oneOf(['stream']), detail: streamDetail })],
  ['gap', header({ kind: oneOf(['gap']), detail: gapDetail })],
  ['violation', header({ kind: oneOf(['violation']), server: optional(server), detail: violationDetail })],
  ['notify', header({ kind: oneOf(['notify']), server: optional(server), detail: notifyDetail })],
  ['change', header({ kind: oneOf(['change']), server: optional(server), detail: changeDetail })],
  ['auth', header({ kind: oneOf(['auth']), server: optional(server), detail: authDetail })],
  ['approval', header({ kind: oneOf(['approval']), server: optional(server), detail: approvalDetail })],
  ['epoch', header({ kind: oneOf(['epoch']), detail: epochDetail })],
  ['heartbeat', header({ kind: oneOf(['heartbeat']) })],
])
const exchanges = new Set<unknown>(exchangeKinds)

/** The shape of a header: version first, then kind, then stage, because each decides what the rest must be. */
export const headerShape: Check = (value) => {
  if (!isObject(value)) return flaw('bad_value', '', 'expected an object')
  if (value.v !== 1) return flaw('bad_version', 'v', 'this reader knows version 1')
  if (exchanges.has(value.kind)) return checkExchange(value)
  const shape = otherKinds.get(value.kind)
  return shape === undefined ? flaw('unknown_kind', 'kind', 'this version reads no such kind') : judge(shape, value)
}

function checkExchange(value: JsonObject): Flaw | undefined {
  if (value.stage === 'requested') return judge(requested, value)
  if (value.stage === 'completed') return judge(completed, value)
  return flaw(Object.hasOwn(value, 'stage') ? 'bad_value' : 'missing_field', 'stage', 'expected requested or completed')
}

function judge({ members, rule }: HeaderShape, value: JsonObject): Flaw | undefined {
  return members(value) ?? rule(value)
}

headerShape.text = (value) => {
  if (!isObject(value)) return undefined
  const { kind, stage } = value
  const shape = exchanges.has(kind) ? (stage === 'requested' ? requested : completed) : otherKinds.get(kind)
  const text = shape?.members.text?.(value)
  return text === undefined || shape?.rule(value) !== undefined ? undefined : text
}

/** The lines most headers are, for parseUsual. */
export const usualHeaders = [requested, completed].map(({ members, rule }) => toUsual(members, rule))
