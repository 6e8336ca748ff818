import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  call, echoServer, eventually, initialize, kind, request, stage, type TraceRecord, type WrapOptions, type Wrapped, wrap,
} from './harness/wrapped.ts' // biome-ignore format: one list

function start(command: readonly string[] = echoServer, options?: WrapOptions): Wrapped {
  const wrapped = wrap(command, options)
  onTestFinished(() => wrapped.dispose())
  return wrapped
}

const scripted = (lines: Record<string, string[]>) => [
  process.execPath,
  join(import.meta.dirname, 'servers/scripted.mjs'),
  JSON.stringify(lines),
]

const violations = (records: TraceRecord[]) => kind(records, 'violation').map(({ draft }) => draft.detail.code)

/** The completed record of the exchange whose requested one has this id in its environment. */
function completedOf(records: TraceRecord[], id: string) {
  const asked = stage(records, 'requested').find(
    ({ sections }) => parseEnvironment(Buffer.from(sections.environment ?? '')).ids.requestId === id,
  )
  return stage(records, 'completed').find(({ draft }) => draft.callId === asked?.draft.callId)?.draft
}

async function finish(wrapped: Wrapped) {
  wrapped.end()
  await wrapped.exit
  return wrapped.records()
}

describe('ids', () => {
  it('keep their type [C-6]', async () => {
    const ids = ['1', '"1"', '1.0', '9007199254740993', 'null', '"ü"', '-0']
    const wrapped = start(['cat'])
    for (const id of ids) wrapped.write(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`)
    // cat sends the requests back, as requests of the server; the client answers each with the bytes of its id.
    await wrapped.lines(ids.length)
    for (const id of ids) wrapped.write(`{"jsonrpc":"2.0","id":${id},"result":{}}\n`)
    await wrapped.lines(2 * ids.length)
    const records = await finish(wrapped)
    const toClient = stage(records, 'requested').filter(({ draft }) => draft.direction === 'to-client')
    expect(new Set(toClient.map(({ draft }) => draft.requestIdDigest)).size).toBe(ids.length)
    // The answers complete the server's requests and come back from cat to complete the client's own.
    expect(stage(records, 'completed').map(({ draft }) => draft.outcome)).toEqual(Array(2 * ids.length).fill('success'))
    expect(violations(records)).toEqual([])
  })

  it('are compared by type and bytes, strings by value [C-6] [C-12]', async () => {
    const wrapped = start(
      scripted({
        '1': [
          '{"jsonrpc":"2.0","id":"1","result":{}}',
          '{"jsonrpc":"2.0","id":1.0,"result":{}}',
          '{"jsonrpc":"2.0","id":1,"result":{}}',
        ],
        '"ü"': ['{"jsonrpc":"2.0","id":"\\u00fc","result":{}}'],
      }),
    )
    wrapped.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"jsonrpc":"2.0","id":"ü","method":"ping"}\n')
    await wrapped.lines(4)
    const records = await finish(wrapped)
    expect(violations(records)).toEqual(['unmatched_response', 'unmatched_response'])
    expect(completedOf(records, '1')?.outcome).toBe('success')
    expect(completedOf(records, '"ü"')?.outcome).toBe('success')
  })

  it('of any length and type, or none, leave no call unrecorded, in memory and in a file [C-32] [C-3]', async () => {
    const wrapped = start(echoServer, { delayMs: 100 })
    const large = { text: 'x'.repeat(5_000_000) }
    wrapped.write(call('x'.repeat(70_000), 'echo') + call('y'.repeat(70_000), 'size', large) + call({ a: 1 }, 'echo'))
    await wrapped.lines(3)
    wrapped.write('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"wipe":1}}}\n')
    const records = await finish(wrapped)
    const asked = stage(records, 'requested')
    // What waits in a file is hashed from there, while others are recorded.
    expect(asked.map(({ sections }) => JSON.parse(sections.input ?? '').name ?? 'too large').sort()).toEqual([
      'echo', 'echo', 'echo', 'too large',
    ]) // biome-ignore format: one list
    expect(new Set(asked.map(({ draft }) => draft.requestIdDigest)).size).toBe(4)
    expect(
      asked.map(
        ({ draft }) => stage(records, 'completed').find((end) => end.draft.callId === draft.callId)?.draft.outcome,
      ),
    ).toEqual(['success', 'success', 'success', 'unknown'])
    expect(violations(records)).toEqual(['not_jsonrpc', 'not_jsonrpc', 'not_jsonrpc'])
    expect(kind(records, 'notify')).toEqual([])
  })
})

describe('write-ahead', () => {
  it('records come before what they describe goes on, in order [C-3]', async () => {
    const wrapped = start(echoServer, { delayMs: 60 })
    const started = Date.now()
    wrapped.write(
      [
        call(1, 'echo'),
        call(2, 'echo'),
        '{"jsonrpc":"2.0","method":"notifications/initialized"}\n',
        call(3, 'echo'),
      ].join(''),
    )
    const lines = await wrapped.lines(3)
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([1, 2, 3])
    expect(Date.now() - started).toBeGreaterThan(120)
    const records = await finish(wrapped)
    for (const { draft, seq } of stage(records, 'completed')) {
      const before = stage(records, 'requested').find((other) => other.draft.callId === draft.callId)
      expect(before?.seq).toBeLessThan(seq)
      expect(draft.requestedHash).toBe(createHash('sha256').update(String(before?.seq)).digest('base64'))
    }
  })

  it('what cannot be recorded is refused, and the server never sees it [C-4]', async () => {
    const wrapped = start()
    wrapped.write(call(1, 'echo'))
    await wrapped.lines(1)
    wrapped.failStages('requested')
    wrapped.write(
      '{"jsonrpc":"2.0","id":"a\\u0062 c","method":"tools/call","params":{"name":"exit","arguments":{"code":3}}}\n',
    )
    const [, refused = ''] = await wrapped.lines(2)
    expect(refused).toContain('"id":"a\\u0062 c"')
    expect(JSON.parse(refused).error).toMatchObject({
      code: -31001,
      data: {
        code: 'AFD_AUDIT_UNAVAILABLE',
        cause: 'spool_io',
        retry: true,
        executed: false,
        callId: expect.any(String),
      },
    })
    wrapped.failStages()
    wrapped.write(call(3, 'echo'))
    await wrapped.lines(3)
    const records = await finish(wrapped)
    expect((await wrapped.exit).code).toBe(0)
    expect(stage(records, 'requested')).toHaveLength(2)
    expect(wrapped.errors()).toMatch(/^affidavit: .*spool_io.* \[AFD_AUDIT_UNAVAILABLE\]$/m)
  })

  it('who floods requests that are refused, and reads no answers, is not read either [C-4] [C-25]', async () => {
    const wrapped = start(['cat'])
    wrapped.failStages('requested')
    wrapped.process.stdout?.pause()
    const flood = Array.from({ length: 100_000 }, (_, i) => request(i, 'ping', { text: 'x'.repeat(300) }))
    for (let i = 0; i < flood.length; i += 1000) wrapped.write(flood.slice(i, i + 1000).join(''))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    // What the wrapper has not read waits here, not in its memory.
    expect(wrapped.process.stdin?.writableLength).toBeGreaterThan(10_000_000)
    wrapped.process.stdout?.resume()
    await wrapped.lines(100_000, 50_000)
    await finish(wrapped)
  })

  it('a line nobody can answer is refused with id null [C-4]', async () => {
    const wrapped = start(['cat'])
    wrapped.failStages('violation')
    wrapped.write('not json\n')
    const [line = ''] = await wrapped.lines(1)
    expect(JSON.parse(line)).toMatchObject({ id: null, error: { code: -31001 } })
    await finish(wrapped)
  })

  it('a result that cannot be recorded is withheld [C-5]', async () => {
    const wrapped = start()
    wrapped.failStages('completed')
    wrapped.write(call(7, 'echo', { secret: 'the result' }))
    const [line = ''] = await wrapped.lines(1)
    expect(JSON.parse(line)).toMatchObject({
      id: 7,
      error: { code: -31002, data: { code: 'AFD_RESULT_WITHHELD', retry: false, executed: true } },
    })
    expect(wrapped.output().includes('the result')).toBe(false)
    await finish(wrapped)
  })

  it('a streamed result that cannot be recorded never becomes a message [C-5]', async () => {
    const wrapped = start()
    wrapped.failStages('completed')
    wrapped.write(call(7, 'big', { bytes: 3_000_000 }))
    const [cut = '', error = ''] = await wrapped.lines(2)
    expect(cut.length).toBeGreaterThan(2_900_000)
    expect(() => JSON.parse(cut)).toThrow(SyntaxError)
    expect(JSON.parse(error)).toMatchObject({ id: 7, error: { code: -31002 } })
    wrapped.failStages()
    wrapped.write(call(8, 'echo'))
    expect(JSON.parse((await wrapped.lines(3))[2] ?? '')).toMatchObject({ id: 8, result: {} })
    await finish(wrapped)
  })
})

describe('both directions', () => {
  it('requests of the server are recorded before the client sees them, and its answers before the server does [C-7]', async () => {
    const wrapped = start()
    wrapped.write(call(1, 'ask'))
    const [asked = ''] = await wrapped.lines(1)
    expect(JSON.parse(asked)).toMatchObject({ id: 'ask-0', method: 'sampling/createMessage' })
    expect(stage(wrapped.records(), 'requested')[1]?.draft).toMatchObject({ kind: 'sample', direction: 'to-client' })
    wrapped.write('{"jsonrpc":"2.0","id":"ask-0","result":{"role":"assistant"}}\n')
    await wrapped.lines(2)
    const records = await finish(wrapped)
    expect(completedOf(records, '"ask-0"')).toMatchObject({ kind: 'sample', outcome: 'success' })
    expect(completedOf(records, '1')).toMatchObject({ kind: 'call', outcome: 'success' })
  })

  it('a request of the server that cannot be recorded is refused to the server [C-7] [C-4]', async () => {
    const wrapped = start([
      'sh',
      '-c',
      `read x; echo '{"jsonrpc":"2.0","id":5,"method":"roots/list"}'; read y; echo "$y"`,
    ])
    wrapped.failStages('requested')
    wrapped.write('\n')
    const [line = ''] = await wrapped.lines(1)
    // sh shows what it was answered; to us that is a response nobody asked for.
    expect(JSON.parse(line)).toMatchObject({ id: 5, error: { code: -31001 } })
    await finish(wrapped)
  })
})

describe('batches', () => {
  const batch = `[${[call(1, 'echo'), '{"jsonrpc":"2.0","method":"notifications/initialized"}', call('2', 'fail')].map((text) => text.trim()).join(', ')}]\n`
  const revision = request(0, 'initialize', {
    protocolVersion: '2025-03-26',
    clientInfo: { name: 'old', version: '1' },
  })

  it('are one record per element and go on together [C-8]', async () => {
    const wrapped = start()
    wrapped.write(revision)
    await wrapped.lines(1)
    wrapped.write(batch)
    await wrapped.lines(3)
    const records = await finish(wrapped)
    expect(completedOf(records, '1')).toMatchObject({ outcome: 'success' })
    expect(completedOf(records, '"2"')).toMatchObject({ outcome: 'tool_error' })
    expect(violations(records)).toEqual([])
    expect(
      stage(records, 'requested')
        .map(({ draft }) => draft.inputBytes)
        .slice(1),
    ).toEqual([call(1, 'echo').length - 1, call('2', 'fail').length - 1])
  })

  it('are refused as a whole, every id answered in one line [C-8]', async () => {
    const wrapped = start()
    wrapped.write(revision)
    await wrapped.lines(1)
    wrapped.failStages('requested')
    wrapped.write(batch)
    const [, line = ''] = await wrapped.lines(2)
    expect(JSON.parse(line)).toMatchObject([
      { id: 1, error: { code: -31001 } },
      { id: '2', error: { code: -31001 } },
    ])
    await finish(wrapped)
  })

  it('belong to one revision only and are not empty [C-12]', async () => {
    const wrapped = start(['cat'])
    wrapped.write(`[]\n${batch}`)
    await wrapped.lines(2)
    expect(new Set(violations(await finish(wrapped)))).toEqual(new Set(['batch']))
  })
})

describe('outcomes', () => {
  it('map exactly [C-13]', async () => {
    const wrapped = start(
      scripted({
        '1': ['{"jsonrpc":"2.0","id":1,"result":{"isError":true}}'],
        '2': ['{"jsonrpc":"2.0","id":2,"result":{"isError":false}}'],
        '3': ['{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no"}}'],
        '4': ['{"jsonrpc":"2.0","id":4,"result":{"resultType":"input_required","requestState":"opaque"}}'],
        '5': ['{"jsonrpc":"2.0","id":5,"result":{"task":{"taskId":"t-1","status":"working"}}}'],
        '6': ['{"jsonrpc":"2.0","id":6,"result":{"nested":{"isError":true}}}'],
        '7': ['{"jsonrpc":"2.0","id":7,"error":{"code":1e400}}'],
      }),
    )
    for (let id = 1; id <= 8; id++) wrapped.write(call(id, 'x'))
    await wrapped.lines(7)
    const records = await finish(wrapped)
    const outcomes = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => completedOf(records, String(id))?.outcome)
    expect(outcomes).toEqual([
      'tool_error', 'success', 'protocol_error', 'continued', 'continued', 'success', 'protocol_error', 'transport_error',
    ]) // biome-ignore format: one list
    expect(completedOf(records, '3')).toMatchObject({
      rpcCode: -32601,
      responseBytes: '{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no"}}'.length,
      latencyUs: expect.any(Number),
    })
    expect(completedOf(records, '7')).not.toHaveProperty('rpcCode')
    expect(completedOf(records, '8')).not.toHaveProperty('responseBytes')
  })

  it('a cancelled call is cancelled unless its response still comes [C-10]', async () => {
    const wrapped = start()
    const cancel = (id: unknown) =>
      `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })}\n`
    wrapped.write(call(1, 'never') + call('1', 'never'))
    await eventually(() => stage(wrapped.records(), 'requested').length === 2)
    wrapped.write(cancel(1))
    wrapped.write(call(2, 'ask'))
    await wrapped.lines(1)
    wrapped.write(`${cancel(2)}{"jsonrpc":"2.0","id":"ask-0","result":{}}\n`)
    await wrapped.lines(2)
    const records = await finish(wrapped)
    expect(completedOf(records, '1')?.outcome).toBe('cancelled')
    expect(completedOf(records, '"1"')?.outcome).toBe('transport_error')
    expect(completedOf(records, '2')?.outcome).toBe('success')
  })

  it('exchanges of one call share a group [C-11]', async () => {
    const wrapped = start(
      scripted({
        '1': ['{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"t-1"}}}'],
        '2': ['{"jsonrpc":"2.0","id":2,"result":{"taskId":"t-1","status":"completed"}}'],
        '3': ['{"jsonrpc":"2.0","id":3,"result":{"resultType":"input_required","requestState":"opaque-state"}}'],
        '4': ['{"jsonrpc":"2.0","id":4,"result":{}}'],
      }),
    )
    wrapped.write(call(1, 'slow'))
    await wrapped.lines(1)
    wrapped.write(request(2, 'tasks/get', { taskId: 't-1' }) + call(3, 'ask'))
    await wrapped.lines(3)
    wrapped.write(request(4, 'tools/call', { name: 'ask', requestState: 'opaque-state' }))
    await wrapped.lines(4)
    const records = await finish(wrapped)
    const [first, second, third, fourth] = stage(records, 'requested').map(({ draft }) => draft)
    expect(completedOf(records, '1')?.callGroupId).toBe(first.callId)
    expect(second).toMatchObject({ kind: 'task', callGroupId: first.callId })
    expect(completedOf(records, '2')).toMatchObject({ callGroupId: first.callId, outcome: 'success' })
    expect(completedOf(records, '3')?.callGroupId).toBe(third.callId)
    expect(fourth.callGroupId).toBe(third.callId)
    expect(JSON.stringify(records)).not.toContain('opaque-state')
    const input = stage(records, 'requested')[3]?.sections.input
    expect(JSON.parse(input ?? '')).toEqual({ name: 'ask', requestState: '[REDACTED:request-state]' })
  })
})

describe('violations', () => {
  it('each is named, and the line passes in observe mode [C-12]', async () => {
    const lines: [string | Buffer, string][] = [
      ['nonsense\n', 'not_json'],
      ['{"jsonrpc":"2.0","id":1,"ID":2,"method":"ping"}\n', 'folded_key'],
      ['{"jsonrpc":"2.0","id":1,"\\u0069d":3,"method":"ping"}\n', 'duplicate_key'],
      ['{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"a","name":"b"}}\n', 'duplicate_key'],
      ['{"jsonrpc":"1.0","id":5,"method":"ping"}\n', 'not_jsonrpc'],
      ['{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}\n', 'not_jsonrpc'],
      ['42\n', 'not_jsonrpc'],
      ['{"jsonrpc":"2.0","id":99,"result":{}}\n', 'unmatched_response'],
      [Buffer.from('{"jsonrpc":"2.0","id":6,"method":"ping","params":{"x":"\xff"}}\n', 'latin1'), 'invalid_utf8'],
      [`{"jsonrpc":"2.0","id":7,"method":"ping","params":${'['.repeat(1_000_001)}\n`, 'too_deep'],
      ['{"jsonrpc":"2.0","method":"x"}', 'unterminated_line'],
    ] // biome-ignore format: one case, one line
    const wrapped = start(['sh', '-c', 'exec 3>"$0"; cat >&3', '/dev/null'])
    for (const [line] of lines) wrapped.write(line)
    const records = await finish(wrapped)
    expect(violations(records)).toEqual(lines.map(([, code]) => code))
    // Parsers that are lenient would execute these calls, so they are calls as well.
    expect(stage(records, 'requested').map(({ draft }) => draft.method ?? 'unknown')).toEqual([
      'ping', 'ping', 'tools/call', 'ping', 'ping', 'ping',
    ]) // biome-ignore format: one list
  })

  it('the same id twice in flight is one [C-12]', async () => {
    const wrapped = start()
    wrapped.write(call(1, 'never') + call(1, 'echo'))
    await wrapped.lines(1)
    expect(violations(await finish(wrapped))).toEqual(['duplicate_id'])
  })

  it('an excerpt of an unreadable line is redacted [C-12]', async () => {
    const wrapped = start(['sh', '-c', 'echo "using token ghp_abcdefghijklmnopqrstuvwxyz0123456789"; cat >/dev/null'])
    await wrapped.lines(1)
    const [record] = kind(await finish(wrapped), 'violation')
    expect(record?.sections.input).toMatch(/^"using token \[REDACTED/)
  })
})

describe('what is known', () => {
  it('tools are named as listed, with the hash of their bytes, over all pages [C-14]', async () => {
    const wrapped = start()
    wrapped.write(initialize)
    await wrapped.lines(1)
    wrapped.write(request(1, 'tools/list'))
    await wrapped.lines(2)
    wrapped.write(request(2, 'tools/list', { cursor: 'two' }))
    await wrapped.lines(3)
    wrapped.write(call(3, 'echo') + call(4, 'second') + call(5, 'third'))
    await wrapped.lines(6)
    const records = await finish(wrapped)
    const hash = (text: string) => createHash('sha256').update(text).digest('base64')
    expect(
      stage(records, 'requested')
        .slice(3)
        .map(({ draft }) => draft.tool),
    ).toEqual([
      { name: 'echo', definition: hash('{"name": "echo","inputSchema":{"type":"object"}}') },
      { name: 'second', definition: hash('{"name":"second"}') },
      { nameDigest: expect.any(String), definition: 'unlisted' },
    ])
  })

  it('a session runs from initialize on; the server is known from its answer [C-15]', async () => {
    const wrapped = start()
    wrapped.write(request('early', 'ping'))
    await wrapped.lines(1)
    wrapped.write(initialize)
    await wrapped.lines(2)
    wrapped.write(call(1, 'echo'))
    await wrapped.lines(3)
    const records = await finish(wrapped)
    const [early, opening, later] = stage(records, 'requested').map(({ draft }) => draft)
    expect(early).toMatchObject({
      sessionSource: 'absent',
      sessionReason: expect.any(String),
      server: { name: 'under-test' },
    })
    expect(opening).toMatchObject({ sessionSource: 'legacy-stdio', sessionId: expect.any(String) })
    expect(later).toMatchObject({
      sessionId: opening.sessionId,
      server: { name: 'under-test', reportedName: 'echo-server', version: '9.8.7', protocolVersion: '2025-06-18' },
    })
  })

  it('stateless requests bring their session, agent, trace and purpose with them [C-15] [C-16]', async () => {
    const wrapped = start()
    const meta = {
      'io.modelcontextprotocol/clientInfo': { name: 'modern', version: '3' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      task: 'close ticket 17',
    }
    wrapped.write(request(1, 'tools/call', { name: 'echo', _meta: meta }))
    wrapped.write(request(2, 'tools/call', { name: 'echo', _meta: { ...meta, conversationId: 'chat-1' } }))
    await wrapped.lines(2)
    const [traced, declared] = stage(await finish(wrapped), 'requested')
    const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
    expect(traced?.draft).toMatchObject({ ...trace, sessionSource: 'trace', sessionId: trace.traceId })
    expect(declared?.draft).toMatchObject({
      sessionSource: 'declared',
      sessionId: expect.stringMatching(/^[0-9a-f]{8}:/),
    })
    expect(JSON.parse(traced?.sections.purpose ?? '')).toMatchObject({
      assurance: 'claimed',
      statement: 'close ticket 17',
    })
    const identity = parseIdentity(Buffer.from(traced?.sections.identity ?? ''))
    expect(identity.agent).toMatchObject({ assurance: 'claimed', id: 'modern' })
  })

  it('clientInfo is claimed, kernel facts are attested with their caveat [C-16]', async () => {
    const wrapped = start()
    wrapped.write(initialize)
    await wrapped.lines(1)
    const [record] = stage(await finish(wrapped), 'requested')
    const identity = parseIdentity(Buffer.from(record?.sections.identity ?? ''))
    expect(identity.agent).toMatchObject({ assurance: 'claimed', id: 'tester', version: '1.2.3' })
    expect(identity.user).toMatchObject({
      assurance: 'attested',
      uid: process.getuid?.(),
      reason: expect.stringContaining('same user'),
    })
    expect(identity.workload).toMatchObject({ assurance: 'attested', id: process.execPath })
    expect(identity.token).toHaveProperty('absent')
  })
})

describe('levels', () => {
  const secret = 'a value nobody may see'

  it('metadata keeps keys and shapes, no values [C-26]', async () => {
    const wrapped = start(echoServer, { level: 'metadata' })
    wrapped.write(
      `${request(1, 'tools/call', { name: 'echo', arguments: { note: secret, list: [1, secret] }, _meta: { task: secret } })}${secret}\n`,
    )
    await wrapped.lines(1)
    const records = await finish(wrapped)
    expect(JSON.stringify(records)).not.toContain(secret)
    expect(JSON.parse(stage(records, 'requested')[0]?.sections.input ?? '')).toMatchObject({
      $shape: { object: { arguments: { object: { note: `string(${secret.length})`, list: { array: 2 } } } } },
    })
  })

  it('full keeps the redacted response [C-26]', async () => {
    const wrapped = start(echoServer, { level: 'full' })
    wrapped.write(call(1, 'echo', { note: 'kept', token: 'ghp_abcdefghijklmnopqrstuvwxyz0123456789' }))
    const [line] = await wrapped.lines(1)
    const records = await finish(wrapped)
    const [completed] = stage(records, 'completed')
    const { text } = JSON.parse(completed?.sections.output ?? '')
    expect(text).toContain('kept')
    expect(JSON.stringify(records)).not.toContain('ghp_abcdefghijklmnopqrstuvwxyz0123456789')
    expect(line).toContain('ghp_abcdefghijklmnopqrstuvwxyz0123456789')
    expect(JSON.parse(completed?.sections.environment ?? '').redactions.length).toBeGreaterThan(0)
  })
})
