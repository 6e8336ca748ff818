import { createServer } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, call, event, eventually, type Gatewayed, kind, message, openGateway, openStream, outcomes, result, stage,
} from './harness/gatewayed.ts' // biome-ignore format: one list
import { listenUntilEnd } from './harness/serve.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const sse = { 'content-type': 'text/event-stream' }
const codes = (records: Gatewayed['records']) => kind(records, 'violation').map(({ draft }) => draft.detail.code)
const text = (value: string) => result(1, { content: [{ type: 'text', text: value }] })

describe('bodies', () => {
  it('what is no JSON-RPC still writes a record, and reaches the server unchanged [GW-15]', async () => {
    const seen: Buffer[] = []
    open = await openGateway(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen.push(Buffer.concat(chunks))
      response.writeHead(400, { 'content-type': 'text/plain' })
      response.end('no')
    })
    const bodies = [Buffer.from('not json'), Buffer.alloc(0), Buffer.from([0x22, 0xff, 0x22]), Buffer.from('{"a":1}')]
    for (const body of bodies) expect((await ask(open.url, { body })).status).toBe(400)
    expect(seen).toEqual(bodies)
    expect(codes(open.records)).toEqual(['not_json', 'not_json', 'invalid_utf8', 'not_jsonrpc', 'not_jsonrpc'])
    const undecodable = await ask(open.url, { headers: { 'content-encoding': 'gzip' }, body: call(1) })
    expect(undecodable.status).toBe(400)
    expect(codes(open.records).slice(5)).toContain('undecodable')
  })

  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }
  it.each(Object.entries(codings))('%s is decoded on the copy, both ways [GW-16]', async (coding, compress) => {
    const answered = compress(
      Buffer.from(JSON.stringify(result(1, { isError: true, content: [{ type: 'text', text: 'x'.repeat(5000) }] }))),
    )
    open = await openGateway(async (request, response) => {
      for await (const _ of request);
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding })
      response.end(answered)
    })
    const headers = { 'content-encoding': coding }
    const answer = await ask(open.url, { headers, body: compress(Buffer.from(call(1, 'echo', { a: 'deep' }))) })
    expect(answer.body.equals(answered)).toBe(true)
    expect(outcomes(open.records)).toEqual(['tool_error'])
    expect(open.records[0]?.sections.input).toContain('deep')
    expect(codes(open.records)).toEqual([])
  })

  it.each(Object.entries(codings))(
    'events in %s are judged before their bytes go on [GW-16]',
    async (coding, compress) => {
      const first = compress(
        Buffer.from(
          event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} }) + event(result(1, { isError: true })),
        ),
      )
      open = await openGateway(async (request, response) => {
        await bodyOf(request)
        response.writeHead(200, { ...sse, 'content-encoding': coding })
        response.end(first)
      })
      const answer = await ask(open.url, { body: call(1) })
      expect(answer.body.equals(first)).toBe(true)
      expect(outcomes(open.records)).toEqual(['tool_error'])
      open.failStages('completed')
      const cut = await ask(open.url, { body: call(1) })
      expect(cut).toMatchObject({ isComplete: false })
      expect(cut.body.length).toBe(0)
    },
  )

  it('a body that expands without end is read no further, and goes on [GW-15]', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024))
    open = await openGateway(async (request, response) => {
      for await (const _ of request);
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      response.end(bomb)
    })
    const answer = await ask(open.url, { body: call(1) })
    expect(answer.body.equals(bomb)).toBe(true)
    expect(codes(open.records).length).toBeGreaterThan(0)
    expect(stage(open.records, 'completed')).toHaveLength(1)
  })
})

