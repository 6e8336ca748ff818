import { HeldBytes } from '../hold.ts'
import { Departure } from './departure.ts'
import type { HttpExchange } from './exchange.ts'
import { forward } from './forward.ts'
import { headerOf } from './raw-headers.ts'
import type { Upstream } from './upstream.ts'

const replyMs = 10_000
/** Under way at a time per upstream; of a flood the others hear nothing, as from a client that is silent. */
const repliesMax = 16
const underWay = new WeakMap<Upstream, number>()

/** Fields of the client's request that a server needs to take a message of the same session. */
const repeated = ['host', 'authorization', 'mcp-session-id', 'mcp-protocol-version'] as const

/**
 * Tells a server that its request could not be recorded and so did not reach the client: it would wait for ever. Over HTTP
 * that is a POST of its own, in the name of the client whose stream the request came on.
 */
export function replyToServer(exchange: HttpExchange, bytes: Uint8Array): void {
  const { upstream, request, path, ours } = exchange
  const others = underWay.get(upstream) ?? 0
  if (others >= repliesMax) return
  underWay.set(upstream, others + 1)
  const body = new HeldBytes(bytes.length)
  body.append(bytes)
  const fields = repeated.flatMap((name) => {
    const value = headerOf(request.rawHeaders, name)
    return value === undefined ? [] : [name, value]
  })
  const own = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
  const gone = new Departure()
  const timer = setTimeout(() => gone.leave(), replyMs)
  const sent = forward(upstream, {
    method: 'POST',
    path,
    rawHeaders: [...fields, ...own, 'content-length', String(bytes.length)],
    rawTrailers: [],
    body,
    authorization: ours?.authorization,
    onInformation: () => undefined,
    gone,
  })
  void sent.then((answer) => {
    clearTimeout(timer)
    underWay.set(upstream, (underWay.get(upstream) ?? 1) - 1)
    if (answer.kind === 'answer') answer.incoming.resume()
  })
}
