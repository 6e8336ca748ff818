import { type Audit, auditServer } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { listen, setup, toText } from './setup.ts'

/** Stands for a secrets manager: hands out one secret, and says which. */
let audit: Audit | undefined

function makeServer(): McpServer {
  const server = new McpServer({ name: 'vault', version: '0.9.0' })
  const made = auditServer(server, { serverName: 'vault', home: setup.home })
  audit = made
  server.registerTool(
    'read_secret',
    { description: 'One secret by its path', inputSchema: z.object({ path: z.string() }) },
    async ({ path }) => {
      const call = made.current()
      call?.addResource({ type: 'path', name: path, dataTypes: ['credential'], level: 'restricted', rows: 1 })
      call?.classify({ level: 'restricted', tags: ['credential'] })
      return toText({ path, value: process.env.VAULT_SECRET })
    },
  )
  return server
}

listen(makeServer, { port: setup.port, close: () => audit?.close() ?? Promise.resolve() })
