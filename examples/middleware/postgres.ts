import { auditServer, sqlComment } from '@affidavit/sensor/server'
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import pg from 'pg'
import { z } from 'zod'

/**
 * A server whose statements carry the id of the call they are made for: the database's own log then joins the record.
 * Connects as libpq does, by PGHOST and its siblings.
 */

const pool = new pg.Pool()
const server = new McpServer({ name: 'customers', version: '1.0.0' })
const audit = auditServer(server, { serverName: 'customers' })

server.registerTool(
  'find_customer',
  { description: 'Customers by name', inputSchema: z.object({ name: z.string() }) },
  async ({ name }) => {
    const call = audit.current()
    const mark = call === undefined ? '' : sqlComment(call.callId)
    const { rows } = await pool.query(`SELECT name, email FROM customers WHERE name = $1 ${mark}`, [name])
    const subjectClass = 'customer'
    call?.addResource({ type: 'table', name: 'customers', dataTypes: ['email'], rows: rows.length, subjectClass })
    call?.classify({ level: 'confidential', tags: ['personal'] })
    return { content: [{ type: 'text', text: JSON.stringify(rows) }] }
  },
)

await server.connect(new StdioServerTransport())
// Otherwise idle connections to the database would keep the process.
server.server.onclose = () => void pool.end()
