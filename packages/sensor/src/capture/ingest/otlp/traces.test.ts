import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { readFields, WireError } from '../../../identity/protobuf.ts'
import { IngestProblem } from '../problem.ts'
import { type ModelRequest, type ModelSpan, request, toJson, toProtobuf, type Value } from '../testdata/otlp-model.ts'
import { openReceiver, type Receiver, text } from '../testdata/receiver.ts'
import { readJson } from './read-json.ts'
import { readProtobuf } from './read-protobuf.ts'
import { parseTraces } from './traces.ts'

const protobuf = 'application/x-protobuf'
const path = '/v1/traces'

const open: Receiver[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((receiver) => receiver.close()))
})
async function receive(...args: Parameters<typeof openReceiver>): Promise<Receiver> {
  const receiver = await openReceiver(...args)
  open.push(receiver)
  return receiver
}

const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
const string = (value: string): Value => ({ string: value })
let spans = 0
function spanOf(attributes: Record<string, string | Value>, changes: Partial<ModelSpan> = {}): ModelSpan {
  return {
    traceId: Buffer.alloc(16, 0xaa),
    spanId: Buffer.from((++spans).toString(16).padStart(16, '0'), 'hex'),
    parentSpanId: Buffer.alloc(8, 0xbb),
    kind: 2,
    startNs,
    endNs: startNs + 2_500_000n,
    attributes: Object.entries(attributes).map(([key, value]) => [
      key,
      typeof value === 'string' ? string(value) : value,
    ]),
    status: { code: 0, message: '' },
    ...changes,
  }
}
const service: [string, Value][] = [
  ['service.name', string('weather')],
  ['service.version', string('4.2')],
]
const call = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'get_weather' }

async function sendSpans(receiver: Receiver, told: Partial<ModelRequest> & { spans: ModelSpan[] }) {
  return receiver.post(path, toJson({ resource: service, ...told }))
}
/** What one span became: `requested` and `completed`, or nothing. */
async function record(span: ModelSpan) {
  const receiver = await receive()
  const { status, body } = await sendSpans(receiver, { spans: [span] })
  const [requested, completed] = receiver.records
  return { status, answer: text(body), requested, completed, count: receiver.records.length }
}

