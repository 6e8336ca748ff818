import type { RawHeaders } from '../http/raw-headers.ts'

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What is asked of fetch, with its body in memory where it may hold a message. */
export interface FetchRequest {
  method: string
  url: string
  headers: Headers
  /** Of requests that say they are JSON. */
  body: Uint8Array | undefined
  signal: AbortSignal | undefined
  /** Gives it one more header field. */
  addHeader(name: string, value: string): void
  /** Sends it on, with other bytes in the place of its body where they are given. */
  send(instead?: Uint8Array): Promise<Response>
  /** Tells the server, by a POST of its own, that what it asked did not reach the agent: it would wait for ever. */
  reply(bytes: Uint8Array): void
}

/** Fields of the agent's request that a server needs to take a message of the same session. */
const repeated = ['authorization', 'mcp-session-id', 'mcp-protocol-version'] as const

/** Reads what fetch would take, and leaves it as it would have been sent. `onFault` hears of replies that failed. */
export async function readRequest(
  { fetchOn, onFault }: { fetchOn: Fetch; onFault: (error: unknown) => void },
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<FetchRequest> {
  const from = input instanceof Request ? input : undefined
  const headers = new Headers(init.headers ?? from?.headers)
  const isJson = mediaTypeOf(headers) === 'application/json'
  const held = isJson ? await holdBody(from, init) : undefined
  const streamed = held?.streamed === true ? { body: held.bytes } : {}
  const url = from?.url ?? String(input)
  let added: { headers?: Headers } = {}
  return {
    method: (init.method ?? from?.method ?? 'GET').toUpperCase(),
    url,
    headers,
    body: held?.bytes,
    signal: init.signal ?? from?.signal,
    addHeader: (name, value) => {
      headers.set(name, value)
      added = { headers }
    },
    send: (instead) =>
      fetchOn(input, { ...init, ...added, ...(instead === undefined ? streamed : { body: copyOf(instead) }) }),
    reply: (bytes) => {
      const sent = fetchOn(url, { method: 'POST', headers: replyHeaders(headers), body: copyOf(bytes) })
      sent.then((response) => response.body?.cancel(), onFault)
    },
  }
}

function replyHeaders(headers: Headers): Headers {
  const own = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
  for (const name of repeated) {
    const value = headers.get(name)
    if (value !== null) own.set(name, value)
  }
  return own
}

/** Of a body that can be read only once, the bytes are sent in its place. */
async function holdBody(from: Request | undefined, { body }: RequestInit) {
  if (typeof body === 'string') return { bytes: new Uint8Array(Buffer.from(body)), streamed: false }
  if (body !== undefined && body !== null)
    return { bytes: new Uint8Array(await new Response(body).arrayBuffer()), streamed: true }
  if (from?.body === undefined || from.body === null) return undefined
  return { bytes: new Uint8Array(await from.clone().arrayBuffer()), streamed: false }
}

/** RequestInit takes views of plain buffers only. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

/** Without parameters, in lower case; empty where there is none. */
export function mediaTypeOf(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

export function toRawHeaders(headers: Headers): RawHeaders {
  return [...headers].flat()
}
