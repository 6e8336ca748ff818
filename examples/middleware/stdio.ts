import { auditServer } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

/** An audited server on stdio, SDK 2.x. Records go to the home folder: AFFIDAVIT_HOME, or what --home would default to. */

const server = new McpServer({ name: 'orders', version: '1.0.0' })
const audit = auditServer(server, { serverName: 'orders' })

const orders = [
  { id: 1, customer: 'Ada', total: 120 },
  { id: 2, customer: 'Grace', total: 80 },
]

server.registerTool(
  'list_orders',
  { description: 'Orders above a total', inputSchema: z.object({ above: z.number() }) },
  async ({ above }) => {
    const found = orders.filter(({ total }) => total > above)
    // What only the server knows: it is recorded with the outcome of this very call.
    audit.current()?.addResource({
      type: 'table',
      name: 'orders',
      dataTypes: ['person_name', 'amount'],
      rows: found.length,
      subjectClass: 'customer',
    })
    return { content: [{ type: 'text', text: JSON.stringify(found) }] }
  },
)

await server.connect(new StdioServerTransport())