describe('spans of MCP requests', () => {
  it('of a server: from its vantage, under its name [IG-11]', async () => {
    const args: Value = { map: [['city', string('Bern')], ['days', { int: 9007199254740993n }]] } // biome-ignore format: one map
    const { requested, completed } = await record(
      spanOf({
        ...call, 'jsonrpc.request.id': '7', 'mcp.session.id': '191c4850af6c49e08843a3f6c80e5046',
        'mcp.protocol.version': '2025-11-25', 'gen_ai.tool.call.arguments': args,
        'gen_ai.tool.call.result': '{"content":[{"type":"text","text":"sun"}]}', 'user.id': 'alice',
      }), // biome-ignore format: one span
    )
    expect(requested?.draft).toMatchObject({
      kind: 'call', vantage: 'server', direction: 'to-server', sessionSource: 'legacy-http', method: 'tools/call',
      server: { name: 'weather', version: '4.2', protocolVersion: '2025-11-25' }, reported: 'otlp',
      traceId: 'aa'.repeat(16), spanId: 'bb'.repeat(8), tool: { definition: 'unlisted' },
      time: new Date(Number(startNs / 1_000_000n)).toISOString(),
    }) // biome-ignore format: one header
    expect(text(requested?.sections.input)).toBe(
      '{"name":"get_weather","arguments":{"city":"Bern","days":9007199254740993}}',
    )
    expect(text(requested?.sections.environment)).toContain('"requestId":"7"')
    expect(completed?.draft).toMatchObject({ outcome: 'success', latencyUs: 2500, reported: 'otlp' })
    expect(text(completed?.sections.output)).toBe(
      '{"blocks":[{"bytes":28,"type":"text"}],"blocksOmitted":0,"form":"result"}',
    )
    const { agent, user } = parseIdentity(requested?.sections.identity ?? new Uint8Array())
    expect(agent).toHaveProperty('absent')
    expect(user).toMatchObject({ id: 'alice', assurance: 'claimed', method: 'reported', source: 'weather 4.2' })
  })

  it('of a client: from its vantage, the program being the agent [IG-11]', async () => {
    const { requested } = await record(
      spanOf({ ...call, 'server.address': 'api.example', 'server.port': { int: 443n } }, { kind: 3 }),
    )
    expect(requested?.draft).toMatchObject({
      vantage: 'client', server: { name: 'api.example:443' }, spanId: expect.not.stringContaining('bb'),
    }) // biome-ignore format: one header
    expect(parseIdentity(requested?.sections.identity ?? new Uint8Array()).agent).toMatchObject({
      id: 'weather', assurance: 'claimed', source: 'weather 4.2: service.name',
    }) // biome-ignore format: one actor
  })

  it('arguments that were not recorded are marked as left out [IG-4] [IG-11]', async () => {
    const { requested } = await record(spanOf(call))
    expect(text(requested?.sections.input)).toBe(
      '{"$elided":{"bytes":0,"known":{"name":"get_weather"},"reason":"not_reported"}}',
    )
    expect(requested?.draft).toMatchObject({ inputBytes: 22 })
  })

  it.each([
    ['sampling by the client that answers', { 'mcp.method.name': 'sampling/createMessage' }, 2, 'client', 'to-client'],
    ['elicitation by the server that asks', { 'mcp.method.name': 'elicitation/create' }, 3, 'server', 'to-client'],
    [
      'an execute_tool span with attributes of MCP',
      { ...call, 'gen_ai.operation.name': 'execute_tool' },
      1,
      'client',
      'to-server',
    ],
  ])('%s [IG-11]', async (_, attributes, kind, vantage, direction) => {
    expect((await record(spanOf(attributes, { kind }))).requested?.draft).toMatchObject({ vantage, direction })
  })

  it.each([
    [{ 'rpc.response.status_code': '-32602' }, 0, { outcome: 'protocol_error', rpcCode: -32602 }],
    [{ 'error.type': '-32603' }, 2, { outcome: 'protocol_error', rpcCode: -32603 }],
    [{ 'rpc.jsonrpc.error_code': { double: -32000 } }, 2, { outcome: 'protocol_error', rpcCode: -32000 }],
    [{ 'rpc.response.status_code': 'OK' }, 0, { outcome: 'success' }],
    [{ 'error.type': 'tool_error' }, 2, { outcome: 'tool_error' }],
    [{ 'mcp.tool.result.is_error': { bool: true } }, 0, { outcome: 'tool_error' }],
    [{ 'error.type': 'timeout' }, 2, { outcome: 'timeout' }],
    [{ 'error.type': 'java.util.concurrent.CancellationException' }, 2, { outcome: 'cancelled' }],
    [{ 'error.type': 'java.net.UnknownHostException' }, 2, { outcome: 'unknown' }],
    [{ 'error.type': '500' }, 2, { outcome: 'unknown' }],
    [{}, 2, { outcome: 'unknown' }],
  ])('%j with status %d became %j [IG-12]', async (attributes: Record<string, string | Value>, code, expected) => {
    const { completed } = await record(spanOf({ ...call, ...attributes }, { status: { code, message: 'x' } }))
    expect(completed?.draft).toMatchObject(expected)
  })

  it.each([
    [
      'an earlier name of the tool',
      { 'mcp.method.name': 'tools/call', 'mcp.tool.name': 'add' },
      '"known":{"name":"add"}',
    ],
    ['single arguments', { ...call, 'mcp.request.argument.city': '"Bern"' }, '"arguments":{"city":"\\"Bern\\""}'],
    [
      'arguments in a string',
      { ...call, 'gen_ai.tool.call.arguments': ' {"a":1.50} ' },
      '{"name":"get_weather","arguments":{"a":1.50}}',
    ],
    ['arguments that are no JSON', { ...call, 'gen_ai.tool.call.arguments': '{"a":' }, '"arguments":"{\\"a\\":"'],
    [
      'a prompt',
      { 'mcp.method.name': 'prompts/get', 'gen_ai.prompt.name': 'hi', 'gen_ai.prompt.variable.x': 'y' },
      '{"name":"hi","arguments":{"x":"y"}}',
    ],
    [
      'a resource',
      { 'mcp.method.name': 'resources/read', 'mcp.resource.uri': 'file:///a' },
      '"known":{"uri":"file:///a"}',
    ],
    ['a list', { 'mcp.method.name': 'tools/list' }, '{"$elided":{"bytes":0,"reason":"not_reported"}}'],
  ])('%s is read [IG-12]', async (_, attributes, expected) => {
    expect(text((await record(spanOf(attributes))).requested?.sections.input)).toContain(expected)
  })

  it('a session on stdio is a conversation, for it has no Mcp-Session-Id [IG-12]', async () => {
    const { requested } = await record(spanOf({ ...call, 'mcp.session.id': 'abc-12345', 'network.transport': 'pipe' }))
    expect(requested?.draft).toMatchObject({ sessionSource: 'declared' })
  })

  it.each([
    ['the string', '"gone"', '"blocks":[{"bytes":33,"type":"text"}]'],
    ['an object', '{"temperature":7}', '"structuredBytes":17'],
  ])('%s that a tool gave back stands where results have it [IG-12]', async (_, result, expected) => {
    const { completed } = await record(spanOf({ ...call, 'gen_ai.tool.call.result': result }))
    expect(text(completed?.sections.output)).toContain(expected)
  })

  it('other spans and notifications are accepted, and make no records [IG-12]', async () => {
    const receiver = await receive()
    const others = [
      spanOf({ 'http.request.method': 'GET' }),
      spanOf({ 'mcp.method.name': 'notifications/progress' }),
      spanOf({}),
    ]
    const { status, body } = await sendSpans(receiver, { spans: others })
    expect({ status, body: text(body) }).toEqual({ status: 200, body: '{}' })
    expect(receiver.records).toEqual([])
  })

  it('spans that come again after a failure are not recorded again [IG-7] [IG-13]', async () => {
    const state = { failures: 1, records: 0 }
    const receiver = await receive({
      emit: async () => {
        state.records++
        if (state.records === 3 && state.failures-- > 0)
          throw Object.assign(new Error('x'), { code: 'spool_io', retry: true })
        return { recorded: true, hash: new Uint8Array(32) }
      },
    })
    const told = { spans: [spanOf(call), spanOf(call), spanOf(call)] }
    const first = await sendSpans(receiver, told)
    expect({ status: first.status, after: first.headers['retry-after'] }).toEqual({ status: 503, after: '1' })
    const before = state.records
    expect((await sendSpans(receiver, told)).status).toBe(200)
    expect(state.records - before).toBe(2)
  })
})

