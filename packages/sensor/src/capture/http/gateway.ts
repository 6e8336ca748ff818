import { constants } from 'node:crypto'
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps, type Server as SecureServer } from 'node:https'
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { plainError, sendOwn } from './own-answer.ts'
import { Places } from './places.ts'
import { relayExchange } from './relay.ts'
import type { Router } from './route.ts'
import { UnsentAnswers } from './unsent-answers.ts'
import type { Upstream } from './upstream.ts'

export interface TlsFiles {
  cert: string
  key: string
  /** Whether clients are asked for a certificate. Any will do here, or none: who it names is for doorkeepers to judge. */
  asksClients: boolean
}

export interface GatewayOptions {
  host: string
  port: number
  tls: TlsFiles | undefined
  router: Router
  upstreams: readonly Upstream[]
  /** Paths of our own, such as `/healthz`; undefined where it is none. */
  ownPages: (request: IncomingMessage, response: ServerResponse) => Promise<void> | undefined
  onFault: (fault: unknown) => void
}

export interface Gateway {
  address: AddressInfo
  /** HTTP exchanges under way. */
  readonly underWay: number
  /** From now on requests go by this; what is under way goes on as it began. Old upstreams are let go when they are idle. */
  route(router: Router, upstreams: readonly Upstream[]): void
  renewTls(tls: TlsFiles): void
  /**
   * No new connections; resolves when no call is open and what was let go is sent, or `limitMs` is over, then records what is
   * open as cut and closes.
   */
  drain(limitMs: number): Promise<void>
}

const headerBytesMax = 256 * 1024
const sweepEveryMs = 1000
const drainPollMs = 50

/** Listens; rejects with the system's error where it cannot. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const state = { router: options.router, upstreams: new Set(options.upstreams), isDraining: false }
  const underWay = new Places<ServerResponse>()
  const unsent = new UnsentAnswers()
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const place = underWay.take(response)
    unsent.watch(request.socket, response)
    if (state.isDraining) response.shouldKeepAlive = false
    try {
      await answer(state.router, options, request, response)
    } catch (error) {
      options.onFault(error)
      response.destroy()
    } finally {
      underWay.leave(place)
    }
  }
  const server = openServer(options, (request, response) => void handle(request, response))
  await listen(server, options)
  const sweeping = setInterval(() => void sweep(state.upstreams).catch(options.onFault), sweepEveryMs)
  const { address } = { address: server.address() }
  if (address === null || typeof address === 'string') throw new TypeError('the server has no address')
  return {
    address,
    get underWay() {
      return underWay.count
    },
    route(router, upstreams) {
      state.router = router
      for (const upstream of upstreams) state.upstreams.add(upstream)
      for (const upstream of state.upstreams) upstream.isRetired = !upstreams.includes(upstream)
    },
    renewTls: (tls) => {
      if ('setSecureContext' in server) server.setSecureContext(toTlsOptions(tls))
    },
    async drain(limitMs) {
      state.isDraining = true
      // Their connections end with them; nobody is to send another request on one.
      for (const response of underWay.taken()) response.shouldKeepAlive = false
      // Not HTTP's own close: that destroys connections whose answers are written and not sent.
      NetServer.prototype.close.call(server)
      const until = Date.now() + limitMs
      while ((openCalls(state.upstreams) > 0 || unsent.some()) && Date.now() < until) {
        if (!unsent.some()) server.closeIdleConnections()
        await new Promise((resolve) => setTimeout(resolve, drainPollMs))
      }
      clearInterval(sweeping)
      await Promise.all(
        [...state.upstreams].flatMap(({ conversations, doorkeeper }) => [
          conversations.finish(),
          doorkeeper.finish?.(),
        ]),
      )
      server.closeAllConnections()
      for (const upstream of state.upstreams) upstream.close()
    },
  }
}

function openServer(
  { tls }: GatewayOptions,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server | SecureServer {
  // A request may take as long as it takes, as it would without us; only its head must come.
  const shared = { maxHeaderSize: headerBytesMax, requestTimeout: 0, headersTimeout: 60_000, noDelay: true }
  const server =
    tls === undefined ? createHttp(shared, onRequest) : createHttps({ ...shared, ...toTlsOptions(tls) }, onRequest)
  server.keepAliveTimeout = 65_000
  // Node drops fields beyond a number without a word; their bytes are bounded above.
  server.maxHeadersCount = 0
  return server
}

/**
 * A session that is resumed by a ticket brings the client's certificate and not those between it and its authority: then every
 * connection shakes hands anew.
 */
function toTlsOptions({ cert, key, asksClients }: TlsFiles): TlsOptions {
  if (!asksClients) return { cert, key }
  return { cert, key, requestCert: true, rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET }
}

function listen(server: Server | SecureServer, { host, port }: GatewayOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function answer(
  router: Router,
  { ownPages, onFault }: GatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Whoever went away while being answered is told by 'close'.
  response.on('error', () => undefined)
  request.on('error', () => undefined)
  const place = router.find(request)
  if (place !== undefined) return relayExchange(place, request, response, onFault)
  const own = ownPages(request, response)
  if (own !== undefined) return own
  request.resume()
  const body = plainError('AFD_NO_UPSTREAM', 'This gateway serves no MCP server here; its configuration names them.')
  sendOwn(response, { status: 404, body })
}

async function sweep(upstreams: Set<Upstream>): Promise<void> {
  await Promise.all(
    [...upstreams].flatMap(({ conversations, doorkeeper }) => [conversations.sweep(), doorkeeper.sweep?.()]),
  )
  for (const upstream of upstreams) {
    if (!upstream.isRetired) continue
    const isTakenOver = [...upstreams].some(
      (other) => other !== upstream && other.conversations === upstream.conversations,
    )
    if (!isTakenOver && upstream.conversations.size > 0) continue
    upstreams.delete(upstream)
    await upstream.doorkeeper.finish?.()
    // What its successor took over may still run on its connections; those that are idle end by themselves.
    if (!isTakenOver) upstream.close()
  }
}

function openCalls(upstreams: ReadonlySet<Upstream>): number {
  let count = 0
  for (const { conversations } of upstreams) count += conversations.openCalls
  return count
}
