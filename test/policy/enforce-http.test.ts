import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, call, event, type Gatewayed, kind, message, openGateway, outcomes, result, stage,
} from '../gateway/harness/gatewayed.ts' // biome-ignore format: one list
import { inForce, noDrop } from './harness/in-force.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

/** A server that keeps a log of its own of every message it got. */
function logging(answer: (response: ServerResponse, id: unknown) => void) {
  const log: string[] = []
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    log.push(body)
    answer(response, JSON.parse(body).id ?? null)
  }
  return { log, listener }
}

const asJson = (response: ServerResponse, id: unknown) => answerJson(response, result(id))
const asEvents = (response: ServerResponse, id: unknown) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(event(result(id)))
}
const modern = {
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
}
const modernCall = (id: unknown, name: string) =>
  message(id, 'tools/call', { name, arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } })
const denial = (id: unknown) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -31004,
    message: 'Affidavit refused this call: no-drop forbids it: Nothing is dropped here; it was not executed',
    data: {
      code: 'AFD_POLICY_DENIED',
      cause: 'policy',
      retry: false,
      executed: false,
      policies: ['no-drop'],
      callId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  },
})

describe.each([
  ['JSON', asJson],
  ['SSE', asEvents],
])('a server that answers in %s', (_, answer) => {
  it.each(['legacy', 'modern'])('never sees a denied call of the %s era [PO-8]', async (era) => {
    const { log, listener } = logging(answer)
    open = await openGateway(listener, { policy: await inForce(noDrop) })
    const send = (id: unknown, name: string) =>
      era === 'legacy'
        ? ask(open?.url ?? '', { body: call(id, name) })
        : ask(open?.url ?? '', { body: modernCall(id, name), headers: { ...modern, 'mcp-name': name } })
    const denied = await send('x1', 'drop')
    expect(denied.status).toBe(200)
    const told = JSON.parse(denied.body.toString())
    expect(told).toEqual(denial('x1'))
    const granted = await send(2, 'echo')
    expect(granted.body.toString()).toContain('"result"')
    expect(log).toHaveLength(1)
    expect(log[0]).not.toContain('drop')
    const [first, second] = stage(open.records, 'requested')
    expect(first?.draft).toMatchObject({
      callId: told.error.data.callId,
      decision: { disposition: 'denied', mode: 'enforce' },
    })
    expect(second?.draft.decision).toEqual({ disposition: 'granted', mode: 'enforce' })
    expect(JSON.parse(first?.sections.decision ?? '')).toMatchObject({
      engine: { name: 'cedar' },
      determining: ['no-drop'],
      rationale: 'Denied: no-drop forbids it: Nothing is dropped here.',
    })
    expect(outcomes(open.records)).toEqual(['denied', 'success'])
    expect(kind(open.records, 'violation')).toEqual([])
  })
})

