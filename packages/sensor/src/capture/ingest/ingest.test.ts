import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { parseResources } from '@affidavit/evidence/record/resources-section'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { listed } from '../tools/testdata/listed.ts'
import type { IngestParts } from './ingest.ts'
import { type Emitted, openReceiver, type Receiver, text } from './testdata/receiver.ts'

const path = '/v1/exchanges'
const whole = {
  source: { name: 'shop', version: '1.0' },
  vantage: 'server',
  server: { name: 'files', version: '2.1' },
  method: 'tools/call',
  requestId: 7,
  params: { name: 'read_file', arguments: { path: '/srv/a.txt' } },
  result: { content: [{ type: 'text', text: 'hello' }] },
  latencyUs: 1500,
}
const begun = { ...whole, stage: 'requested', result: undefined, latencyUs: undefined }
const ndjson = { 'content-type': 'application/x-ndjson' }

const open: Receiver[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((receiver) => receiver.close()))
})
async function receive(changes: Partial<IngestParts> = {}): Promise<Receiver> {
  const receiver = await openReceiver(changes)
  open.push(receiver)
  return receiver
}

type Json = Record<string, unknown>
function parseBody(bytes: Uint8Array): Json & { accepted: { callId: string; repeated?: boolean }[]; error: Json } {
  return JSON.parse(text(bytes)) as ReturnType<typeof parseBody>
}
async function post(receiver: Receiver, body: object, headers?: Record<string, string>) {
  const { status, body: answer, headers: sent } = await receiver.post(path, JSON.stringify(body), headers)
  return { status, headers: sent, ...parseBody(answer) }
}
const stagesOf = (records: readonly Emitted[]) =>
  records.map(({ draft }) =>
    'stage' in draft ? `${draft.stage}${'outcome' in draft ? ` ${draft.outcome}` : ''}` : draft.kind,
  )

