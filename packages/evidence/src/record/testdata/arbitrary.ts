import fc, { type Arbitrary } from 'fast-check'
import { toBase64 } from '../base64.ts'
import type { Envelope } from '../envelope.ts'
import type {
  ApprovalDetail, AuthDetail, ChangeDetail, CompletedHeader, GapDetail, Header, HeaderCore, NotifyHeader, RequestedHeader, ServerRef, StreamDetail, ToolRef,
  ViolationHeader,
} from '../header.ts' // biome-ignore format: one list
import { formatUuidV7 } from '../id.ts'
import * as kinds from '../kinds.ts'
import { formatTimestamp } from '../timestamp.ts'

/** Valid records of every kind, for properties. */

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const hex = (length: number) =>
  bytes(length / 2).map((each) => Array.from(each, (b) => b.toString(16).padStart(2, '0')).join(''))
export const hash = bytes(32).map(toBase64)
export const digest = fc.tuple(hex(8), hash).map(([id, mac]) => `${id}:${mac}`)
const year3000 = 32_503_680_000_000
export const uuid = fc.tuple(fc.nat(2 ** 31 - 1), bytes(16)).map(([s, random]) => formatUuidV7(s * 1_000, random))
export const timestamp = fc.integer({ min: 0, max: year3000 }).map(formatTimestamp)
export const integer = fc.oneof(fc.nat(1_000), fc.maxSafeNat())
const place = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/)
/** Names as servers choose them: control characters, quotes and other scripts included. */
export const name = fc.string({ unit: 'binary', minLength: 0, maxLength: 60 })
const utf8 = new TextEncoder()
export const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((each) => utf8.encode(each).length <= 64)
const method = fc.constantFrom('tools/call', 'ping', 'sampling/createMessage', 'notifications/tools/list_changed')
const span = bytes(8)
  .filter((each) => each.some((b) => b !== 0))
  .map((each) => toHex(each))
const trace = bytes(16)
  .filter((each) => each.some((b) => b !== 0))
  .map((each) => toHex(each))

function toHex(each: Uint8Array): string {
  return Array.from(each, (b) => b.toString(16).padStart(2, '0')).join('')
}

const sectionNames = kinds.sectionNames.filter((each) => each !== 'enrichment')
const sections: Arbitrary<HeaderCore['sections']> = fc.dictionary(fc.constantFrom(...sectionNames), hash, {
  noNullPrototype: true,
})

const core: Arbitrary<HeaderCore> = fc
  .record({
    v: fc.constant(1 as const),
    tenant: place,
    epoch: place,
    streamId: uuid,
    seq: integer,
    bootId: uuid,
    time: timestamp,
    monotonicUs: integer,
    sections,
    previous: hash,
  })
  .map(({ previous, ...rest }) => ({ ...rest, ...(rest.seq > 0 && { prev: previous }) }))

const server: Arbitrary<ServerRef> = fc.record(
  { name: words, reportedName: name, version: name, protocolVersion: name },
  { requiredKeys: ['name'], noNullPrototype: true },
)

const tool: Arbitrary<ToolRef> = fc.oneof(
  fc.record({ name, definition: hash }, { noNullPrototype: true }),
  fc.record({ nameDigest: digest, definition: fc.constant('unlisted' as const) }, { noNullPrototype: true }),
)

const classification = fc.record({ level: words, tags: fc.array(words, { maxLength: 4 }) }, { noNullPrototype: true })

type Session = Pick<RequestedHeader, 'sessionSource' | 'sessionId' | 'sessionReason'>
const session: Arbitrary<Session> = fc.oneof(
  digest.map((sessionId) => ({ sessionSource: 'legacy-http' as const, sessionId })),
  uuid.map((sessionId) => ({ sessionSource: 'legacy-stdio' as const, sessionId })),
  digest.map((sessionId) => ({ sessionSource: 'declared' as const, sessionId })),
  trace.map((sessionId) => ({ sessionSource: 'trace' as const, sessionId })),
  words.map((sessionReason) => ({ sessionSource: 'absent' as const, sessionReason })),
)

const asked = fc.oneof(
  method.map((each) => ({ method: each })),
  digest.map((methodDigest) => ({ methodDigest })),
)
const traced = fc.oneof(
  fc.constant({}),
  trace.map((traceId) => ({ traceId })),
  fc.tuple(trace, span).map(([traceId, spanId]) => ({ traceId, spanId })),
)

