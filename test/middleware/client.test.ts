import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { auditFetch } from '@affidavit/sensor/client'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeFolder } from './harness/audited.ts'
import { type CapturedRecord, captureFetch } from './harness/captured.ts'
import { exchanges, send } from './harness/exchanges.ts'
import { listen, type Prepare, ways } from './harness/http-servers.ts'
import { readCalls, readSpool } from './harness/spooled.ts'

const bare: Prepare = () => undefined

function auditInto(home: string) {
  const audited = auditFetch(fetch, { serverName: 'rich', home })
  onTestFinished(() => audited.close())
  return audited
}

const outcomes = (records: CapturedRecord[]) =>
  records.flatMap(({ draft }) => ('stage' in draft && draft.stage === 'completed' ? [draft.outcome] : []))

describe.each(Object.entries(ways))('%s', (_name, listenerFor) => {
  it('an agent gets byte for byte the same with and without auditing [MW-12]', async () => {
    const audited = auditInto(makeFolder())
    const [bareUrl, auditedUrl] = [await listen(listenerFor(bare)), await listen(listenerFor(bare))]
    for (const exchange of exchanges) {
      const expected = await send(bareUrl, exchange)
      expect({ ...(await send(auditedUrl, exchange, audited)), exchange }).toEqual({ ...expected, exchange })
    }
  })
})

describe.each([
  ['per request, 2.x', 'legacy'],
  ['per request, 2.x', { pin: '2026-07-28' }],
  ['sessions, 2.x', 'legacy'],
  ['sessions, 1.x', 'legacy'],
] as const)('an official client on %s, %o', (way, mode) => {
  const open = async (url: URL, fetchBy: typeof fetch) => {
    const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchBy }))
    return client
  }

  it('records every call durably: before it is sent, and before what came of it is seen [MW-11]', async () => {
    const home = makeFolder()
    const atServer: string[] = []
    const listener = ways[way](bare)
    const url = await listen(async (request, response) => {
      const calls = request.method === 'POST' ? await readCalls(home) : []
      const last = calls.at(-1)
      if (last !== undefined) atServer.push(`${last.requested.method} ${last.completed?.outcome}`)
      listener(request, response)
    })
    const client = await open(url, auditInto(home))
    await client.listTools()
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    expect(content).toEqual([{ type: 'text', text: 'hello' }])
    expect(atServer.at(-1)).toBe('tools/call undefined')
    const calls = await readCalls(home)
    expect(calls.at(-1)).toMatchObject({
      requested: {
        vantage: 'client',
        tool: { name: 'echo' },
        sessionSource: way.startsWith('sessions') ? 'legacy-http' : 'absent',
      },
      completed: { outcome: 'success', httpStatus: 200 },
    })
    await client.close()
  })

  it('sends nothing that it cannot record, and withholds what it cannot [MW-11]', async () => {
    const records: CapturedRecord[] = []
    const failing = new Set<string>()
    let posts = 0
    const listener = ways[way](bare)
    const url = await listen((request, response) => {
      if (request.method === 'POST') posts++
      listener(request, response)
    })
    const client = await open(url, captureFetch(records, { failing }))
    failing.add('requested')
    const before = posts
    await expect(client.callTool({ name: 'echo', arguments: { message: 'no' } })).rejects.toMatchObject({
      code: -31001,
    })
    expect(posts).toBe(before)
    failing.clear()
    failing.add('completed')
    for (const [name, args] of [
      ['echo', { message: 'kept back' }],
      ['steps', { count: 2 }],
    ] as const)
      await expect(client.callTool({ name, arguments: args }, { onprogress: () => undefined })).rejects.toMatchObject({
        code: -31002,
        data: { executed: true },
      })
    failing.clear()
    expect(await client.callTool({ name: 'echo', arguments: { message: 'let go' } })).toMatchObject({
      content: [{ text: 'let go' }],
    })
    await client.close()
  })
})

it('what is not MCP passes unrecorded and untouched [MW-12]', async () => {
  const records: CapturedRecord[] = []
  const seen: string[] = []
  const url = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      seen.push(`${request.method} ${request.headers['content-type']} ${body}`)
      response.end('{"token":"x"}')
    })
  })
  const audited = captureFetch(records)
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  expect(await (await audited(url, { method: 'POST', body: form })).json()).toEqual({ token: 'x' })
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
  await audited(url, { ...json, body: '{"redirect_uris":[]}' })
  await audited(new Request(url, { ...json, body: '{"client_name":"x"}' }))
  await audited(url)
  expect(seen).toEqual([
    'POST application/x-www-form-urlencoded;charset=UTF-8 grant_type=client_credentials',
    'POST application/json {"redirect_uris":[]}',
    'POST application/json {"client_name":"x"}',
    'GET undefined ',
  ])
  expect(records).toEqual([])
})

