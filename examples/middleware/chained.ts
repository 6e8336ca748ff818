import { auditFetch } from '@affidavit/sensor/client'
import { auditServer } from '@affidavit/sensor/server'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

/**
 * A server that calls another one while it serves a call, and says for which: `affidavit trace` then follows the path through
 * both. `node chained.ts http://127.0.0.1:3000/mcp`.
 */

const url = new URL(process.argv[2] ?? 'http://127.0.0.1:3000/mcp')
const server = new McpServer({ name: 'summary', version: '1.0.0' })
const audit = auditServer(server, { serverName: 'summary' })
const fetchOrders = auditFetch(fetch, { serverName: 'orders', parentCall: () => audit.current()?.callId })

server.registerTool(
  'summarise',
  { description: 'Orders of a customer in a sentence', inputSchema: z.object({ customer: z.string() }) },
  async ({ customer }) => {
    const client = new Client({ name: 'summary', version: '1.0.0' })
    await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchOrders }))
    const { content } = await client.callTool({ name: 'count_orders', arguments: { customer } })
    await client.close()
    return { content }
  },
)

await server.connect(new StdioServerTransport())