describe('answers', () => {
  it('full success leaves partial success out, in the encoding of the request [IG-13]', async () => {
    const receiver = await receive()
    const bytes = toProtobuf({ resource: service, spans: [spanOf(call)] })
    const { status, headers, body } = await receiver.post(path, bytes, { 'content-type': protobuf })
    expect({ status, type: headers['content-type'], length: body.length }).toEqual({
      status: 200,
      type: protobuf,
      length: 0,
    })
    expect((await receiver.post(path, '', { 'content-type': protobuf })).status).toBe(200)
    expect(receiver.records).toHaveLength(2)
  })

  it('rejected spans are counted and explained, the others recorded [IG-13]', async () => {
    const receiver = await receive()
    const told = {
      resource: service,
      spans: [
        spanOf(call),
        spanOf(call, { traceId: new Uint8Array(16) }),
        spanOf(call, { spanId: Buffer.alloc(3) }),
        spanOf(call, { kind: 4 }),
        spanOf({ ...call, 'mcp.method.name': 'x'.repeat(300) }),
      ],
    }
    const json = await receiver.post(path, toJson(told))
    expect(JSON.parse(text(json.body))).toEqual({
      partialSuccess: {
        rejectedSpans: '4',
        errorMessage: expect.stringMatching(/2 MCP spans .* ids.*1 MCP spans .*SERVER/),
      },
    })
    const { body } = await receiver.post(path, toProtobuf(told), { 'content-type': protobuf })
    const [partial] = [...readFields(body)]
    const fields = [...readFields(partial?.type === 'bytes' ? partial.value : new Uint8Array())]
    expect(fields.map(({ number, type }) => [number, type])).toEqual([[1, 'varint'], [2, 'bytes']]) // biome-ignore format: two fields
    expect(fields[0]?.value).toBe(4n)
    expect(receiver.records).toHaveLength(2)
  })

  it('a span whose times cannot be believed is recorded at its arrival, with a warning [IG-13]', async () => {
    const { requested, answer } = await record(spanOf(call, { startNs: 1n, endNs: 5n }))
    expect(Date.now() - Date.parse(requested?.draft.time ?? '')).toBeLessThan(60_000)
    expect(JSON.parse(answer)).toEqual({
      partialSuccess: { rejectedSpans: '0', errorMessage: expect.stringContaining('arrival') },
    })
  })

  it('malformed requests get a Status in their encoding [IG-13]', async () => {
    const receiver = await receive()
    const binary = await receiver.post(path, Buffer.from([0x0a, 0x05, 0x01]), { 'content-type': protobuf })
    expect({ status: binary.status, type: binary.headers['content-type'] }).toEqual({ status: 400, type: protobuf })
    expect([...readFields(binary.body)].map(({ number }) => number)).toEqual([1, 2])
    for (const body of [
      '{',
      '[]',
      '{"resourceSpans":1}',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"x"}]}]}]}',
    ]) {
      const json = await receiver.post(path, body)
      expect({ status: json.status, ...JSON.parse(text(json.body)) }).toMatchObject({ status: 400, code: 3 })
    }
    const refused = await receiver.post(path, '{}', { 'content-type': 'text/plain' })
    expect({ status: refused.status, type: refused.headers['content-type'] }).toEqual({
      status: 415,
      type: 'application/json',
    })
    const page = await receiver.post(path, '{}', { origin: 'http://evil.example' })
    expect({ status: page.status, ...JSON.parse(text(page.body)) }).toMatchObject({ status: 401, code: 16 })
  })
})