it('messages are recognised in whatever form fetch is given them [MW-11]', async () => {
  const records: CapturedRecord[] = []
  const url = await listen((request, response) => {
    request.on('data', () => undefined)
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end('{"jsonrpc":"2.0","id":1,"result":{}}')
    })
  })
  const audited = captureFetch(records)
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const bodies = [ping, Buffer.from(ping), new Blob([ping]), new Blob([ping]).stream()]
  for (const body of bodies) await audited(url, { ...json, body, duplex: 'half' } as RequestInit)
  await audited(new Request(url, { ...json, body: ping }))
  expect(outcomes(records)).toEqual(Array(5).fill('success'))
})

/** Answers by script; `text/event-stream` unless it says otherwise. */
const scripted = (
  answer: (write: (text: string) => void, request: Parameters<RequestListener>[0], cut: () => void) => void,
) =>
  listen((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      answer(
        (text) => response.write(text),
        request,
        () => response.destroy(),
      )
    })
  })

const call = (id: number, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'x', arguments: {} } }),
})
const result = (id: number) => `data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`

it('a result that comes on a later stream finds its call, and a replayed one makes no second record [MW-11]', async () => {
  const records: CapturedRecord[] = []
  const url = await scripted((write, request, cut) => {
    if (request.method === 'POST') {
      write('id: 1\ndata: \n\n: keepalive\n\n')
      setTimeout(cut, 50)
    } else {
      write(`id: 2\n${result(1)}`)
      setTimeout(() => write(`id: 2\n${result(1)}`), 20)
      setTimeout(cut, 60)
    }
  })
  const audited = captureFetch(records)
  const session = { 'mcp-session-id': 's-1' }
  const first = await audited(url, call(1, session))
  await expect(first.text()).rejects.toThrow()
  expect(outcomes(records)).toEqual([])
  const later = await audited(url, { headers: { accept: 'text/event-stream', 'last-event-id': '1', ...session } })
  await expect(later.text()).rejects.toThrow()
  expect(outcomes(records)).toEqual(['success'])
})

it('a stream that ends without the result leaves the call with an outcome [MW-11]', async () => {
  const records: CapturedRecord[] = []
  const url = await scripted((write, _request, cut) => {
    write(': hello\n\n')
    setTimeout(cut, 20)
  })
  const response = await captureFetch(records)(url, call(1))
  await expect(response.text()).rejects.toThrow()
  await expect.poll(() => outcomes(records)).toEqual(['transport_error'])
})

it('a call given up is cancelled in the modern era, and waited for in the legacy one [MW-11]', async () => {
  const records: CapturedRecord[] = []
  const url = await scripted((write) => write('id: 1\ndata: \n\n'))
  const audited = captureFetch(records)
  const modern = call(1, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' })
  for (const request of [modern, call(2)]) {
    const abort = new AbortController()
    const response = await audited(url, { ...request, signal: abort.signal })
    const text = response.text()
    setTimeout(() => abort.abort(), 20)
    await expect(text).rejects.toThrow()
  }
  await expect.poll(() => outcomes(records)).toEqual(['cancelled'])
  await new Promise((resolve) => setTimeout(resolve, 320))
  await audited.sweep()
  expect(outcomes(records)).toEqual(['cancelled', 'transport_error'])
})

it('servers that cannot be reached, and answers that are cut, reject as they would, with a record [MW-11]', async () => {
  const records: CapturedRecord[] = []
  const audited = captureFetch(records)
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const address = gone.address()
  gone.close()
  const port = typeof address === 'object' ? address?.port : 0
  await expect(audited(`http://127.0.0.1:${port}/mcp`, call(1))).rejects.toThrow('fetch failed')
  const url = await listen((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"jsonrpc":"2.0","id":1,')
    setTimeout(() => response.destroy(), 20)
  })
  const response = await audited(url, call(1))
  await expect(response.text()).rejects.toThrow()
  const refusing = await listen((_request, response) => response.writeHead(401).end())
  expect((await audited(refusing, call(1))).status).toBe(401)
  expect(outcomes(records)).toEqual(['transport_error', 'transport_error', 'denied'])
})

it('without a usable home nothing is sent [MW-11]', async () => {
  const home = join(makeFolder(), 'home')
  writeFileSync(home, '')
  let count = 0
  const url = await listen((_request, response) => {
    count++
    response.end()
  })
  const response = await auditInto(home)(url, call(1))
  expect(await response.json()).toMatchObject({ id: 1, error: { code: -31001, data: { executed: false } } })
  expect(count).toBe(0)
})

it('close() ends the stream, and later requests are rejected [MW-9]', async () => {
  const home = makeFolder()
  const url = await listen(ways['per request, 2.x'](bare))
  const audited = auditInto(home)
  await audited(url, call(1))
  await audited.close()
  await expect(audited(url, call(2))).rejects.toThrow('was closed')
  expect((await readSpool(home, 'closed')).at(-1)?.header).toMatchObject({ detail: { event: 'closed' } })
})
