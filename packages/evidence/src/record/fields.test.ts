import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeDecision } from './decision-section.ts'
import { type EnvironmentSection, encodeEnvironment } from './environment-section.ts'
import { RecordError } from './error.ts'
import { type CallParts, type FieldReason, fieldNames, joinCall } from './fields.ts'
import type { CompletedHeader, RequestedHeader } from './header.ts'
import { encodeIdentity, type IdentitySection } from './identity-section.ts'
import { encodeResources } from './resources-section.ts'
import { completedHeader, requestedHeader } from './testdata/arbitrary.ts'

const utf8 = new TextEncoder()
const hash = `${'A'.repeat(43)}=`
const digest = `0123abcd:${hash}`
const id = (n: number) => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`

const claimed = { id: 'claude', assurance: 'claimed', method: 'client-info', source: 'initialize' } as const
const absent = { absent: 'stdio carries none' }
const identity: IdentitySection = {
  agent: claimed,
  workload: absent,
  user: { id: 'uid:1000', assurance: 'attested', method: 'peer-credentials', source: 'kernel' },
  role: absent,
  token: absent,
  delegation: [],
}

const requested: RequestedHeader = {
  v: 1,
  tenant: 'default',
  epoch: '2026q4',
  streamId: id(1),
  seq: 1,
  prev: hash,
  bootId: id(2),
  time: '2026-11-20T11:03:40.123Z',
  monotonicUs: 1,
  sections: { input: hash, identity: hash, decision: hash },
  kind: 'call',
  stage: 'requested',
  vantage: 'gateway',
  direction: 'to-server',
  callId: id(3),
  sessionSource: 'legacy-stdio',
  sessionId: id(4),
  method: 'tools/call',
  requestIdDigest: digest,
  server: { name: 'fs', reportedName: 'secure-filesystem-server', version: '0.2.0' },
  tool: { name: 'read_file', definition: hash },
  effect: 'read',
  level: 'arguments',
  inputBytes: 120,
  classification: { level: 'internal', tags: [] },
  decision: { disposition: 'granted', mode: 'enforce' },
}
const completed: CompletedHeader = {
  v: 1,
  tenant: 'default',
  epoch: '2026q4',
  streamId: id(1),
  seq: 2,
  prev: hash,
  bootId: id(2),
  time: '2026-11-20T11:03:40.125Z',
  monotonicUs: 2_100,
  sections: {},
  kind: 'call',
  stage: 'completed',
  callId: id(3),
  requestedHash: hash,
  outcome: 'success',
  responseBytes: 300,
  latencyUs: 2_099,
}
const parts: CallParts = {
  observedTime: '2026-11-20T11:03:41.000Z',
  requested: {
    input: utf8.encode('{"path":"/tmp/a"}'),
    identity: encodeIdentity(identity),
    decision: encodeDecision({ engine: absent, policies: [], conditions: [], obligations: [], rationale: 'allowed' }),
  },
}

test('a call with everything has twelve complete fields [R-11]', () => {
  const { fields, completeness, callId } = joinCall(requested, completed, parts)
  expect(callId).toBe(id(3))
  expect(Object.keys(fields)).toEqual([...fieldNames])
  expect(completeness).toEqual({ complete: 12, reduced: 0, applicable: 12, incomplete: [] })
  expect(fields.timestamp.value).toEqual({ time: requested.time, observedTime: parts.observedTime })
  expect(fields.input.value).toEqual({ bytes: 120, json: '{"path":"/tmp/a"}' })
  expect(fields.status.value).toEqual({ outcome: 'success', status: 'success' })
  expect(fields.latency.value).toEqual({ us: 2_099, ms: 2.099 })
  expect(fields.identity.value?.agent).toEqual(claimed)
})

/** What is changed, and why which field is then not complete. */
const cases: [string, Partial<RequestedHeader>, Partial<CompletedHeader>, CallParts, keyof ReturnType<typeof joinCall>['fields'], FieldReason][] = [
  ['tool not listed', { tool: { nameDigest: digest, definition: 'unlisted' } }, {}, parts, 'tool', 'tool_unlisted'],
  ['metadata only', { level: 'metadata' }, {}, parts, 'input', 'reduced'],
  ['input withheld', {}, {}, { requested: { ...parts.requested, input: undefined } as object }, 'input', 'not_opened'],
  ['input elided', {}, {}, { requested: { ...parts.requested, input: utf8.encode('{"$elided":{"bytes":9,"reason":"failed"}}') } }, 'input', 'elided'],
  ['input not JSON', {}, {}, { requested: { ...parts.requested, input: utf8.encode('{"a":') } }, 'input', 'section_invalid'],
  ['input never captured', { sections: { identity: hash, decision: hash } }, {}, parts, 'input', 'not_captured'],
  ['identity damaged', {}, {}, { requested: { ...parts.requested, identity: utf8.encode('{}') } }, 'identity', 'section_invalid'],
  ['agent unknown', {}, {}, { requested: { ...parts.requested, identity: encodeIdentity({ ...identity, agent: absent }) } }, 'identity', 'agent_absent'],
  ['server silent', { server: { name: 'fs' } }, {}, parts, 'server', 'version_not_reported'],
  ['unknown outcome', {}, { outcome: 'unknown' }, parts, 'status', 'outcome_unknown'],
  ['to be continued', {}, { outcome: 'continued' }, parts, 'status', 'continued'],
  ['not classified', { classification: { level: 'unclassified', tags: [] } }, {}, parts, 'classification', 'unclassified'],
  ['not decided', { decision: { disposition: 'undecided', mode: 'observe' } }, {}, parts, 'policy', 'undecided'],
  ['decision withheld', {}, {}, { requested: { ...parts.requested, decision: undefined } as object }, 'policy', 'not_opened'],
] // biome-ignore format: one table

test('what is missing or weaker is said, field by field [R-11]', () => {
  for (const [name, change, outcome, given, field, reason] of cases) {
    const call = joinCall({ ...requested, ...change }, { ...completed, ...outcome }, given)
    expect([name, call.fields[field].valid, call.fields[field].reason]).toEqual([name, false, reason])
    expect([name, call.completeness.incomplete]).toEqual([name, [field]])
    expect(call.completeness).toMatchObject({ complete: 11, applicable: 12, reduced: reason === 'reduced' ? 1 : 0 })
  }
})

test('a session is absent with the reason it has, never a bare connection [R-11]', () => {
  const { sessionId: _, ...rest } = requested
  const { fields } = joinCall({ ...rest, sessionSource: 'absent', sessionReason: 'no initialize' }, completed, parts)
  expect(fields.session).toEqual({
    present: false,
    valid: false,
    value: { source: 'absent', reason: 'no initialize' },
    reason: 'session_absent',
  })
})

test('an open call lacks what the response would tell [R-11]', () => {
  const { completeness } = joinCall(requested, undefined, parts)
  expect(completeness.incomplete).toEqual(['status', 'responseBytes', 'latency'])
})

test('exchanges without a tool are not measured by it [R-11]', () => {
  const { tool: _, ...rest } = requested
  const read = joinCall({ ...rest, kind: 'read', method: 'resources/read' }, completed, parts)
  expect(read.fields.tool.reason).toBe('not_applicable')
  expect(read.completeness).toMatchObject({ complete: 11, applicable: 11, incomplete: [] })
})

test('a response can raise the classification and tell the version [R-11]', () => {
  const { fields } = joinCall(
    { ...requested, server: { name: 'fs' } },
    { ...completed, server: { name: 'fs', version: '2' }, classification: { level: 'restricted', tags: ['card'] } },
    parts,
  )
  expect([fields.server.valid, fields.server.value?.version]).toEqual([true, '2'])
  expect(fields.classification.value).toEqual({ level: 'restricted', tags: ['card'] })
})

test('the request that opened a legacy HTTP session belongs to it, as its answer says [VA-4]', () => {
  const { sessionId: _, ...rest } = requested
  const opening: RequestedHeader = {
    ...rest,
    sessionSource: 'absent',
    sessionReason: 'it names none',
    method: 'initialize',
  }
  const { fields } = joinCall(opening, { ...completed, sessionId: digest }, parts)
  expect(fields.session).toEqual({ present: true, valid: true, value: { source: 'legacy-http', id: digest } })
  expect(joinCall(opening, completed, parts).fields.session.reason).toBe('session_absent')
})

test('connections and data that only the answer tells belong to the call [VA-5]', () => {
  const connection = (peer: 'client' | 'server') => ({
    peer, protocol: 'tcp' as const, localAddress: '10.0.0.2', localPort: 1, remoteAddress: '10.0.0.3', remotePort: 2,
  }) // biome-ignore format: one connection
  const around = (network: EnvironmentSection['network']) =>
    encodeEnvironment({ host: absent, processes: absent, network, ids: {}, redactions: [], redactionsOmitted: 0 })
  const table = (name: string) => ({ type: 'table' as const, name, dataTypes: [], source: 'server' })
  const touched = (name: string) => encodeResources({ resources: [table(name)], omitted: 1 })
  const { fields } = joinCall(
    { ...requested, sections: { ...requested.sections, environment: hash, resources: hash } },
    { ...completed, sections: { environment: hash, resources: hash } },
    {
      requested: { ...parts.requested, environment: around([connection('client')]), resources: touched('a') },
      completed: { environment: around([connection('server')]), resources: touched('b') },
    },
  )
  expect(fields.correlation.value?.network).toEqual([connection('client'), connection('server')])
  expect(fields.classification.value?.resources).toEqual({ resources: [table('a'), table('b')], omitted: 2 })
})

test('records of different calls are not joined [R-11]', () => {
  expect(() => joinCall(requested, { ...completed, callId: id(9) }, parts)).toThrow(RecordError)
})

test('for any records: valid implies present, a reason stands exactly where a field is not valid [R-11]', () => {
  fc.assert(
    fc.property(requestedHeader, fc.option(completedHeader), (first, second) => {
      const last = second === null ? undefined : { ...second, callId: first.callId }
      const { fields, completeness } = joinCall(first, last)
      for (const name of fieldNames) {
        const { present, valid, value, reason } = fields[name]
        expect(valid && !present).toBe(false)
        expect(reason === undefined).toBe(valid)
        if (valid) expect(value).not.toBeNull()
      }
      expect(completeness.complete + completeness.incomplete.length).toBe(completeness.applicable)
    }),
    { numRuns: 300 },
  )
})
