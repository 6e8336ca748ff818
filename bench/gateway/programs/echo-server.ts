import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'

/**
 * `echo` on the official SDKs, at one endpoint: requests of the 2026-07-28 revision go to 2.x, stateless; the others to 1.x,
 * with sessions, answered as that SDK does by default (one SSE event). Argument: the port.
 */

const info = { name: 'echo', version: '1.0.0' }
const capabilities = { capabilities: { tools: {} } }
const tools = [
  {
    name: 'echo',
    description: 'Says it again',
    inputSchema: { type: 'object' as const, properties: { text: { type: 'string' } } },
  },
]
const echo = (args: Record<string, unknown> | undefined) => ({
  content: [{ type: 'text' as const, text: String(args?.text) }],
})

const modern = toNodeHandler(
  createMcpHandler(
    () => {
      const server = new Server(info, capabilities)
      server.setRequestHandler('tools/list', () => ({ tools }))
      server.setRequestHandler('tools/call', ({ params }) => echo(params.arguments))
      return server
    },
    { legacy: 'reject' },
  ),
)

const sessions = new Map<string, StreamableHTTPServerTransport>()

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  })
  const server = new LegacyServer(info, capabilities)
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => echo(params.arguments))
  // The class declares onclose as possibly undefined, its interface as absent: exactOptionalPropertyTypes tells them apart.
  await server.connect(toTransport(transport))
  return transport
}

const toTransport = (transport: StreamableHTTPServerTransport): Parameters<LegacyServer['connect']>[0] =>
  Object.assign(transport, { onclose: () => undefined })

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request
  if (request.headers['mcp-protocol-version'] === '2026-07-28')
    return modern(Object.assign(request, { method, url }), response)
  const id = request.headers['mcp-session-id']
  const transport = (typeof id === 'string' ? sessions.get(id) : undefined) ?? (await openSession())
  await transport.handleRequest(request, response)
}

createServer((request, response) => void serve(request, response)).listen(Number(process.argv[2]), '127.0.0.1')