describe('outcomes', () => {
  it('inside event streams they are exact [GW-17]', async () => {
    const answers: { [name: string]: string } = {
      fine: event(text('ok')),
      fails: event(result(1, { isError: true, content: [] })),
      refuses: event({ jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'no' } }),
      lines: `event: message\r\ndata: {"jsonrpc":"2.0",\r\ndata: "id":1,"result":{"isError":true}}\r\n\r\n`,
      nothing: ': ping\n\n',
      unfinished: 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n',
    }
    open = await openGateway(async (request, response) => {
      const { params } = JSON.parse(await bodyOf(request))
      response.writeHead(200, sse)
      response.end(answers[params.name])
    })
    for (const name of Object.keys(answers)) {
      const answer = await ask(open.url, { body: call(1, name) })
      expect(answer.body.toString()).toBe(answers[name])
    }
    // The last one lacks its blank line: strict readers drop it, lenient ones do not, so it is judged like any other.
    expect(outcomes(open.records)).toEqual([
      'success', 'tool_error', 'protocol_error', 'tool_error', 'transport_error', 'success',
    ]) // biome-ignore format: one list
  })

  it('a cut stream and a cut body are transport errors, and look cut to the client too [GW-17]', async () => {
    open = await openGateway(async (request, response) => {
      const { params } = JSON.parse(await bodyOf(request))
      response.writeHead(
        200,
        params.name === 'events' ? sse : { 'content-type': 'application/json', 'content-length': '100' },
      )
      response.write(params.name === 'events' ? 'data: {"jsonrpc"' : '{"jsonrpc"')
      setTimeout(() => response.destroy(), 50)
    })
    const events = await ask(open.url, { body: call(1, 'events') })
    expect(events).toMatchObject({ status: 200, isComplete: false })
    // Nothing of the body was out: the client is told in words.
    const body = await ask(open.url, { body: call(1, 'body') })
    expect(body.status).toBe(502)
    expect(JSON.parse(body.body.toString())).toMatchObject({
      id: 1,
      error: { code: -31003, data: { executed: 'unknown' } },
    })
    expect(outcomes(open.records)).toEqual(['transport_error', 'transport_error'])
  })

  it('refused authentication is a denied call with its status, and passes unchanged [GW-21]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer resource_metadata="https://x/y"' })
      response.end()
    })
    const answer = await ask(open.url, { body: call(1) })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer resource_metadata="https://x/y"')
    expect(stage(open.records, 'completed')[0]?.draft).toMatchObject({ outcome: 'denied', httpStatus: 401 })
    // A stream holds no call that could be denied.
    await ask(open.url, { method: 'GET', headers: { accept: 'text/event-stream' } })
    expect(kind(open.records, 'auth')[0]?.draft).toMatchObject({ detail: { event: 'refused', code: 'http_401' } })
  })

  it('an error with id null is the answer to the one call that was asked [GW-17]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}')
    })
    await ask(open.url, { headers: { 'mcp-session-id': 'gone' }, body: call(1) })
    expect(stage(open.records, 'completed')[0]?.draft).toMatchObject({
      outcome: 'protocol_error',
      rpcCode: -32001,
      httpStatus: 404,
    })
    await ask(open.url, {
      headers: { 'mcp-session-id': 'gone' },
      body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    })
    expect(codes(open.records)).toEqual([])
  })
})

describe('release', () => {
  it('a request that cannot be recorded does not reach the server, and is answered, id byte for byte [GW-18]', async () => {
    let seen = 0
    open = await openGateway(async (request, response) => {
      seen++
      answerJson(response, result(JSON.parse(await bodyOf(request)).id))
    })
    open.failStages('requested', 'violation')
    const answer = await ask(open.url, {
      body: '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{}}',
    })
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toContain('"id":9007199254740993,"error":{"code":-31001')
    const garbage = await ask(open.url, { body: 'garbage' })
    expect(garbage.status).toBe(503)
    expect(garbage.body.toString()).toContain('"id":null')
    expect(seen).toBe(0)
    expect(open.said).toContain('AFD_AUDIT_UNAVAILABLE')
  })

  it('a result that cannot be recorded is withheld, as a body and as an event [GW-19]', async () => {
    open = await openGateway(async (request, response) => {
      const { id, params } = JSON.parse(await bodyOf(request))
      const answered = result(id, { content: [{ type: 'text', text: 'classified' }] })
      if (params.name === 'body') {
        answerJson(response, answered)
        return
      }
      response.writeHead(200, sse)
      response.end(event(answered, 'e-1'))
    })
    open.failStages('completed')
    for (const name of ['body', 'events']) {
      const answer = await ask(open.url, { headers: { 'mcp-session-id': 's' }, body: call('x', name) })
      expect(answer.status).toBe(200)
      expect(answer.body.toString()).toContain('"id":"x","error":{"code":-31002')
      expect(answer.body.toString()).not.toContain('classified')
    }
  })

  it('a long result that cannot be recorded is cut before its last byte, as a body and as an event [GW-19]', async () => {
    const long = 'y'.repeat(3_000_000)
    open = await openGateway(async (request, response) => {
      const { id, params } = JSON.parse(await bodyOf(request))
      const answered = result(id, { content: [{ type: 'text', text: long }] })
      response.writeHead(200, params.name === 'body' ? { 'content-type': 'application/json' } : sse)
      response.end(params.name === 'body' ? JSON.stringify(answered) : event(answered))
    })
    for (const name of ['body', 'events']) {
      const whole = await ask(open.url, { body: call(1, name) })
      expect(whole).toMatchObject({ isComplete: true })
      expect(whole.body.length).toBeGreaterThan(long.length)
    }
    expect(outcomes(open.records)).toEqual(['success', 'success'])
    open.failStages('completed')
    const body = await ask(open.url, { body: call(1, 'body') })
    expect(body.isComplete).toBe(false)
    expect(() => JSON.parse(body.body.toString())).toThrow()
    const events = await ask(open.url, { body: call(1, 'events') })
    expect(events.isComplete).toBe(false)
    expect(events.body.toString().endsWith('\n\n')).toBe(false)
  })

  it("a server's request that cannot be recorded does not reach the client, and the server is told [GW-19]", async () => {
    const told: string[] = []
    open = await openGateway(async (request, response) => {
      const body = await bodyOf(request)
      if (request.method === 'GET') {
        response.writeHead(200, sse)
        response.write(event({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: {} }))
        response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }))
        return
      }
      told.push(`${request.headers['mcp-session-id']} ${body}`)
      response.writeHead(202)
      response.end()
    })
    open.failStages('requested')
    const stream = await openStream(open.url, {
      method: 'GET',
      headers: { 'mcp-session-id': 's-9', accept: 'text/event-stream' },
    })
    await stream.until('notifications/message')
    expect(stream.text()).not.toContain('sampling')
    await eventually(() => told.length === 1)
    expect(told[0]).toContain('s-9 {"jsonrpc":"2.0","id":"q","error":{"code":-31001')
    stream.abort()
  })
})