describe('a complete exchange', () => {
  it('becomes two records, reported and claimed [IG-1]', async () => {
    const receiver = await receive()
    const startedAt = new Date(Date.now() - 60_000).toISOString()
    const actors = {
      agent: { id: 'planner', kind: 'agent', name: 'Planner', version: '3' },
      user: { id: 'alice@example.com', kind: 'person', issuer: 'https://id.example' },
      role: { id: 'buyer', kind: 'role' },
      workload: { id: 'spiffe://example.org/planner' },
      delegation: [{ id: 'ci-17', kind: 'job' }],
    }
    const { status, accepted } = await post(receiver, {
      ...whole, ...actors, startedAt, requestBytes: 188, responseBytes: 99, httpStatus: 200, conversationId: 'talk-12345',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', purpose: { kind: 'task', statement: 'buy' },
      resources: [{ type: 'table', name: 'orders', rows: 4, subjectClass: 'customer' }],
    }) // biome-ignore format: one exchange
    const [requested, completed] = receiver.records
    expect(status).toBe(200)
    expect(requested?.draft).toMatchObject({
      kind: 'call', stage: 'requested', vantage: 'server', direction: 'to-server', callId: accepted[0]?.callId,
      sessionSource: 'declared', method: 'tools/call', server: { name: 'files', version: '2.1' }, inputBytes: 188,
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736', reported: 'ingest', time: startedAt,
    }) // biome-ignore format: one header
    expect(completed?.draft).toMatchObject({
      stage: 'completed', callId: accepted[0]?.callId, outcome: 'success', httpStatus: 200, responseBytes: 99,
      latencyUs: 1500, reported: 'ingest', time: new Date(Date.parse(startedAt) + 1.5).toISOString(),
    }) // biome-ignore format: one header
    const { delegation, token, ...told } = parseIdentity(requested?.sections.identity ?? new Uint8Array())
    for (const actor of [...Object.values(told), ...delegation])
      expect(actor).toMatchObject({ assurance: 'claimed', method: 'reported', source: 'shop 1.0' })
    expect(token).toHaveProperty('absent')
    // People are named by their mail addresses: there they stay, and nowhere else.
    expect(told.user).toMatchObject({ id: 'alice@example.com' })
    expect(text(requested?.sections.purpose)).toContain('buy')
    expect(text(requested?.sections.environment)).toContain('reported by shop 1.0 from 127.0.0.1')
    expect(text(completed?.sections.output)).toBe(
      '{"blocks":[{"bytes":30,"type":"text"}],"blocksOmitted":0,"form":"result"}',
    )
    expect(parseResources(completed?.sections.resources ?? new Uint8Array()).resources).toEqual([
      { type: 'table', name: 'orders', dataTypes: [], rows: 4, subjectClass: 'customer', source: 'shop 1.0' },
    ])
  })

  it.each([
    [{ result: { isError: true, content: [] } }, { outcome: 'tool_error' }],
    [{ result: { resultType: 'input_required' } }, { outcome: 'continued', callGroupId: expect.any(String) }],
    [{ error: { code: -32602, message: 'no' } }, { outcome: 'protocol_error', rpcCode: -32602 }],
    [{ outcome: 'timeout' }, { outcome: 'timeout' }],
    [
      { outcome: 'denied', httpStatus: 403 },
      { outcome: 'denied', httpStatus: 403 },
    ],
    [{ outcome: 'cancelled', result: {} }, { outcome: 'cancelled' }],
  ])('%j is recorded as what it says [IG-1]', async (end, expected) => {
    const receiver = await receive()
    expect((await post(receiver, { ...whole, result: undefined, ...end })).status).toBe(200)
    expect(receiver.records[1]?.draft).toMatchObject(expected)
    expect(receiver.records[1]?.draft).not.toHaveProperty('responseBytes')
  })

  it('an outline stands for a result that is not told, and sizes are never made up [IG-1]', async () => {
    const receiver = await receive()
    const outline = { blocks: [{ type: 'image', bytes: 5, mimeType: 'image/png' }], structuredBytes: 9 }
    await post(receiver, { ...whole, result: undefined, latencyUs: undefined, outcome: 'success', outline })
    const { draft, sections } = receiver.records[1] ?? {}
    expect(draft).not.toHaveProperty('responseBytes')
    expect(draft).not.toHaveProperty('latencyUs')
    expect(JSON.parse(text(sections?.output))).toEqual({ form: 'result', blocksOmitted: 0, ...outline })
  })

  it('an agent that only the message names was told by the reporter, too [IG-1]', async () => {
    const receiver = await receive()
    const client = { 'io.modelcontextprotocol/clientInfo': { name: 'ide', version: '1' } }
    await post(receiver, { ...whole, params: { name: 'x', _meta: client } })
    await post(receiver, { ...whole, method: 'initialize', params: { clientInfo: { name: 'ide', version: '1' } } })
    for (const i of [0, 2])
      expect(parseIdentity(receiver.records[i]?.sections.identity ?? new Uint8Array()).agent).toMatchObject({
        id: 'ide', assurance: 'claimed', method: 'reported', source: expect.stringMatching(/^shop 1\.0: /),
      }) // biome-ignore format: one actor
  })
})

