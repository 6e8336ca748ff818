import { type Audit, auditServer, sqlComment } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/server'
import pg from 'pg'
import { z } from 'zod'
import { listen, setup, toText } from './setup.ts'

/** The inner server: reads a table of PostgreSQL by statements that carry the id of the call. */
const pool = new pg.Pool()
let audit: Audit | undefined

function makeServer(): McpServer {
  const server = new McpServer({ name: 'ledger', version: '2.1.0' })
  const { current } = keep(auditServer(server, { serverName: 'ledger', home: setup.home }))
  server.registerTool(
    'read_entries',
    { description: 'Entries of a customer', inputSchema: z.object({ customer: z.string() }) },
    async ({ customer }) => {
      const call = current()
      const mark = call === undefined ? '' : sqlComment(call.callId)
      const { rows } = await pool.query(`SELECT amount FROM ledger_entries WHERE customer = $1 ${mark}`, [customer])
      call?.addResource({ type: 'table', name: 'ledger_entries', dataTypes: ['amount'], rows: rows.length })
      return toText(rows)
    },
  )
  return server
}

function keep(made: Audit): Audit {
  audit = made
  return made
}

listen(makeServer, { port: setup.port, close: () => Promise.all([audit?.close(), pool.end()]) })
