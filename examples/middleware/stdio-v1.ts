import { auditServer } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

/** An audited server on stdio, SDK 1.x. The three lines are the same. */

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

await server.connect(new StdioServerTransport())
