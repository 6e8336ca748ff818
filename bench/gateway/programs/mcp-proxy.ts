import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Server } from '@modelcontextprotocol/server'
import { proxyServer, startHTTPServer } from 'mcp-proxy'

/**
 * mcp-proxy's command only starts servers on stdio; its functions take a client on any transport. Wired as the command wires
 * them, with its defaults: one upstream client, one server per session. Arguments: the port, and the upstream's URL.
 */

const [port, url = ''] = process.argv.slice(2)
const client = new Client({ name: 'mcp-proxy', version: '1.0.0' }, { capabilities: {} })
await client.connect(new StreamableHTTPClientTransport(new URL(url)))
const serverCapabilities = client.getServerCapabilities() ?? {}
const info = client.getServerVersion() ?? { name: 'echo', version: '1.0.0' }

await startHTTPServer({
  port: Number(port),
  host: '127.0.0.1',
  createServer: async () => {
    const server = new Server(info, { capabilities: serverCapabilities })
    await proxyServer({ client, server, serverCapabilities })
    return server
  },
})
