import { once } from 'node:events'
import { request as ask, createServer, type IncomingMessage } from 'node:http'

/** What most relays are: Node's HTTP on both sides, and bodies that are parsed and written again where they can be. */

async function readAll(stream: IncomingMessage): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += chunk
  return text
}

function rewrite(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body))
  } catch (error) {
    if (error instanceof SyntaxError) return body
    throw error
  }
}

export interface CarelessProxy {
  url: string
  stop(): void
}

export async function startCarelessProxy(upstream: string): Promise<CarelessProxy> {
  const server = createServer(async (received, response) => {
    const body = rewrite(await readAll(received))
    const { host: _host, 'content-length': _length, 'transfer-encoding': _coding, ...headers } = received.headers
    const relayed = ask(upstream, { method: received.method ?? 'GET', headers })
    relayed.on('error', () => response.writeHead(502).end())
    relayed.on('response', async (answer) => {
      const { 'content-length': _answerLength, 'transfer-encoding': _answerCoding, ...rest } = answer.headers
      response.writeHead(answer.statusCode ?? 502, rest)
      response.end(rewrite(await readAll(answer).catch((error: Error) => error.message)))
    })
    relayed.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
