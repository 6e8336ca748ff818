import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { auditServer } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'

/** An audited server over Streamable HTTP with sessions, SDK 1.x: a server and a transport per session. */

const sessions = new Map<string, StreamableHTTPServerTransport>()

function createOrders(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' })
  const audit = auditServer(server, { serverName: 'orders' })
  server.registerTool(
    'count_orders',
    { description: 'Orders of a customer', inputSchema: { customer: z.string() } },
    async ({ customer }) => {
      const rows = customer === 'Ada' ? 1 : 0
      audit.current()?.addResource({ type: 'table', name: 'orders', rows, subjectClass: 'customer' })
      return { content: [{ type: 'text', text: `${rows}` }] }
    },
  )
  return server
}

async function transportFor({ headers }: IncomingMessage): Promise<StreamableHTTPServerTransport> {
  const known = sessions.get(String(headers['mcp-session-id']))
  if (known !== undefined) return known
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await createOrders().connect(transport)
  return transport
}

const http = createServer(async (request, response) => {
  const transport = await transportFor(request)
  await transport.handleRequest(request, response)
})
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(JSON.stringify(http.address())))
process.once('SIGTERM', () => {
  http.close()
  http.closeAllConnections()
})
