import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { auditInto, makeFolder } from './harness/audited.ts'
import { listen, type Prepare, ways } from './harness/http-servers.ts'
import { readCalls } from './harness/spooled.ts'

const bare: Prepare = () => undefined

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
}

interface Sent {
  method?: string
  headers?: Record<string, string>
  body?: unknown
}

const rpc = (id: unknown, method: string, params?: unknown) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
})

function modern(id: unknown, method: string, params: object = {}, headers: Record<string, string> = {}): Sent {
  const name =
    'name' in params ? { 'mcp-name': String(params.name) } : 'uri' in params ? { 'mcp-name': String(params.uri) } : {}
  return {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name, ...headers },
    body: rpc(id, method, { ...params, _meta: { ...modernMeta, progressToken: 7 } }),
  }
}

const legacy = (id: unknown, method: string, params?: unknown): Sent => ({
  headers: { 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' },
  body: rpc(id, method, params),
})

const initialize: Sent = {
  body: rpc(0, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  }),
}

const exchanges: Sent[] = [
  modern(1, 'server/discover'),
  modern(2, 'tools/list'),
  modern('three', 'tools/call', { name: 'echo', arguments: { message: 'ü 😀 \\u2028' } }),
  modern(4, 'tools/call', { name: 'fails', arguments: {} }),
  modern(5, 'tools/call', { name: 'throws', arguments: {} }),
  modern(6, 'tools/call', { name: 'steps', arguments: { count: 3 } }),
  modern(7, 'tools/call', { name: 'asks', arguments: {} }),
  modern(8, 'tools/call', { name: 'nope', arguments: {} }),
  modern(9, 'tools/call', { name: 'echo', arguments: { message: 5 } }),
  modern(10, 'resources/read', { uri: 'note://1' }),
  modern(11, 'prompts/get', { name: 'greet', arguments: { name: 'Ada' } }),
  // Refused before a handler is asked, with statuses of their own.
  modern(12, 'no/such/method'),
  modern(13, 'tools/call', { name: 'echo', arguments: { message: 'x' } }, { 'mcp-name': 'other' }),
  modern(14, 'ping'),
  {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
    body: rpc(15, 'tools/list', { _meta: {} }),
  },
  {
    body: rpc(16, 'tools/list', { _meta: { ...modernMeta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } }),
  },
  {
    headers: { 'mcp-protocol-version': '2026-07-28' },
    body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: modernMeta } },
  },
  initialize,
  { headers: { 'mcp-session-id': 'session-1' }, body: { jsonrpc: '2.0', method: 'notifications/initialized' } },
  legacy(1, 'ping'),
  legacy(2, 'tools/list'),
  legacy('three', 'tools/call', { name: 'echo', arguments: { message: 'hello' } }),
  legacy(4, 'tools/call', { name: 'fails' }),
  legacy(5, 'tools/call', { name: 'steps', arguments: { count: 2 }, _meta: { progressToken: 'p' } }),
  legacy(6, 'tools/call', { name: 'nope', arguments: {} }),
  legacy(7, 'resources/read', { uri: 'note://1' }),
  legacy(8, 'no/such/method'),
  legacy(9, 'logging/setLevel', { level: 'debug' }),
  { ...legacy(0, ''), body: [rpc(20, 'ping'), rpc(21, 'tools/list')] },
  { headers: { 'mcp-session-id': 'session-9' }, body: rpc(1, 'ping') },
  { body: '{"jsonrpc":' },
  { body: '' },
  { method: 'PUT', body: rpc(1, 'ping') },
  { method: 'DELETE', headers: { 'mcp-session-id': 'session-1' } },
]

/** The adapter of the SDKs names a length where the whole answer is there in the same turn, and sends chunks else. */
const byTiming = new Set(['date', 'content-length', 'transfer-encoding'])

async function send(url: URL, { method = 'POST', headers = {}, body }: Sent) {
  const response = await fetch(url, {
    method,
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const fields = [...response.headers].filter(([name]) => !byTiming.has(name))
  return { status: response.status, headers: fields, text: await response.text() }
}

describe.each(Object.entries(ways))('%s', (_name, listenerFor) => {
  it('an audited server answers byte for byte what a bare one answers [MW-3]', async () => {
    const [bareUrl, auditedUrl] = [await listen(listenerFor(bare)), await listen(listenerFor(auditInto(makeFolder())))]
    const seen: unknown[] = []
    for (const exchange of exchanges) {
      const expected = await send(bareUrl, exchange)
      seen.push(expected.status)
      expect({ ...(await send(auditedUrl, exchange)), exchange }).toEqual({ ...expected, exchange })
    }
    expect(new Set(seen).size).toBeGreaterThan(3)
  })
})

it.each(['legacy', { pin: '2026-07-28' }] as const)(
  'every call of an official client has both its records: %o [MW-2]',
  async (mode) => {
    const home = makeFolder()
    const url = await listen(ways['per request, 2.x'](auditInto(home)))
    const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(url))
    await client.listTools()
    await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
    await client.callTool({ name: 'fails', arguments: {} })
    await client.callTool({ name: 'steps', arguments: { count: 3 } }, { onprogress: () => undefined })
    await client.readResource({ uri: 'note://1' })
    await client.close()
    const calls = await readCalls(home)
    expect(calls.map(({ requested, completed }) => [requested.method, completed?.outcome])).toEqual([
      [mode === 'legacy' ? 'initialize' : 'server/discover', 'success'],
      ['tools/list', 'success'],
      ['tools/call', 'success'],
      ['tools/call', 'tool_error'],
      ['tools/call', 'success'],
      ['resources/read', 'success'],
    ])
  },
)
