const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
}

export interface Sent {
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

/** What a raw client might send, in this order: of both eras, right and wrong. */
export const exchanges: Sent[] = [
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

/** What a client sees of the answer. */
export async function send(url: URL, { method = 'POST', headers = {}, body }: Sent, by: typeof fetch = fetch) {
  const response = await by(url, {
    method,
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const fields = [...response.headers].filter(([name]) => !byTiming.has(name))
  return { status: response.status, headers: fields, text: await response.text() }
}
