import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HeldBytes } from '../hold.ts'
import type { Departure } from './departure.ts'
import { noteConnection } from './network.ts'
import { type Changes, pairsOf, type RawHeaders, toForward } from './raw-headers.ts'
import type { Upstream } from './upstream.ts'

/** What came of sending a request on: the beginning of an answer, or none. */
export type Forwarded =
  | { kind: 'answer'; incoming: IncomingMessage }
  | { kind: 'failed'; cause: 'unreachable' | 'timeout' | 'reset' | 'garbage' | 'unsent'; code: string }

export interface ForwardedRequest {
  method: string
  /** Path and query as they go on. */
  path: string
  rawHeaders: RawHeaders
  changes?: Changes
  rawTrailers: RawHeaders
  body: HeldBytes
  authorization: string | undefined
  /** An interim response (1xx) that came before the answer. */
  onInformation: (status: number, message: string, rawHeaders: RawHeaders) => void
  /** Of whoever waits for the answer. */
  gone: Departure
}

const headerBytesMax = 256 * 1024

/** RFC 9110 §15: below 100 there is no status, and Node writes none. */
class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code = 'HPE_INVALID_STATUS'
}

/** Sends a request on, bytes as they are. Never rejects. */
export async function forward(upstream: Upstream, request: ForwardedRequest): Promise<Forwarded> {
  const { url, timeouts } = upstream.options
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  let outgoing: ClientRequest
  try {
    outgoing = send({
      agent: upstream.agent,
      host,
      port: url.port === '' ? undefined : url.port,
      // The certificate is that of the upstream, whatever Host it is shown. Addresses are no server names (RFC 6066 §3).
      servername: isIP(host) === 0 ? host : '',
      method: request.method,
      path: request.path,
      headers: toForward(request.rawHeaders, changedFields(upstream, request)),
      maxHeaderSize: headerBytesMax,
    })
  } catch (error) {
    // A path or field that Node's parser let in and its writer does not: nothing was sent.
    return { kind: 'failed', cause: 'unsent', code: codeOf(error) }
  }
  request.gone.whenGone(() => outgoing.destroy())
  // Node drops fields beyond a number without a word; their bytes are bounded above.
  outgoing.maxHeadersCount = 0
  outgoing.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    if (statusCode !== 100) request.onInformation(statusCode, statusMessage, rawHeaders)
  })
  // Not awaited: an answer may come before the body was taken, and end it.
  void sendBody(outgoing, request)
  return awaitAnswer(outgoing, timeouts)
}

function changedFields({ options }: Upstream, { authorization, changes }: ForwardedRequest): Changes {
  const replaced = new Map(changes)
  if (options.host === 'upstream') replaced.set('host', options.url.host)
  if (authorization !== undefined) {
    replaced.set('authorization', authorization)
    // It proved something about the client's token to us, and proves nothing about ours.
    replaced.set('dpop', undefined)
  }
  return replaced
}

function awaitAnswer(outgoing: ClientRequest, { connectMs, answerMs }: Upstream['options']['timeouts']) {
  return new Promise<Forwarded>((resolve) => {
    let isConnected = false
    const giveUp = (afterMs: number) =>
      afterMs === 0
        ? undefined
        : setTimeout(() => {
            resolve({ kind: 'failed', cause: 'timeout', code: isConnected ? 'answer_timeout' : 'connect_timeout' })
            outgoing.destroy()
          }, afterMs)
    let timer = giveUp(connectMs)
    const onConnected = () => {
      isConnected = true
      clearTimeout(timer)
      timer = giveUp(answerMs)
    }
    outgoing.on('socket', (socket) => {
      // With TLS nothing is sent before the certificate was found good.
      if (socket.connecting) socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', onConnected)
      else onConnected()
    })
    outgoing.on('response', (incoming) => {
      noteConnection(incoming)
      clearTimeout(timer)
      if (incoming.statusCode === undefined || incoming.statusCode < 100) {
        outgoing.destroy(new StatusError('the upstream answered with a status that is none'))
        return
      }
      // What happens to it later is told to whoever reads it.
      incoming.on('error', () => undefined)
      resolve({ kind: 'answer', incoming })
    })
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      resolve({ kind: 'failed', cause: causeOf(error, isConnected ? 'connected' : 'connecting'), code: codeOf(error) })
    })
    // A switch of protocols (101) that nobody asked for, since Upgrade does not go on: Node closes without a word.
    outgoing.on('close', () => {
      clearTimeout(timer)
      resolve({ kind: 'failed', cause: 'garbage', code: 'no_answer' })
    })
  })
}

function causeOf(error: unknown, state: 'connected' | 'connecting'): 'unreachable' | 'reset' | 'garbage' {
  if (codeOf(error).startsWith('HPE_')) return 'garbage'
  return state === 'connecting' ? 'unreachable' : 'reset'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

async function sendBody(outgoing: ClientRequest, { body, rawTrailers }: ForwardedRequest): Promise<void> {
  const whole = body.inMemory()
  if (rawTrailers.length > 0) outgoing.addTrailers(pairsOf(rawTrailers))
  if (whole !== undefined) {
    outgoing.end(whole)
    return
  }
  try {
    for await (const piece of body.pieces(0, body.length)) {
      if (outgoing.destroyed) return
      if (!outgoing.write(piece)) await drained(outgoing)
    }
    outgoing.end()
  } catch (error) {
    // The file that held the body failed in the middle: what went on is cut, and no server takes half a request.
    outgoing.destroy(error instanceof Error ? error : undefined)
  }
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      outgoing.off('drain', finish).off('close', finish)
      resolve()
    }
    outgoing.on('drain', finish).on('close', finish)
  })
}
