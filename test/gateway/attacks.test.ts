import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerJson, ask, bodyOf, call, event, eventually, type Gatewayed, kind, message, openGateway, openStream, outcomes, result, stage,
} from './harness/gatewayed.ts' // biome-ignore format: one list
import { rawPost, sendRaw, startRawServer } from './harness/raw.ts'

let open: Gatewayed | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const codes = (records: Gatewayed['records']) => kind(records, 'violation').map(({ draft }) => draft.detail.code)
const fine = JSON.stringify(result(1))
const sse = { 'content-type': 'text/event-stream' }
/** An answer as bytes, from its status line on. */
const answered = (fields: string[], body = fine, status = '200 OK') =>
  [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`, '', body].join('\r\n')
const json = 'Content-Type: application/json'
const echo = () =>
  openGateway(async (request, response) => {
    await bodyOf(request)
    answerJson(response, result(1))
  })

describe('answers that nobody expects', () => {
  const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'
  it.each([
    ['a switch of protocols', switched, 502, 'transport_error'],
    ['a status that is none', answered([json], fine, '099 OK'), 502, 'transport_error'],
    ['a status beyond 599', answered([json], fine, '999 Odd'), 999, 'success'],
    ['control characters in the reason', answered([json], fine, '200 O\x01K'), 200, 'success'],
    [
      'the same for events',
      answered(['Content-Type: text/event-stream'], `data: ${fine}\n\n`, '200 O\x01K'),
      200,
      'success',
    ],
    ['Trailer without chunks', answered([json, 'Trailer: X-A']), 200, 'success'],
  ])('%s [GA-1] [GA-2]', async (_, bytes, status, outcome) => {
    open = await openGateway(() => undefined, { url: await startRawServer(bytes) })
    expect((await ask(open.url, { body: call(1) })).status).toBe(status)
    expect(outcomes(open.records)).toEqual([outcome])
    expect(open.upstream.conversations.size).toBe(0)
    expect(open.said.filter((said) => said.startsWith('defect'))).toEqual([])
  })

  it('Trailer on a request whose body has a length reaches the server [GA-2]', async () => {
    open = await echo()
    expect(await sendRaw(open.url, rawPost('/mcp/unit', call(1), 'Trailer: X-A'))).toContain('200 OK')
  })

  it.each([
    ['two content types', [json, 'Content-Type: text/event-stream']],
    ['a content type that names both', [`${json}; x=text/event-stream`]],
  ])('%s: a result that only others read is unknown [GA-5]', async (_, fields) => {
    open = await openGateway(() => undefined, { url: await startRawServer(answered(fields, `data: ${fine}\n\n`)) })
    await ask(open.url, { body: call(1) })
    expect(codes(open.records)).toEqual(['not_json'])
    expect(outcomes(open.records)).toEqual(['unknown'])
  })
})

describe('encodings', () => {
  it('a byte order mark hides no call and no result [GA-3]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      answerJson(response, `\ufeff${JSON.stringify(result(1, { isError: true }))}`)
    })
    await ask(open.url, { body: `\ufeff${call(1, 'echo', { a: 'deep' })}` })
    expect(open.records[0]?.sections.input).toContain('deep')
    expect(outcomes(open.records)).toEqual(['tool_error'])
    expect(codes(open.records)).toEqual([])
  })

  it('several fields are one list of encodings [GA-3]', async () => {
    const fields = [json, 'Content-Encoding: identity', 'Content-Encoding: gzip']
    const bytes = answered(fields, gzipSync(fine).toString('latin1'))
    open = await openGateway(() => undefined, { url: await startRawServer(bytes) })
    await ask(open.url, { body: call(1) })
    expect(outcomes(open.records)).toEqual(['success'])
  })

  it('bytes after the end of a brotli body stop nothing [GA-3]', async () => {
    open = await openGateway(async (request, response) => {
      const { params } = JSON.parse(await bodyOf(request))
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' })
      response.write(Buffer.concat([brotliCompressSync(fine), Buffer.from('more')]))
      if (params.name === 'pieces') setTimeout(() => response.end('and more'), 20)
      else response.end()
    })
    for (const name of ['one piece', 'pieces']) expect((await ask(open.url, { body: call(1, name) })).status).toBe(200)
    expect(outcomes(open.records)).toEqual(['success', 'success'])
    expect(codes(open.records)).toEqual(['undecodable'])
  })

  it.each(['snappy', 'gzip', 'gzip, gzip, gzip, gzip'])('events that are not %s [GA-4]', async (coding) => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, { ...sse, 'content-encoding': coding })
      response.end(event(result(1)))
    })
    expect((await ask(open.url, { body: call(1) })).isComplete).toBe(true)
    expect(codes(open.records)).toEqual(['undecodable'])
    expect(outcomes(open.records)).toEqual(['unknown'])
    open.failStages('violation')
    expect((await ask(open.url, { body: call(1) })).body.length).toBe(0)
  })

  it('UTF-16 is no excerpt [GA-11]', async () => {
    open = await echo()
    await ask(open.url, { body: Buffer.from(`\ufeff${call(1)}`, 'utf16le') })
    expect(codes(open.records)).toContain('not_json')
    expect(kind(open.records, 'violation').filter(({ sections }) => sections.input !== undefined)).toEqual([])
  })
})

describe('paths', () => {
  const lenient = JSON.stringify({ id: 1, method: 'tools/call', params: {} })
  it.each(['/mcp/', '//mcp', '/%6dcp', '/./mcp', '/x/../mcp', '/MCP', '/mcp;x', '/mcp/.'])(
    '%s is the endpoint for some [GA-6]',
    async (path) => {
      open = await echo()
      await sendRaw(open.url, rawPost(path, lenient, 'Host: claimed.test'))
      expect(stage(open.records, 'requested')).toHaveLength(1)
    },
  )

  it('none leads out of /mcp/NAME [GA-6]', async () => {
    const seen: (string | undefined)[] = []
    open = await openGateway((request, response) => {
      seen.push(request.url)
      answerJson(response, result(1))
    })
    const ways = [
      '/mcp/unit/../../admin', '/mcp/unit/%2e%2e/admin', '/mcp/unit/..%2fadmin', '/mcp/unit/..\\admin', '/mcp/unit/%zz/../../a',
      '/.well-known/../../admin/mcp/unit',
    ] // biome-ignore format: one list
    for (const way of ways) expect(await sendRaw(open.url, rawPost(way, lenient))).toContain('404')
    expect(await sendRaw(open.url, rawPost('/mcp/unit/a/../b', lenient))).toContain('200')
    expect(seen).toEqual(['/mcp/a/../b'])
  })
})

describe('whose call it is', () => {
  it('a question without a session stays not open [GA-7]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      response.end(event({ jsonrpc: '2.0', id: 9, method: 'sampling/createMessage', params: {} }) + event(result(1)))
    })
    for (let i = 0; i < 3; i++) await ask(open.url, { body: call(1) })
    const { records, upstream } = open
    await eventually(() => upstream.conversations.size === 0)
    expect(stage(records, 'requested')).toHaveLength(6)
    expect(stage(records, 'completed')).toHaveLength(6)
  })

  it('equal events are equal outcomes [GA-8]', async () => {
    open = await openGateway(async (request, response) => {
      await bodyOf(request)
      response.writeHead(200, sse)
      response.end(event(result(1), '0'))
    })
    for (let i = 0; i < 3; i++) await ask(open.url, { body: call(1), headers: { 'mcp-session-id': 's' } })
    expect(outcomes(open.records)).toEqual(['success', 'success', 'success'])
  })

  it('sessions share no version and no agent [GA-9]', async () => {
    open = await openGateway(async (request, response) => {
      const { id, method, params } = JSON.parse(await bodyOf(request))
      const { protocolVersion, clientInfo } = params ?? {}
      if (clientInfo?.name === 'refused')
        answerJson(response, { jsonrpc: '2.0', id, error: { code: -1, message: 'no' } })
      else if (method === 'initialize')
        answerJson(response, result(id, { protocolVersion }), { 'mcp-session-id': clientInfo.name })
      else answerJson(response, result(id))
    })
    const initialize = (protocolVersion: string, name: string) =>
      message(1, 'initialize', { protocolVersion, clientInfo: { name } })
    const headers = { 'mcp-session-id': 'one' }
    await ask(open.url, { body: initialize('2025-03-26', 'one') })
    await ask(open.url, { body: initialize('2025-11-25', 'two') })
    await ask(open.url, { body: initialize('2025-11-25', 'refused'), headers })
    await ask(open.url, { body: call(2), headers })
    const [, , refused, last] = stage(open.records, 'requested')
    expect(refused?.sections.identity).toContain('"refused"')
    expect(last?.sections.identity).toContain('"one"')
    expect(last?.draft.server.protocolVersion).toBe('2025-03-26')
  })

  it('a POST joins no other exchange by Last-Event-ID [GA-10]', async () => {
    open = await openGateway(async (request, response) => {
      const { params } = JSON.parse(await bodyOf(request))
      if (params.name !== 'slow') return answerJson(response, result(1))
      response.writeHead(200, sse)
      response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }, 'e1'))
    })
    const slow = await openStream(open.url, { body: call(1, 'slow') })
    await slow.until('e1')
    await ask(open.url, { body: call(1, 'other'), headers: { 'last-event-id': 'e1' } })
    const [, other] = stage(open.records, 'requested')
    expect(stage(open.records, 'completed').map(({ draft }) => draft.callId)).toEqual([other?.draft.callId])
    expect(codes(open.records)).toEqual([])
    slow.abort()
  })

  it('what the server does not see is not recorded of a request [GA-10]', async () => {
    const seen: unknown[] = []
    open = await openGateway(async (request, response) => {
      const { authorization, 'mcp-session-id': session, 'x-hop': hop } = request.headers
      seen.push([authorization, session, hop])
      await bodyOf(request)
      answerJson(response, result(1))
    })
    const fields = ['Connection: x-hop, authorization', 'Connection: mcp-session-id', 'X-Hop: 1', 'Authorization: A b']
    await sendRaw(open.url, rawPost('/mcp/unit', call(1), ...fields, 'Mcp-Session-Id: one'))
    expect(seen).toEqual([['A b', 'one', undefined]])
    await sendRaw(open.url, rawPost('/mcp/unit', call(1), 'Mcp-Session-Id: one', 'Mcp-Session-Id: two'))
    expect(stage(open.records, 'requested')[1]?.draft).not.toHaveProperty('sessionId')
    expect(codes(open.records)).toEqual(['header_mismatch'])
  })
})