describe('upstreams that fail', () => {
  it('down: 502, not executed, and recorded [GW-20]', async () => {
    open = await openGateway(() => undefined, { url: 'http://127.0.0.1:9/mcp' })
    const answer = await ask(open.url, { body: call(4) })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      id: 4,
      error: { code: -31003, data: { executed: false, retry: true } },
    })
    expect(outcomes(open.records)).toEqual(['transport_error'])
    expect((await ask(open.url, { method: 'GET' })).status).toBe(502)
  })

  it('slow: 504 where a limit is set, else it is waited for [GW-20]', async () => {
    open = await openGateway(
      async (request, response) => {
        const { id, params } = JSON.parse(await bodyOf(request))
        if (params.name === 'never') return
        setTimeout(() => answerJson(response, result(id)), 100)
      },
      { timeouts: { answerMs: 400 } },
    )
    expect((await ask(open.url, { body: call(1, 'slow') })).status).toBe(200)
    const answer = await ask(open.url, { body: call(1, 'never') })
    expect(answer.status).toBe(504)
    expect(outcomes(open.records)).toEqual(['success', 'timeout'])
  })

  it('headers only: 504 where a limit is set [GW-20]', async () => {
    open = await openGateway(
      async (request, response) => {
        await bodyOf(request)
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
        response.flushHeaders()
      },
      { timeouts: { bodyIdleMs: 200 } },
    )
    const answer = await ask(open.url, { body: call(1) })
    expect(answer.status).toBe(504)
    expect(outcomes(open.records)).toEqual(['timeout'])
  })

  it.each([
    ['resetting', (end: (text?: string) => void) => end()],
    ['answering garbage', (end: (text?: string) => void) => end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['breaking off inside its head', (end: (text?: string) => void) => end('HTTP/1.1 200 OK\r\nContent-')],
  ])('%s: 502, unknown whether executed, and recorded [GW-20]', async (_, act) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => act((text) => (text === undefined ? socket.resetAndDestroy() : socket.end(text))))
    })
    open = await openGateway(() => undefined, { url: `http://127.0.0.1:${await listenUntilEnd(server)}/mcp` })
    const answer = await ask(open.url, { body: call(4) })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      id: 4,
      error: { code: -31003, data: { executed: 'unknown', retry: false } },
    })
    expect(outcomes(open.records)).toEqual(['transport_error'])
    server.close()
  })
})

describe('beside the endpoint', () => {
  it('what is no MCP passes unrecorded; JSON-RPC does not [GW-22]', async () => {
    const seen: string[] = []
    open = await openGateway(async (request, response) => {
      const body = await bodyOf(request)
      seen.push(`${request.method} ${request.url} ${body}`)
      if (body.startsWith('{"jsonrpc"')) answerJson(response, result(1))
      else answerJson(response, { resource: 'x' })
    })
    const host = { host: 'claimed.test' }
    const base = open.url.replace('/mcp/unit', '')
    await ask(`${base}/.well-known/oauth-protected-resource/mcp/unit`, { method: 'GET' })
    await ask(`${base}/.well-known/oauth-protected-resource/mcp?x=1`, { method: 'GET', headers: host })
    await ask(`${base}/token`, { headers: host, body: 'grant_type=authorization_code&code=secret' })
    await ask(`${base}/register`, { headers: host, body: '{"redirect_uris":[]}' })
    expect(open.records).toEqual([])
    await ask(`${base}/other-endpoint`, { headers: host, body: call(1) })
    expect(outcomes(open.records)).toEqual(['success'])
    expect(seen).toEqual([
      'GET /.well-known/oauth-protected-resource/mcp ',
      'GET /.well-known/oauth-protected-resource/mcp?x=1 ',
      'POST /token grant_type=authorization_code&code=secret',
      'POST /register {"redirect_uris":[]}',
      `POST /other-endpoint ${call(1)}`,
    ])
    expect((await ask(`${base}/mcp/nobody`, { body: message(1, 'ping') })).status).toBe(404)
  })
})
