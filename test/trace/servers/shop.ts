import { randomBytes } from 'node:crypto'
import { auditFetch } from '@affidavit/sensor/client'
import { type Audit, auditServer, callMeta } from '@affidavit/sensor/server'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { clientOptions, listen, setup, toText } from './setup.ts'

/** The outer server: an MCP server that is itself a client, of the ledger. */
const { home, ledger, telling } = setup
let audit: Audit | undefined
const current = () => audit?.current()?.callId
const parentCall = telling === 'header' ? { parentCall: current } : {}
const fetchLedger = auditFetch(fetch, { serverName: 'ledger', home, ...parentCall })

function makeServer(): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.4.0' })
  audit = auditServer(server, { serverName: 'shop', home })
  server.registerTool(
    'customer_total',
    { description: 'What a customer spent', inputSchema: z.object({ customer: z.string() }) },
    async ({ customer }, { mcpReq }) => {
      const client = new Client({ name: 'shop-backend', version: '1.4.0' }, clientOptions)
      await client.connect(new StreamableHTTPClientTransport(new URL(ledger), { fetch: fetchLedger }))
      await client.listTools()
      const _meta = metaOf(mcpReq._meta?.traceparent)
      const result = await client.callTool({ name: 'read_entries', arguments: { customer }, _meta })
      await client.close()
      return toText(result.content)
    },
  )
  return server
}

function metaOf(traceparent: unknown): Record<string, unknown> {
  const callId = current()
  if (telling === 'meta' && callId !== undefined) return callMeta(callId)
  if (telling !== 'trace' || typeof traceparent !== 'string') return {}
  // As tracing libraries do: the same trace, and a span of the server's own.
  const [version, traceId, , flags] = traceparent.split('-')
  return { traceparent: [version, traceId, randomBytes(8).toString('hex'), flags].join('-') }
}

listen(makeServer, { port: setup.port, close: () => Promise.all([audit?.close(), fetchLedger.close()]) })
