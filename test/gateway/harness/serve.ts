import { createServer, type RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { onTestFinished } from 'vitest'

/** Listens on a port of its own, which it returns, until the test ends. */
export async function listenUntilEnd(server: Server & { closeAllConnections?(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections?.()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('it listens on a port')
  return address.port
}

/** An MCP server until the test ends. Returns the URL of its endpoint. */
export async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listenUntilEnd(createServer(listener))}/mcp`
}
