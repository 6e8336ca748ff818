import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, event, eventually, type Gatewayed, kind, openGateway, openStream, outcomes, result, stage,
} from './harness/gatewayed.ts' // biome-ignore format: one list

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const version = '2026-07-28'
const meta = {
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': { name: 'modern-agent', version: '3' },
}

function modern(id: unknown, method: string, params: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } })
}
const heads = (method: string, name?: string) => ({
  'mcp-protocol-version': version,
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
})
const callEcho = (id: unknown, more: object = {}) => modern(id, 'tools/call', { name: 'echo', arguments: {}, ...more })
const sse = { 'content-type': 'text/event-stream' }

describe('2026-07-28', () => {
  it('closing the stream cancels: the server sees it, and the call is cancelled [GW-11]', async () => {
    let closed = false
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      response.write('id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n')
      response.on('close', () => {
        closed = true
      })
    })
    const stream = await openStream(open.url, { headers: heads('tools/call', 'echo'), body: callEcho(1) })
    await stream.until('progress')
    stream.abort()
    const { records } = open
    await eventually(() => closed && outcomes(records).length === 1)
    expect(outcomes(records)).toEqual(['cancelled'])
  })

  it('closing before any answer cancels as well [GW-11]', async () => {
    let closed = false
    let seen = false
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      seen = true
      response.on('close', () => {
        closed = true
      })
    })
    const controller = new AbortController()
    const sent = fetch(open.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...heads('tools/call', 'echo') },
      body: callEcho(1),
      signal: controller.signal,
    })
    sent.catch(() => undefined)
    await eventually(() => seen)
    controller.abort()
    const { records } = open
    await eventually(() => closed && outcomes(records).length === 1)
    expect(outcomes(records)).toEqual(['cancelled'])
  })

  it('requests without a session name their agent, and are called no session [GW-1]', async () => {
    open = await openGateway(async (request, response) => {
      const { id } = JSON.parse(await bodyOf(request))
      const server = { 'io.modelcontextprotocol/serverInfo': { name: 'modern-server', version: '7' } }
      answerJson(response, result(id, { resultType: 'complete', content: [], _meta: server }))
    })
    for (const id of [0, 0]) await ask(open.url, { headers: heads('tools/call', 'echo'), body: callEcho(id) })
    const [first, second] = stage(open.records, 'requested')
    expect(first?.draft).toMatchObject({ sessionSource: 'absent', sessionReason: expect.any(String) })
    expect(JSON.parse(first?.sections.identity ?? '').agent.name).toBe('modern-agent')
    // What one exchange told of the server is known to the next.
    expect(second?.draft.server).toMatchObject({ reportedName: 'modern-server', version: '7' })
    expect(kind(open.records, 'violation')).toEqual([])
    expect(outcomes(open.records)).toEqual(['success', 'success'])
  })

  it('a trace in the HTTP header names the session where _meta does not [GW-1]', async () => {
    open = await openGateway(async (request, response) => {
      answerJson(response, result(JSON.parse(await bodyOf(request)).id))
    })
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await ask(open.url, { headers: { ...heads('tools/call', 'echo'), traceparent }, body: callEcho(1) })
    expect(open.records[0]?.draft).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      sessionSource: 'trace',
      sessionId: '0af7651916cd43dd8448eb211c80319c',
    })
  })

  it('rounds of input_required are one group, and requestState is nowhere [GW-12]', async () => {
    open = await openGateway(async (request, response) => {
      const { id, params } = JSON.parse(await bodyOf(request))
      const asked = { resultType: 'input_required', inputRequests: {}, requestState: 'state-secret-1' }
      answerJson(
        response,
        result(id, params.requestState === undefined ? asked : { resultType: 'complete', content: [] }),
      )
    })
    const headers = heads('tools/call', 'echo')
    await ask(open.url, { headers, body: callEcho(1) })
    await ask(open.url, { headers, body: callEcho(2, { requestState: 'state-secret-1', inputResponses: {} }) })
    expect(outcomes(open.records)).toEqual(['continued', 'success'])
    const [first, second] = stage(open.records, 'completed')
    expect(first?.draft.callGroupId).toBe(first?.draft.callId)
    expect(second?.draft.callGroupId).toBe(first?.draft.callId)
    expect(JSON.stringify(open.records)).not.toContain('state-secret')
  })

  it('a task is one group, and its outcome is what tasks/get shows at the end [GW-12]', async () => {
    const shown = [
      { status: 'working' },
      { status: 'completed', result: { isError: true, content: [] } },
      { status: 'failed', error: { code: -32055, message: 'x' } },
      { status: 'cancelled' },
      { status: 'completed', result: { content: [] } },
    ]
    open = await openGateway(async (request, response) => {
      const { id, method } = JSON.parse(await bodyOf(request))
      const created = { resultType: 'task', taskId: 't-1', status: 'working' }
      answerJson(response, result(id, method === 'tools/call' ? created : { taskId: 't-1', ...shown.shift() }))
    })
    await ask(open.url, { headers: heads('tools/call', 'echo'), body: callEcho(1) })
    for (let i = 2; i < 7; i++)
      await ask(open.url, { headers: heads('tasks/get', 't-1'), body: modern(i, 'tasks/get', { taskId: 't-1' }) })
    expect(outcomes(open.records)).toEqual([
      'continued', 'continued', 'tool_error', 'protocol_error', 'cancelled', 'success',
    ]) // biome-ignore format: one list
    const completed = stage(open.records, 'completed').map(({ draft }) => draft)
    expect(new Set(completed.map(({ callGroupId }) => callGroupId))).toEqual(new Set([completed[0]?.callId]))
    expect(completed[3]).toMatchObject({ rpcCode: -32055 })
    expect(kind(open.records, 'violation')).toEqual([])
  })

  it('subscriptions/listen lasts as long as its stream, and is cancelled by closing it [GW-13]', async () => {
    open = await openGateway(async (request, response) => {
      const { id } = JSON.parse(await bodyOf(request))
      response.writeHead(200, sse)
      response.write(event({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: {} }))
      setTimeout(() => response.write(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })), 50)
      if (id === 'ends') setTimeout(() => response.end(event(result(id, {}))), 100)
    })
    const headers = heads('subscriptions/listen')
    const stream = await openStream(open.url, { headers, body: modern('stays', 'subscriptions/listen') })
    await stream.until('list_changed')
    expect(outcomes(open.records)).toEqual([])
    stream.abort()
    const { records } = open
    await eventually(() => outcomes(records).length === 1)
    await ask(open.url, { headers, body: modern('ends', 'subscriptions/listen') })
    expect(outcomes(records)).toEqual(['cancelled', 'success'])
    expect(stage(records, 'requested')[0]?.draft).toMatchObject({ kind: 'session', method: 'subscriptions/listen' })
    await eventually(() => kind(records, 'notify').length > 0)
  })

  it('headers that disagree or are missing are violations, and the body decides [GW-14]', async () => {
    open = await openGateway(async (request, response) => {
      answerJson(response, result(JSON.parse(await bodyOf(request)).id))
    })
    const codes = async (headers: { [name: string]: string }, body: string) => {
      const before = open?.records.length ?? 0
      await ask(open?.url ?? '', { headers, body })
      return kind(open?.records.slice(before) ?? [], 'violation').map(({ draft }) => draft.detail.code)
    }
    const good = heads('tools/call', 'echo')
    expect(await codes(good, callEcho(1))).toEqual([])
    expect(await codes({ ...good, 'mcp-method': 'tools/list' }, callEcho(1))).toEqual(['header_mismatch'])
    expect(await codes({ ...good, 'mcp-name': 'delete_all' }, callEcho(1))).toEqual(['header_mismatch'])
    expect(await codes({ ...good, 'mcp-protocol-version': '2025-11-25' }, callEcho(1))).toEqual(['header_mismatch'])
    expect(await codes({ 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, callEcho(1))).toEqual(['header_missing'])
    expect(await codes({ 'mcp-protocol-version': version }, callEcho(1))).toEqual(['header_missing'])
    // "ëcho" cannot stand in a header: MCP 2026-07-28 has a base64 form for it.
    const encoded = { ...good, 'mcp-name': `=?base64?${Buffer.from('ëcho').toString('base64')}?=` }
    expect(await codes(encoded, modern(1, 'tools/call', { name: 'ëcho' }))).toEqual([])
    const last = stage(open.records, 'requested').map(({ draft }) => draft.tool?.nameDigest)
    expect(last.slice(0, 6)).toEqual(Array(6).fill(open.digest('echo')))
  })
})
