import { auditFetch } from '@affidavit/sensor/client'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** An agent that records its calls to a server it does not own: `node client.ts http://127.0.0.1:3000/mcp`. */

const url = new URL(process.argv[2] ?? 'http://127.0.0.1:3000/mcp')
const client = new Client({ name: 'agent', version: '1.0.0' })
const fetch = auditFetch(globalThis.fetch, { serverName: 'orders' })
await client.connect(new StreamableHTTPClientTransport(url, { fetch }))
const { content } = await client.callTool({ name: 'count_orders', arguments: { customer: 'Ada' } })
console.log(JSON.stringify(content))
await client.close()