describe('readers', () => {
  it('both encodings say the same [IG-14]', () =>
    fc.assert(
      fc.property(request, (model) => {
        expect([...readProtobuf(toProtobuf(model))]).toEqual([...readJson(toJson(model))])
      }),
      { numRuns: 500 },
    ))

  it('nothing but a problem comes of any bytes [IG-14] [IG-5]', async () => {
    const changed = fc
      .tuple(request.map(toProtobuf), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
      .map(([bytes, edits, end]) => {
        const copy = Uint8Array.from(bytes)
        for (const [at, byte] of edits) copy[at % Math.max(1, copy.length)] = byte
        return copy.subarray(0, copy.length - (end % 3 === 0 ? end % Math.max(1, copy.length) : 0))
      })
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, fc.uint8Array({ maxLength: 40 })), fc.boolean(), async (bytes, isJson) => {
        const failure = await parseTraces(bytes, isJson ? 'application/json' : protobuf, 'here').catch(
          (error: unknown) => error,
        )
        if (failure instanceof Error) expect(failure).toBeInstanceOf(IngestProblem)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['a number that ends early', [0x08]],
    ['a number that is too long', [0x08, ...Array(10).fill(0xff), 0x01]],
    ['a number over 64 bits', [0x08, ...Array(9).fill(0xff), 0x02]],
    ['a field without a number', [0x00, 0x00]],
    ['a group', [0x0b]],
    ['fixed64 that ends early', [0x09, 0, 0]],
    ['a length beyond the end', [0x0a, 0x02, 0x00]],
    ['a length beyond 2^63', [0x0a, ...Array(9).fill(0xff), 0x01]],
  ])('%s is refused [IG-14]', (_, bytes) => {
    expect(() => [...readFields(Uint8Array.from(bytes))]).toThrow(WireError)
  })

  it('numbers of every length are read [IG-14]', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const bytes = [0x08]
        let left = value
        for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
        expect([...readFields(Uint8Array.from([...bytes, Number(left)]))]).toEqual([
          { number: 1, type: 'varint', value },
        ])
      }),
    ))

  it('values nested too deep count as not told, and cost their span nothing [IG-5]', async () => {
    let value: Value = string('deep')
    for (let depth = 0; depth < 200; depth++) value = { list: [value] }
    for (const encode of [toProtobuf, toJson]) {
      const receiver = await receive()
      const span = spanOf({ ...call, 'gen_ai.tool.call.arguments': value })
      const type = encode === toJson ? 'application/json' : protobuf
      const { status } = await receiver.post(path, encode({ resource: service, spans: [span] }), {
        'content-type': type,
      })
      expect(status).toBe(encode === toJson ? 400 : 200)
    }
  })
})
