import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/**
 * `echo` on the official SDKs, at one endpoint: requests of the 2026-07-28 revision go to 2.x, stateless; the others to 1.x,
 * with sessions, answered as that SDK does by default (one SSE event). Argument: the port.
 */

const info = { name: 'echo', version: '1.0.0' }
const description = 'Says it again'
const shape = { text: z.string(), customer: z.number(), tags: z.array(z.string()) }
const echo = ({ text }: { text: string }) => ({ content: [{ type: 'text' as const, text }] })

const modern = toNodeHandler(
  createMcpHandler(
    () => {
      const server = new McpServer(info)
      server.registerTool('echo', { description, inputSchema: z.object(shape) }, echo)
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
  const server = new LegacyServer(info)
  server.registerTool('echo', { description, inputSchema: shape }, echo)
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
