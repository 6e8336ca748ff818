import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/**
 * Answers every POST with one result whose text is as long as the tool's argument `bytes` says, with back-pressure, as JSON
 * or as one event, and GET with an event stream on which nothing comes. No session, no SDK. Argument: the port.
 */

const piece = Buffer.from('The quick brown fox reads the log, then writes a report of 42 rows. '.repeat(964)).subarray(
  0,
  65_536,
)

interface Wanted {
  id: number
  bytes: number
  form: 'json' | 'sse'
}

async function wantedBy(request: IncomingMessage): Promise<Wanted> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return parseWanted(body)
}

function parseWanted(body: string): Wanted {
  const { id, params } = JSON.parse(body) as { id: number; params: { arguments: Omit<Wanted, 'id'> } }
  return { id, ...params.arguments }
}

/** Comes too where the reader is gone. */
const roomIn = (response: ServerResponse) => once(response, 'drain')

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders()
    return
  }
  const { id, bytes, form } = await wantedBy(request)
  const isEvent = form === 'sse'
  response.writeHead(200, { 'content-type': isEvent ? 'text/event-stream' : 'application/json' })
  response.write(
    `${isEvent ? 'event: message\ndata: ' : ''}{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`,
  )
  let left = bytes
  while (left > 0 && !response.destroyed) {
    const part = left < piece.length ? piece.subarray(0, left) : piece
    left -= part.length
    if (!response.write(part)) await roomIn(response)
  }
  response.end(`"}]}}${isEvent ? '\n\n' : ''}`)
}

createServer((request, response) => {
  response.on('close', () => response.emit('drain'))
  void answer(request, response)
}).listen(Number(process.argv[2]), '127.0.0.1')
