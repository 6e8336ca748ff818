import { createServer } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server'

/** How a server that calls another tells which call it serves: by a header, in `_meta`, by the trace alone, or not. */
export type Telling = 'header' | 'meta' | 'trace' | 'nothing'

/** What the servers of these tests are given, by the environment. */
export interface Setup {
  port: number
  home: string
  /** Where the ledger is reached: through the gateway. */
  ledger: string
  telling: Telling
}

export const setup: Setup = JSON.parse(process.env.TRACE_SETUP ?? '{}')

/** Of the era in which every request names its client. */
export const clientOptions = { versionNegotiation: { mode: { pin: '2026-07-28' } } } as const

export const toText = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] })

/** Serves MCP on the port of the setup until its parent lets go; then `close` ends what is recorded. */
export function listen(make: () => McpServer, { port, close }: { port: number; close: () => Promise<unknown> }): void {
  const handle = toNodeHandler(createMcpHandler(make))
  const server = createServer((request, response) => void Reflect.apply(handle, undefined, [request, response]))
  server.listen(port, '127.0.0.1', () => process.send?.('listening'))
  process.on('disconnect', () => {
    server.closeAllConnections()
    void close().then(() => process.exit(0))
  })
}
