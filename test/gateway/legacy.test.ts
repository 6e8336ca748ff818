import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, call, event, eventually, type Gatewayed, kind, message, openGateway, openStream, outcomes, result, stage,
} from './harness/gatewayed.ts' // biome-ignore format: one list

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const sse = { 'content-type': 'text/event-stream' }
const session = { 'mcp-session-id': 'session-1' }

describe('legacy revisions', () => {
  it('a POST answered by JSON is one call, with its HTTP status, session and client connection [GW-1]', async () => {
    open = await openGateway(async (request, response) => {
      const { id } = JSON.parse(await bodyOf(request))
      answerJson(response, result(id))
    })
    const answer = await ask(open.url, { headers: session, body: call(1) })
    expect(answer.body.toString()).toBe(JSON.stringify(result(1)))
    const [requested, completed] = open.records
    expect(requested?.draft).toMatchObject({
      kind: 'call', stage: 'requested', vantage: 'gateway', sessionSource: 'legacy-http', sessionId: open.digest('session-1'),
    }) // biome-ignore format: one header
    expect(completed?.draft).toMatchObject({ stage: 'completed', outcome: 'success', httpStatus: 200 })
    expect(completed?.draft.responseBytes).toBe(answer.body.length)
    const environment = JSON.parse(requested?.sections.environment ?? '')
    expect(environment.network).toEqual([expect.objectContaining({ peer: 'client', remoteAddress: '127.0.0.1' })])
    expect(open.said).toEqual([])
  })

  it('connections to the server are kept for the next request, and Host is what the configuration says [GW-1]', async () => {
    for (const host of ['keep', 'upstream'] as const) {
      const hosts = new Set<string | undefined>()
      const connections = new Set<number | undefined>()
      const gateway = await openGateway(
        async (request, response) => {
          hosts.add(request.headers.host)
          connections.add(request.socket.remotePort)
          answerJson(response, result(JSON.parse(await bodyOf(request)).id))
        },
        { host },
      )
      for (let id = 0; id < 10; id++) await ask(gateway.url, { headers: session, body: call(id) })
      expect(connections.size).toBe(1)
      expect([...hosts]).toEqual([new URL(host === 'keep' ? gateway.url : gateway.direct).host])
      await gateway.close()
    }
  })

  it('initialize belongs to the session that its answer opens, and names the agent of all its calls [GW-2]', async () => {
    open = await openGateway(async (request, response) => {
      const { id, method } = JSON.parse(await bodyOf(request))
      const handshake = { protocolVersion: '2025-06-18', serverInfo: { name: 's', version: '9' }, capabilities: {} }
      if (method === 'initialize') answerJson(response, result(id, handshake), session)
      else answerJson(response, result(id))
    })
    const params = { protocolVersion: '2025-06-18', clientInfo: { name: 'agent-x', version: '1' } }
    await ask(open.url, { body: message(0, 'initialize', params) })
    await ask(open.url, { headers: session, body: call(1) })
    const [first, second] = stage(open.records, 'requested')
    const [opened] = stage(open.records, 'completed')
    expect(first?.draft).toMatchObject({ sessionSource: 'absent', sessionReason: expect.any(String) })
    expect(opened?.draft).toMatchObject({ sessionId: open.digest('session-1'), server: { version: '9' } })
    expect(second?.draft).toMatchObject({ sessionId: open.digest('session-1'), server: { version: '9' } })
    expect(JSON.parse(second?.sections.identity ?? '').agent).toMatchObject({ name: 'agent-x', assurance: 'claimed' })
    // The id of a session is a credential: only its digest is kept.
    expect(JSON.stringify(open.records)).not.toContain('session-1')
  })

  it('a POST answered by events: progress passes at once, the result when it is recorded [GW-3]', async () => {
    open = await openGateway(async (request, response) => {
      const { id } = JSON.parse(await bodyOf(request))
      response.writeHead(200, sse)
      response.write(event({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } }))
      response.end(event(result(id)))
    })
    const release = open.holdEmits()
    const answering = openStream(open.url, { headers: session, body: call(7) })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(open.records).toEqual([])
    release()
    const stream = await answering
    // The request is recorded; from now on the outcome waits.
    const again = open.holdEmits()
    await stream.until('notifications/progress')
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (outcomes(open.records).length === 0) expect(stream.text()).not.toContain('"result"')
    again()
    await stream.ended
    expect(stream.text()).toContain('"result"')
    expect(outcomes(open.records)).toEqual(['success'])
  })

  it('a server request on the GET stream and its answer by POST are one exchange to the client [GW-4]', async () => {
    open = await openGateway(async (request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, sse)
        response.write(event({ jsonrpc: '2.0', id: 'ask-1', method: 'elicitation/create', params: { message: 'ok?' } }))
        return
      }
      await bodyOf(request)
      response.writeHead(202)
      response.end()
    })
    const stream = await openStream(open.url, { method: 'GET', headers: { ...session, accept: 'text/event-stream' } })
    await stream.until('elicitation/create')
    const answer = await ask(open.url, {
      headers: session,
      body: JSON.stringify(result('ask-1', { action: 'accept' })),
    })
    expect(answer.status).toBe(202)
    expect(open.records.map(({ draft }) => [draft.kind, draft.stage, draft.direction ?? draft.outcome])).toEqual([
      ['elicit', 'requested', 'to-client'],
      ['elicit', 'completed', 'success'],
    ])
    stream.abort()
  })

  it('DELETE ends the session, and what was open gets its outcome [GW-5]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(request.method === 'DELETE' ? 200 : 202)
      response.end()
    })
    // Accepted without an answer: it may come on the session's stream.
    await ask(open.url, { headers: session, body: call(3) })
    expect(outcomes(open.records)).toEqual([])
    const ended = await ask(open.url, { method: 'DELETE', headers: session })
    expect(ended.status).toBe(200)
    const records = open.records
    await eventually(() => outcomes(records).length === 1)
    expect(outcomes(records)).toEqual(['transport_error'])
  })

  it('a result that comes on a later stream finds its call, and played again it makes no second record [GW-6]', async () => {
    const answer = event(result(5, { content: [{ type: 'text', text: 'late' }] }), 'e-2')
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      // Node sends the head with the first write; an event with an id and no data only names where to resume.
      if (request.method === 'POST') response.end('id: e-1\ndata:\n\n')
      else response.end(answer)
    })
    const first = await ask(open.url, { headers: session, body: call(5) })
    expect(first.body.toString()).toBe('id: e-1\ndata:\n\n')
    expect(outcomes(open.records)).toEqual([])
    const resume = { method: 'GET', headers: { ...session, 'last-event-id': 'e-1', accept: 'text/event-stream' } }
    const second = await ask(open.url, resume)
    expect(second.body.toString()).toBe(answer)
    expect(outcomes(open.records)).toEqual(['success'])
    const third = await ask(open.url, resume)
    expect(third.body.toString()).toBe(answer)
    expect(open.records).toHaveLength(2)
  })

  it('without a session, the event that is resumed from tells whose result it is [GW-6]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      if (request.method === 'POST')
        response.end('id: e-9\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n')
      else response.end(event(result(5), 'e-10'))
    })
    await ask(open.url, { body: call(5) })
    expect(outcomes(open.records)).toEqual([])
    await ask(open.url, { method: 'GET', headers: { 'last-event-id': 'e-9', accept: 'text/event-stream' } })
    expect(outcomes(open.records)).toEqual(['success'])
    expect(kind(open.records, 'violation')).toEqual([])
  })

  it('another result under the id of an old event is no replay: it is recorded like any other [GW-7]', async () => {
    let count = 0
    open = await openGateway(async (request, response) => {
      const text = await bodyOf(request)
      response.writeHead(200, sse)
      response.end(event(result(JSON.parse(text).id, { content: [{ type: 'text', text: String(count++) }] }), 'same'))
    })
    await ask(open.url, { headers: session, body: call(1) })
    await ask(open.url, { headers: session, body: call(1) })
    expect(outcomes(open.records)).toEqual(['success', 'success'])
  })

  it('a dropped connection is no cancellation: the call stays open, and the server sees the connection close [GW-8]', async () => {
    let closed = false
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      response.write('id: e-1\ndata:\n\n')
      response.on('close', () => {
        closed = true
      })
      if (request.method === 'GET') response.end(event(result(5), 'e-2'))
    })
    const headers = { ...session, 'mcp-protocol-version': '2025-11-25' }
    const stream = await openStream(open.url, { headers, body: call(5) })
    await stream.until('e-1')
    stream.abort()
    await eventually(() => closed)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(outcomes(open.records)).toEqual([])
    await ask(open.url, { method: 'GET', headers: { ...headers, 'last-event-id': 'e-1' } })
    expect(outcomes(open.records)).toEqual(['success'])
  })

  it('a call whose stream is gone for good ends when nobody resumed it in time [GW-8]', async () => {
    open = await openGateway(
      async (request, response) => {
        await bodyOf(request)
        response.writeHead(200, sse)
        response.end('id: e-1\ndata:\n\n')
      },
      { limits: { resumeGraceMs: 100 } },
    )
    await ask(open.url, { headers: session, body: call(5) })
    const { records } = open
    await eventually(() => outcomes(records).length === 1)
    expect(outcomes(records)).toEqual(['transport_error'])
  })

  it('notifications/cancelled ends a call as cancelled where no response comes [GW-9]', async () => {
    open = await openGateway(async (request, response) => {
      const text = await bodyOf(request)
      if (JSON.parse(text).method === 'tools/call') {
        response.writeHead(200, sse)
        response.flushHeaders()
        return
      }
      response.writeHead(202)
      response.end()
    })
    const stream = await openStream(open.url, { headers: session, body: call(5) })
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }
    await ask(open.url, { headers: session, body: JSON.stringify(cancelled) })
    const { records } = open
    await eventually(() => outcomes(records).length === 1, 8000)
    expect(outcomes(records)).toEqual(['cancelled'])
    stream.abort()
  }, 15_000)

  it('a batch is one record per element; if one cannot be recorded the server sees none [GW-10]', async () => {
    let seen = 0
    open = await openGateway(async (request, response) => {
      const batch = JSON.parse(await bodyOf(request))
      seen++
      if (!Array.isArray(batch)) {
        answerJson(response, result(batch.id, { protocolVersion: '2025-03-26', serverInfo: {} }), session)
        return
      }
      answerJson(
        response,
        batch.map(({ id }: { id: unknown }) => result(id)),
      )
    })
    await ask(open.url, { body: message(0, 'initialize', {}) })
    const batch = `[${call(1)},${call('1')}]`
    const answer = await ask(open.url, { headers: session, body: batch })
    expect(JSON.parse(answer.body.toString())).toHaveLength(2)
    expect(outcomes(open.records)).toEqual(['success', 'success', 'success'])
    expect(kind(open.records, 'violation')).toEqual([])
    open.failStages('requested')
    const refused = await ask(open.url, { headers: session, body: batch })
    expect(JSON.parse(refused.body.toString())).toEqual([
      expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -31001 }) }),
      expect.objectContaining({ id: '1', error: expect.objectContaining({ code: -31001 }) }),
    ])
    expect(seen).toBe(2)
  })
})