const decision = fc.record(
  {
    disposition: fc.constantFrom(...kinds.dispositions),
    mode: fc.constantFrom('observe' as const, 'enforce' as const),
  },
  { noNullPrototype: true },
)

/** The fail mode's class alone, or as the catalogue or a tool's annotations have it. */
const effect = fc.oneof(
  fc.record({ effect: fc.constantFrom(...kinds.effects) }),
  fc.record({
    effect: fc.constant('unknown' as const),
    effectClaim: fc.constantFrom(...kinds.effectClasses),
  }),
  fc.constantFrom(...kinds.effectClasses).map((effectClass) => ({
    effect: effectClass === 'read' ? ('read' as const) : ('write' as const),
    effectClass,
  })),
)

export const requestedHeader: Arbitrary<RequestedHeader> = fc
  .tuple(
    core,
    fc.record(
      {
        kind: fc.constantFrom(...kinds.exchangeKinds),
        stage: fc.constant('requested' as const),
        vantage: fc.constantFrom(...kinds.vantages),
        direction: fc.constantFrom(...kinds.directions),
        callId: uuid,
        callGroupId: uuid,
        parentCallId: uuid,
        requestIdDigest: digest,
        server,
        tool,
        level: fc.constantFrom(...kinds.captureLevels),
        inputBytes: integer,
        classification,
        decision,
        reported: fc.constantFrom(...kinds.reportedWays),
      },
      {
        requiredKeys: [
          'kind', 'stage', 'vantage', 'direction', 'callId', 'requestIdDigest', 'server', 'level',
          'inputBytes', 'classification', 'decision',
        ], // biome-ignore format: one list
      },
    ),
    session,
    asked,
    traced,
    effect,
  )
  .map(([a, b, c, d, e, f]) => ({ ...a, ...b, ...c, ...d, ...e, ...f }))

export const completedHeader: Arbitrary<CompletedHeader> = fc
  .tuple(
    core,
    fc.record(
      {
        kind: fc.constantFrom(...kinds.exchangeKinds),
        stage: fc.constant('completed' as const),
        callId: uuid,
        callGroupId: uuid,
        requestedHash: hash,
        outcome: fc.constantFrom(...kinds.outcomes),
        httpStatus: fc.integer({ min: 100, max: 599 }),
        rpcCode: fc.integer().map((each) => each || 1),
        responseBytes: integer,
        latencyUs: integer,
        server,
        classification,
        sessionId: digest,
        reported: fc.constantFrom(...kinds.reportedWays),
      },
      { requiredKeys: ['kind', 'stage', 'callId', 'requestedHash', 'outcome'] },
    ),
  )
  .map(([a, b]) => ({ ...a, ...b }))

const plain = { noNullPrototype: true } as const
const head = fc.record({ streamId: uuid, seq: integer, hash }, plain)

const streamDetail: Arbitrary<StreamDetail> = fc.oneof(
  fc.record(
    {
      event: fc.constant('opened' as const),
      sensorId: hex(16),
      sensorKey: hash,
      counter: integer,
      previous: fc.option(head),
      software: words,
    },
    plain,
  ),
  fc.record(
    { event: fc.constant('closed' as const), reason: fc.constantFrom('exit', 'signal', 'idle', 'error') },
    plain,
  ),
  fc.record({ event: fc.constant('recovered' as const), head, tornBytes: integer, unknownCalls: integer }, plain),
)

const gapDetail: Arbitrary<GapDetail> = fc.oneof(
  fc.record({ event: fc.constant('opened' as const), gapId: uuid, code: fc.constant('spool_full') }, plain),
  fc.record(
    {
      event: fc.constant('closed' as const),
      gapId: uuid,
      missingRequests: integer,
      missingResponses: integer,
      missingNotifications: integer,
      from: timestamp,
      to: timestamp,
    },
    plain,
  ),
)

const direction = fc.constantFrom(...kinds.directions)
const violation: Arbitrary<Pick<ViolationHeader, 'server' | 'detail'>> = fc.record(
  {
    server,
    detail: fc.record(
      {
        code: fc.constantFrom('not_json', 'folded_key', 'refused_stream', 'header_mismatch'),
        direction,
        bytes: integer,
      },
      { requiredKeys: ['code', 'bytes'], noNullPrototype: true },
    ),
  },
  { requiredKeys: ['detail'] },
)

