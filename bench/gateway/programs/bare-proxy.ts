import { Agent, request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'

/**
 * What any proxy on node:http has to do at the least: pass heads and bytes both ways, with back-pressure and kept
 * connections, and look into nothing. Arguments: the port, and the upstream's URL.
 */

const [port, url = ''] = process.argv.slice(2)
const upstream = new URL(url)
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })

/** Of one connection and not of the message (RFC 9110 §7.6.1). */
const ofOneHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'])

/** Names, order and repetitions as they came. */
function keepHeaders(raw: readonly string[], isRequest: boolean): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    const isChunked = isRequest && name.toLowerCase() === 'transfer-encoding'
    if (isChunked || !ofOneHop.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

function relay(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const forwarded = ask({
    agent,
    host: upstream.hostname,
    port: upstream.port,
    method: incoming.method,
    path: upstream.pathname,
    headers: keepHeaders(incoming.rawHeaders, true),
  })
  forwarded.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, keepHeaders(answer.rawHeaders, false))
    outgoing.flushHeaders()
    pipeline(answer, outgoing, () => undefined)
  })
  forwarded.on('error', () => {
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end()
  })
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) forwarded.destroy()
  })
  incoming.pipe(forwarded)
}

const server = createServer(relay)
server.keepAliveTimeout = 60_000
server.listen(Number(port), '127.0.0.1')
