import { createServer } from 'node:http'
import { auditServer } from '@affidavit/sensor/server'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/**
 * An audited server over Streamable HTTP, SDK 2.x: a server is made for every request (2026-07-28 and, stateless, the
 * revisions before it). All of them share one stream of records.
 */

function createOrders() {
  const server = new McpServer({ name: 'orders', version: '1.0.0' })
  const audit = auditServer(server, { serverName: 'orders' })
  server.registerTool(
    'count_orders',
    { description: 'Orders of a customer', inputSchema: z.object({ customer: z.string() }) },
    async ({ customer }) => {
      const rows = customer === 'Ada' ? 1 : 0
      audit.current()?.addResource({ type: 'table', name: 'orders', rows, subjectClass: 'customer' })
      return { content: [{ type: 'text', text: `${rows}` }] }
    },
  )
  return server
}

const http = createServer().on('request', toNodeHandler(createMcpHandler(createOrders)))
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(JSON.stringify(http.address())))
process.once('SIGTERM', () => http.close())