describe('enforced', () => {
  it('a batch with one denied element is refused as a whole, and each element learns whether it was meant [PO-8]', async () => {
    const { log, listener } = logging(asJson)
    open = await openGateway(listener, { policy: await inForce(noDrop) })
    const answer = await ask(open.url, { body: `[${call(1)},${call(2, 'drop')},${call(3)},${call(4, 'drop')}]` })
    const told = JSON.parse(answer.body.toString())
    expect(
      told.map((each: { id: number; error: { data: { cause: string } } }) => [each.id, each.error.data.cause]),
    ).toEqual([
      [1, 'batch'],
      [2, 'policy'],
      [3, 'batch'],
      [4, 'policy'],
    ])
    expect(log).toEqual([])
    expect(outcomes(open.records)).toEqual(['denied', 'denied', 'denied', 'denied'])
  })

  const duplicate = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"drop"}}'
  const folded = '{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"x","params":{"name":"echo"}}'
  const notUtf8 = Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"'),
    Buffer.from([0xff]),
    Buffer.from('"}}'),
  ])
  it.each([
    ['a key that comes twice', duplicate, {}, 200, 'duplicate_key'],
    ['a key in another case', folded, {}, 200, 'folded_key'],
    ['bytes that are not UTF-8', notUtf8, {}, 200, 'invalid_utf8'],
    ['what is no JSON', '{"jsonrpc":', {}, 400, 'not_json'],
    ['a header that says otherwise', modernCall(1, 'drop'), { ...modern, 'mcp-name': 'echo' }, 200, 'header_mismatch'],
    ['a body that cannot be decoded', call(1), { 'content-encoding': 'gzip' }, 400, 'undecodable'],
  ])('what parsers read differently is refused: %s [PO-9]', async (_, body, headers, status, code) => {
    const { log, listener } = logging(asJson)
    const all = '@id("all") permit(principal, action, resource);'
    open = await openGateway(listener, { policy: await inForce(all) })
    const answer = await ask(open.url, { body, headers })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      id: status === 200 ? 1 : null,
      error: { code: -31004, data: { cause: 'ambiguous', executed: false } },
    })
    expect(log).toEqual([])
    expect(kind(open.records, 'violation').map(({ draft }) => draft.detail.code)).toContain(code)
    if (status === 200) expect(outcomes(open.records)).toEqual(['denied'])
  })

  it('handshakes and lists are not asked about, and say so [PO-10]', async () => {
    const { log, listener } = logging(asJson)
    open = await openGateway(listener, { policy: await inForce('@id("none") forbid(principal, action, resource);') })
    for (const method of ['initialize', 'ping', 'tools/list', 'resources/list'])
      await ask(open.url, { body: message(1, method) })
    expect(log).toHaveLength(4)
    for (const { draft } of stage(open.records, 'requested'))
      expect(draft.decision).toEqual({ disposition: 'undecided', mode: 'enforce' })
    for (const method of [
      'tools/call',
      'resources/read',
      'prompts/get',
      'tasks/result',
      'completion/complete',
      'vendor/special',
    ])
      expect(
        JSON.parse((await ask(open.url, { body: message(1, method, { name: 'a', uri: 'b:c' }) })).body.toString()).error
          .code,
      ).toBe(-31004)
    expect(log).toHaveLength(4)
  })

  it('a tools/call without an id is refused, too [PO-8]', async () => {
    const { log, listener } = logging(asJson)
    open = await openGateway(listener, { policy: await inForce(noDrop) })
    const body = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"drop"}}'
    expect((await ask(open.url, { body })).status).toBeGreaterThanOrEqual(400)
    expect(log).toEqual([])
    expect(outcomes(open.records)).toEqual(['denied'])
  })

  it('at level metadata the record holds no value of the client [PO-2]', async () => {
    const { listener } = logging(asJson)
    const text = `${noDrop} @id("p") forbid(principal, action, resource) when { context.arguments.secret == "marker-7f3" };`
    open = await openGateway(listener, { policy: await inForce(text), level: 'metadata' })
    await ask(open.url, { body: call(1, 'echo', { secret: 'marker-7f3' }) })
    expect(outcomes(open.records)).toEqual(['denied'])
    const kept = open.records.map(({ sections: { decision, ...others } }) => ({
      others,
      value: JSON.parse(decision ?? '{"conditions":[]}').conditions,
    }))
    for (const { others, value } of kept) {
      expect(JSON.stringify(others)).not.toContain('marker-7f3')
      for (const condition of value) expect(condition.value).not.toContain('marker-7f3')
    }
  })
})

describe('observed', () => {
  it('what is denied is recorded as denied, and goes on [PO-11]', async () => {
    const { log, listener } = logging(asJson)
    open = await openGateway(listener, { policy: await inForce(noDrop, 'observe') })
    const answer = await ask(open.url, { body: call(1, 'drop') })
    expect(JSON.parse(answer.body.toString())).toEqual(result(1))
    expect(log).toHaveLength(1)
    const [requested] = stage(open.records, 'requested')
    expect(requested?.draft.decision).toEqual({ disposition: 'denied', mode: 'observe' })
    expect(requested?.sections.decision).toContain('It went on all the same: the mode is observe.')
    expect(outcomes(open.records)).toEqual(['success'])
    await ask(open.url, { body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"x"}}' })
    expect(log).toHaveLength(2)
  })

  it('policies see how many calls of the session went before, and how many were denied [PO-12]', async () => {
    const { log, listener } = logging(asJson)
    const text = `@id("few") permit(principal, action, resource) when { context has session && context.session.calls < 2 };`
    open = await openGateway(listener, { policy: await inForce(text) })
    const headers = { 'mcp-session-id': 's1' }
    for (let i = 0; i < 4; i++) await ask(open.url, { body: call(i), headers })
    expect(log).toHaveLength(2)
    expect(outcomes(open.records)).toEqual(['success', 'success', 'denied', 'denied'])
    await ask(open.url, { body: call(9), headers: { 'mcp-session-id': 's2' } })
    expect(log).toHaveLength(3)
  })
})