describe('what is kept of the input', () => {
  it('the bytes that came, redacted: big numbers, order and duplicates survive [IG-4]', async () => {
    const receiver = await receive()
    const params = '{"name":"pay", "b":9007199254740993,"a":1,"a":2,"password":"hunter2hunter2"}'
    const { params: _, ...rest } = whole
    const body = `${JSON.stringify(rest).slice(0, -1)},"params":${params}}`
    expect((await receiver.post(path, body)).status).toBe(200)
    expect(text(receiver.records[0]?.sections.input)).toBe(
      '{"name":"pay", "b":9007199254740993,"a":1,"a":2,"password":"[REDACTED:password]"}',
    )
    expect(receiver.records[0]?.draft).toMatchObject({ inputBytes: params.length })
  })

  it('nothing at level metadata, and the redacted result at level full [IG-4]', async () => {
    const reduced = await receive({ level: 'metadata' })
    await post(reduced, { ...whole, resources: [{ type: 'table', name: 'orders' }] })
    expect(text(reduced.records[0]?.sections.input)).toContain('$shape')
    const everything = reduced.records.flatMap(({ sections }) => Object.values(sections).map(text)).join('')
    expect(everything).not.toMatch(/srv|hello|orders/)
    const full = await receive({ level: 'full' })
    await post(full, { ...whole, result: { content: [{ type: 'text', text: 'password=hunter2hunter2' }] } })
    expect(text(full.records[1]?.sections.output)).toContain('[REDACTED:')
    expect(text(full.records[1]?.sections.output)).not.toContain('hunter2')
  })

  it('params that leave something out are marked as that [IG-4]', async () => {
    const receiver = await receive()
    await post(receiver, { ...whole, params: { name: 'read_file' }, partial: true })
    await post(receiver, { ...whole, params: undefined, partial: true })
    expect(receiver.records.map(({ sections }) => text(sections.input)).filter((each) => each !== '')).toEqual([
      '{"$elided":{"bytes":0,"known":{"name":"read_file"},"reason":"not_reported"}}',
      '{"$elided":{"bytes":0,"reason":"not_reported"}}',
    ])
  })

  it('no name a reporter chose stands in a header, and no secret anywhere [IG-6]', async () => {
    const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
    const receiver = await receive()
    const told = { id: secret, name: secret, issuer: secret }
    const { status } = await post(receiver, {
      ...whole, source: { name: `s ${secret}` }, server: { name: secret, reportedName: secret }, method: `do ${secret}`,
      requestId: secret, params: { name: secret, key: secret }, agent: told, user: told, sessionId: secret,
      purpose: { kind: 'task', statement: secret }, error: { code: 1, message: secret }, result: undefined,
      resources: [{ type: 'other', name: secret, dataTypes: [secret], subjectClass: secret }],
    }) // biome-ignore format: one exchange
    expect(status).toBe(200)
    const kept = receiver.records.map(
      ({ draft, sections }) => JSON.stringify(draft) + Object.values(sections).map(text).join(''),
    )
    expect(kept.join('')).not.toContain(secret.slice(4, 24))
    expect(receiver.records[0]?.draft).toMatchObject({ methodDigest: expect.any(String), sessionSource: 'legacy-http' })
  })

  it('a tool is named where the server listed it to this sensor [IG-6]', async () => {
    const tool = '{"name":"read_file"}'
    const tools = await listed(tool)
    const definition = createHash('sha256').update(tool).digest('base64')
    const receiver = await receive({ toolsOf: (name) => (name === 'files' ? tools : undefined) })
    await post(receiver, whole)
    await post(receiver, { ...whole, server: { name: 'other' } })
    expect(receiver.records[0]?.draft).toMatchObject({ tool: { name: 'read_file', definition } })
    expect(receiver.records[2]?.draft).toMatchObject({
      tool: { nameDigest: expect.any(String), definition: 'unlisted' },
    })
  })
})