const notifyDetail: Arbitrary<NotifyHeader['detail']> = fc
  .tuple(
    fc.record(
      { direction, count: fc.integer({ min: 1 }), bytes: integer, callId: uuid },
      { requiredKeys: ['direction', 'count', 'bytes'] },
    ),
    asked,
  )
  .map(([a, b]) => ({ ...a, ...b }))

const changeDetail: Arbitrary<ChangeDetail> = fc.oneof(
  fc.record(
    { subject: fc.constant('tool' as const), name, event: fc.constant('appeared' as const), after: hash },
    plain,
  ),
  fc.record(
    { subject: fc.constant('tool' as const), name, event: fc.constant('changed' as const), before: hash, after: hash },
    plain,
  ),
  fc.record(
    { subject: fc.constant('tool' as const), name, event: fc.constant('disappeared' as const), before: hash },
    plain,
  ),
  fc.record({ subject: fc.constant('config' as const), event: fc.constant('loaded' as const), after: hash }, plain),
  fc.record(
    { subject: fc.constant('config' as const), event: fc.constant('changed' as const), before: hash, after: hash },
    plain,
  ),
  fc.record({ subject: fc.constant('policy' as const), event: fc.constant('loaded' as const), after: hash }, plain),
  fc.record(
    { subject: fc.constant('policy' as const), event: fc.constant('changed' as const), before: hash, after: hash },
    plain,
  ),
)

const authDetail: Arbitrary<AuthDetail> = fc.record(
  {
    event: fc.constantFrom('admitted', 'refused', 'exchanged', 'exchange_failed'),
    mode: fc.constant('observe'),
    code: fc.constant('token_expired'),
    grant: fc.constantFrom('token-exchange', 'client-credentials'),
    fingerprint: digest,
    expires: timestamp,
    upstreamFingerprint: digest,
    upstreamExpires: timestamp,
    count: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  },
  { requiredKeys: ['event'], noNullPrototype: true },
)

const approvalDetail: Arbitrary<ApprovalDetail> = fc.record(
  {
    verdict: fc.constantFrom('approved', 'denied'),
    approvalId: uuid,
    callId: uuid,
    method: fc.constantFrom('ed25519', 'token'),
    digest,
    until: timestamp,
    uses: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  },
  plain,
)

const origin = fc.stringMatching(/^[a-z.]{1,20}\/[a-z0-9/]{1,20}$/)

export const header: Arbitrary<Header> = fc.oneof(
  requestedHeader,
  completedHeader,
  fc.tuple(core, streamDetail).map(([a, detail]) => ({ ...a, kind: 'stream' as const, detail })),
  fc.tuple(core, gapDetail).map(([a, detail]) => ({ ...a, kind: 'gap' as const, detail })),
  fc.tuple(core, violation).map(([a, b]) => ({ ...a, kind: 'violation' as const, ...b })),
  fc.tuple(core, notifyDetail).map(([a, detail]) => ({ ...a, kind: 'notify' as const, detail })),
  fc.tuple(core, changeDetail).map(([a, detail]) => ({ ...a, kind: 'change' as const, detail })),
  fc.tuple(core, authDetail).map(([a, detail]) => ({ ...a, kind: 'auth' as const, detail })),
  fc.tuple(core, approvalDetail).map(([a, detail]) => ({ ...a, kind: 'approval' as const, detail })),
  fc
    .tuple(
      core,
      fc.record({ origin, previous: fc.option(fc.record({ origin, size: integer, root: hash }, plain)) }, plain),
    )
    .map(([a, detail]) => ({ ...a, kind: 'epoch' as const, detail })),
  core.map((a) => ({ ...a, kind: 'heartbeat' as const })),
)

export const envelope: Arbitrary<Envelope> = fc.record(
  {
    v: fc.constant(1 as const),
    observedTime: timestamp,
    subject: hex(16).map((each) => `s_${each}`),
    credential: hex(16).map((each) => `c_${each}`),
    enrichment: hash,
    signature: bytes(64).map(toBase64),
  },
  { requiredKeys: ['v', 'observedTime'], noNullPrototype: true },
)