describe('begin and end', () => {
  it('the answer to a begin waits for its record, and the end is found by callId [IG-3]', async () => {
    const receiver = await receive()
    const { accepted } = await post(receiver, begun)
    const callId = accepted[0]?.callId
    expect(stagesOf(receiver.records)).toEqual(['requested'])
    const end = { stage: 'completed', callId, result: { content: [] } }
    expect(await post(receiver, end)).toMatchObject({ status: 200, accepted: [{ callId }] })
    expect(stagesOf(receiver.records)).toEqual(['requested', 'completed success'])
    expect(receiver.records[1]?.draft).toMatchObject({ callId, latencyUs: expect.any(Number), reported: 'ingest' })
    // The answer may have been lost: told again, it is accepted again and not recorded again.
    expect(await post(receiver, end)).toMatchObject({ status: 200, accepted: [{ callId, repeated: true }] })
    expect(await post(receiver, { ...end, result: { isError: true } })).toMatchObject({ status: 409 })
    expect(receiver.records).toHaveLength(2)
  })

  it('calls that nobody ends become unknown, and ends of unknown calls are refused [IG-3]', async () => {
    const receiver = await receive()
    await post(receiver, begun)
    const callId = '01932c4e-0000-7000-8000-000000000000'
    expect(await post(receiver, { stage: 'completed', callId, outcome: 'success' })).toMatchObject({
      status: 404, error: { code: 'AFD_INGEST_UNKNOWN_CALL', where: 'callId', retry: false },
    }) // biome-ignore format: one answer
    await receiver.finish()
    expect(stagesOf(receiver.records)).toEqual(['requested', 'completed unknown'])
  })

  it('a call whose end nobody told within an hour ends as unknown when the next begins [IG-3]', async () => {
    vi.useFakeTimers({ toFake: ['hrtime'] })
    try {
      const receiver = await receive()
      await post(receiver, begun)
      vi.advanceTimersByTime(59 * 60 * 1000)
      await post(receiver, begun)
      expect(stagesOf(receiver.records)).toEqual(['requested', 'requested'])
      vi.advanceTimersByTime(60 * 1000)
      await post(receiver, whole)
      const [first] = receiver.records
      const [ended] = receiver.records.filter(({ draft }) => 'outcome' in draft && draft.outcome === 'unknown')
      expect(ended?.draft).toMatchObject({ callId: first?.draft && 'callId' in first.draft ? first.draft.callId : '' })
    } finally {
      vi.useRealTimers()
    }
  })

  it('an end that could not be recorded may be told again [IG-2] [IG-3]', async () => {
    const state = { broken: false, records: 0 }
    const receiver = await receive({
      emit: async () => {
        if (state.broken) throw Object.assign(new Error('no'), { code: 'spool_io', retry: true })
        state.records++
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    const { accepted } = await post(receiver, begun)
    const end = { stage: 'completed', callId: accepted[0]?.callId, outcome: 'success' }
    state.broken = true
    expect((await post(receiver, end)).status).toBe(503)
    state.broken = false
    expect((await post(receiver, end)).status).toBe(200)
    expect(state.records).toBe(2)
  })
})

describe('durability', () => {
  it('nothing is accepted before it is durable [IG-2]', async () => {
    const waiting: (() => void)[] = []
    const receiver = await receive({
      emit: (draft) =>
        new Promise((resolve) => waiting.push(() => resolve({ recorded: 'stage' in draft, hash: new Uint8Array(32) }))),
    })
    let status = 0
    const answer = post(receiver, whole).then((reply) => {
      status = reply.status
    })
    for (let emitted = 0; emitted < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(status).toBe(0)
      if (waiting.length > emitted) waiting[emitted++]?.()
    }
    await answer
    expect(status).toBe(200)
  })

  it.each([
    ['spool_full', true, 503, 'AFD_AUDIT_UNAVAILABLE'],
    ['record_too_large', false, 413, 'AFD_INGEST_TOO_LARGE'],
  ])('an emit that fails with %s accepts nothing [IG-2]', async (code, retry, status, expected) => {
    const receiver = await receive({ emit: () => Promise.reject(Object.assign(new Error('x'), { code, retry })) })
    const answer = await post(receiver, whole)
    expect(answer).toMatchObject({ status, error: { code: expected, retry } })
    expect(answer.headers['retry-after']).toBe(retry ? '1' : undefined)
    expect(answer).not.toHaveProperty('accepted')
    const lines = `${JSON.stringify(whole)}\n${JSON.stringify(whole)}\n`
    expect((await receiver.post(path, lines, ndjson)).status).toBe(status)
  })

  it('what passed under a gap was not recorded, and says so [IG-2]', async () => {
    const emitted: string[] = []
    const receiver = await receive({
      emit: async (draft) => {
        emitted.push('stage' in draft ? draft.stage : draft.kind)
        return { recorded: false, hash: new Uint8Array(32) }
      },
    })
    for (const body of [whole, begun])
      expect(await post(receiver, body)).toMatchObject({ status: 503, error: { code: 'AFD_AUDIT_UNAVAILABLE' } })
    // The recorder forgets a call that passed unrecorded with its end.
    expect(emitted).toEqual(['requested', 'completed', 'requested', 'completed'])
    expect(receiver.said).toContain('AFD_AUDIT_UNAVAILABLE')
  })
})

describe('the same again', () => {
  it('is not recorded again, at the same time or later, alone or among others [IG-7]', async () => {
    const receiver = await receive()
    const keyed = { ...whole, key: 'order-1' }
    const replies = await Promise.all([post(receiver, keyed), post(receiver, keyed), post(receiver, keyed)])
    expect(new Set(replies.map(({ accepted }) => accepted[0]?.callId)).size).toBe(1)
    expect(replies.filter(({ accepted }) => accepted[0]?.repeated)).toHaveLength(2)
    const lines = [keyed, { ...keyed, key: 'order-2' }, keyed].map((each) => JSON.stringify(each)).join('\n')
    const { body, status } = await receiver.post(path, lines, ndjson)
    expect(status).toBe(200)
    expect(parseBody(body).accepted.map(({ repeated }) => repeated === true)).toEqual([true, false, true])
    expect(receiver.records).toHaveLength(4)
    // What another program calls the same is something else.
    await post(receiver, { ...keyed, source: { name: 'other' } })
    expect(receiver.records).toHaveLength(6)
  })

  it('another report with the same key is refused, and nothing beside it is recorded [IG-7]', async () => {
    const receiver = await receive()
    await post(receiver, { ...whole, key: 'a' })
    const other = { ...whole, key: 'a', latencyUs: 1 }
    expect(await post(receiver, other)).toMatchObject({ status: 409, error: { code: 'AFD_INGEST_KEY_REUSED' } })
    const lines = [
      { ...whole, key: 'b' },
      { ...other, key: 'b' },
    ]
      .map((each) => JSON.stringify(each))
      .join('\n')
    expect((await receiver.post(path, lines, ndjson)).status).toBe(409)
    expect(receiver.records).toHaveLength(2)
  })

  it('a report that failed is recorded when it comes again [IG-7] [IG-2]', async () => {
    let failures = 1
    const receiver = await receive({
      emit: async () => {
        if (failures-- > 0) throw Object.assign(new Error('x'), { code: 'spool_full', retry: true })
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    expect((await post(receiver, { ...whole, key: 'a' })).status).toBe(503)
    expect(await post(receiver, { ...whole, key: 'a' })).toMatchObject({
      status: 200,
      accepted: [{ callId: expect.any(String) }],
    })
  })
})

describe('who may report', () => {
  it('whoever has one of the tokens [IG-8]', async () => {
    const receiver = await receive({ tokens: ['first-token', 'second-token'] })
    for (const [authorization, status] of [
      ['Bearer first-token', 200],
      ['bearer second-token', 200],
      ['Bearer second-toke', 401],
      ['Bearer ', 401],
      ['Basic second-token', 401],
      ['', 401],
    ] as const)
      expect({ authorization, status: (await post(receiver, whole, { authorization })).status }).toEqual({
        authorization,
        status,
      })
    const { headers } = await post(receiver, whole)
    expect(headers['www-authenticate']).toBe('Bearer')
    expect(receiver.said).toContain('AFD_INGEST_UNAUTHORIZED')
  })

  it('without tokens this machine, but no web page [IG-8]', async () => {
    const receiver = await receive()
    expect((await post(receiver, whole)).status).toBe(200)
    expect((await post(receiver, whole, { origin: 'http://evil.example' })).status).toBe(401)
  })
})

describe('what is refused', () => {
  it('other paths, methods and media types, and bodies that are too large [IG-9]', async () => {
    const receiver = await receive()
    const body = JSON.stringify(whole)
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20)
    const cases: [number, string, string, string | Uint8Array, Record<string, string>][] = [
      [404, 'AFD_INGEST_NOT_FOUND', '/v1/metrics', body, {}],
      [415, 'AFD_INGEST_MEDIA_TYPE', path, body, { 'content-type': 'text/plain' }],
      [415, 'AFD_INGEST_MEDIA_TYPE', path, body, { 'content-encoding': 'br' }],
      [413, 'AFD_INGEST_TOO_LARGE', path, large, {}],
      [413, 'AFD_INGEST_TOO_LARGE', path, large, { 'transfer-encoding': 'chunked' }],
      [413, 'AFD_INGEST_TOO_LARGE', path, gzipSync(large), { 'content-encoding': 'gzip' }],
      [413, 'AFD_INGEST_TOO_LARGE', path, `${body}\n`.repeat(1001), ndjson],
      [400, 'AFD_INGEST_MALFORMED', path, body, { 'content-encoding': 'gzip' }],
    ]
    for (const [status, code, at, sent, headers] of cases) {
      const reply = await receiver.post(at, sent, headers)
      expect({ status: reply.status, ...parseBody(reply.body).error }).toMatchObject({ status, code, retry: false })
    }
    expect((await receiver.post(`${path}?x=1`, gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200)
    expect(receiver.records).toHaveLength(2)
  })

  it.each([
    ['nothing', '', 'byte 0'],
    ['a list', '[]', undefined],
    ['half an object', '{"a":', 'byte 5'],
    ['a control character', '{"a":"\u0001"}', 'byte 6'],
    ['a member too much', JSON.stringify({ ...whole, extra: 1 }), 'extra'],
    ['one further in', JSON.stringify({ ...whole, server: { name: 'a', secret: 1 } }), 'server.secret'],
    ['a vantage there is not', JSON.stringify({ ...whole, vantage: 'gateway' }), 'vantage'],
    ['params that are no object', JSON.stringify({ ...whole, params: [] }), 'params'],
    ['an id that is none', JSON.stringify({ ...whole, requestId: null }), 'requestId'],
    ['no outcome', JSON.stringify({ ...whole, result: undefined }), 'outcome'],
    ['result and error', JSON.stringify({ ...whole, error: {} }), 'error'],
    ['an outcome that is ours', JSON.stringify({ ...whole, outcome: 'withheld' }), 'outcome'],
    ['a time long ago', JSON.stringify({ ...whole, startedAt: '2020-01-01T00:00:00.000Z' }), 'startedAt'],
    ['no traceparent', JSON.stringify({ ...whole, traceparent: 'x' }), 'traceparent'],
    ['a number too large', JSON.stringify({ ...whole, latencyUs: 1e300 }), 'latencyUs'],
    ['a key twice', `{"source":{"name":"a"},${JSON.stringify(whole).slice(1)}`, undefined],
    ['a key twice further in', JSON.stringify(whole).replace('"name":"files"', '"name":"files","name":"b"'), 'server'],
    ['a notification', JSON.stringify({ ...whole, method: 'notifications/progress' }), 'method'],
    ['an end without callId', JSON.stringify({ ...whole, stage: 'completed' }), 'callId'],
    ['nesting', `{"agent":${'['.repeat(100)}${']'.repeat(100)}}`, undefined],
  ])('%s: 400, and where the mistake is [IG-5] [IG-9]', async (_, body, where) => {
    const receiver = await receive()
    const reply = await receiver.post(path, body)
    expect({ status: reply.status, ...parseBody(reply.body).error }).toMatchObject({
      status: 400, code: 'AFD_INGEST_MALFORMED', ...(where === undefined ? {} : { where }),
    }) // biome-ignore format: one answer
    expect(receiver.records).toEqual([])
    const lines = await receiver.post(path, `${JSON.stringify(whole)}\n\n${body === '' ? '{' : body}\n`, ndjson)
    expect(lines.status).toBe(400)
    expect(parseBody(lines.body).error.where).toContain('line 3')
    expect(receiver.records).toEqual([])
  })

  it('more at once than fits memory is asked to wait [IG-9]', async () => {
    let release = () => {
      // Set by the first emit.
    }
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const receiver = await receive({ emit: () => gate.then(() => ({ recorded: true, hash: new Uint8Array(32) })) })
    const filler = ' '.repeat(3 * 1024 * 1024)
    const held = Array.from({ length: 12 }, () => receiver.post(path, JSON.stringify(whole) + filler))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    release()
    const statuses = (await Promise.all(held)).map(({ status }) => status).sort()
    expect(statuses.filter((status) => status === 200)).toHaveLength(10)
    expect(statuses.filter((status) => status === 429)).toHaveLength(2)
  })
})

describe('hostile reports', () => {
  it.each([
    ['a megabyte of brackets', `{"name":"x","a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
    ['lone surrogates', '{"name":"\\ud800","a":"\\udfff"}'],
    ['a prototype', '{"name":"__proto__","__proto__":{"x":1},"constructor":1}'],
    ['two megabytes', `{"name":"x","a":"${'y'.repeat(2_000_000)}"}`],
    ['huge numbers', `{"name":"x","a":1${'0'.repeat(5000)},"b":1e999}`],
  ])('%s in params are recorded, if need be as an elision [IG-5]', async (_, params) => {
    const receiver = await receive()
    const { params: __, ...rest } = whole
    const body = `${JSON.stringify(rest).slice(0, -1)},"params":${params}}`
    expect((await receiver.post(path, body)).status).toBe(200)
    expect(stagesOf(receiver.records)).toEqual(['requested', 'completed success'])
  })

  it('nothing makes it answer otherwise than by 200 or a problem [IG-5]', async () => {
    const receiver = await receive()
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })
    const members = Object.fromEntries(
      [...Object.keys(whole), 'stage', 'callId', 'key', 'agent', 'delegation', 'outcome', 'error', 'outline', 'resources',
        'purpose', 'requestBytes', 'sessionId', 'startedAt', 'direction', '__proto__'].map((key) => [key, value]),
    ) // biome-ignore format: one list
    const report = fc
      .tuple(fc.record(members, { requiredKeys: [] }), fc.subarray(Object.keys(whole)))
      .map(([odd, kept]) => ({
        ...odd,
        ...Object.fromEntries(Object.entries(whole).filter(([key]) => kept.includes(key))),
      }))
    const body = fc.oneof(
      { weight: 4, arbitrary: report.map((each) => Buffer.from(JSON.stringify(each))) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(200), fc.nat(255)).map(([at, byte]) => {
        const bytes = Buffer.from(JSON.stringify(whole))
        bytes[at] = byte
        return bytes
      }) },
    ) // biome-ignore format: one list
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const { status } = await receiver.post(path, bytes)
        expect([200, 400, 404]).toContain(status)
      }),
      { numRuns: 300 },
    )
    expect(receiver.said).not.toContain('AFD_DEFECT')
  })
})
