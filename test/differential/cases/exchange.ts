import type { Headers } from '../harness/message.ts'
import type { Script } from '../harness/peers.ts'
import type { Case } from '../harness/ways.ts'

/** One request, one answer, each as the bytes it is. */
export interface Exchange {
  name: string
  method?: string
  /** What follows the path. */
  query?: string
  /** In place of the headers that a client usually sends; the framing is added to them. */
  headers?: Headers
  body?: string | Uint8Array
  /** Sent as chunks of these sizes (the last takes the rest), with these trailers. */
  chunks?: { sizes: number[]; trailers?: Headers }
  response: string | Uint8Array | Script
}

export const host: Headers[number] = ['Host', 'mcp.example.org:8443']
export const usual: Headers = [
  host,
  ['Content-Type', 'application/json'],
  ['Accept', 'application/json, text/event-stream'],
  ['MCP-Protocol-Version', '2025-11-25'],
]

export const toBytes = (text: string | Uint8Array): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from(text)

const lines = (headers: Headers) => headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')

/** A head, bytes as latin1. */
export const head = (start: string, headers: Headers): Buffer =>
  Buffer.from(`${start}\r\n${lines(headers)}\r\n`, 'latin1')

export function toChunks(body: Uint8Array, sizes: number[], trailers: Headers = []): Buffer {
  const parts: Uint8Array[] = []
  let at = 0
  for (const size of [...sizes, Number.POSITIVE_INFINITY]) {
    const part = body.subarray(at, at + size)
    at += part.length
    if (part.length > 0) parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${lines(trailers)}\r\n`, 'latin1')])
}

/** A whole response with its length. */
export function answer(body: string | Uint8Array, headers: Headers = [], status = '200 OK'): Buffer {
  const bytes = toBytes(body)
  const type: Headers = headers.some(([name]) => name.toLowerCase() === 'content-type')
    ? []
    : [['Content-Type', 'application/json']]
  return Buffer.concat([
    head(`HTTP/1.1 ${status}`, [...type, ...headers, ['Content-Length', String(bytes.length)]]),
    bytes,
  ])
}

/** A whole response in chunks. */
export const answerInChunks = (body: string | Uint8Array, headers: Headers, sizes: number[], trailers: Headers = []) =>
  Buffer.concat([
    head('HTTP/1.1 200 OK', [...headers, ['Transfer-Encoding', 'chunked']]),
    toChunks(toBytes(body), sizes, trailers),
  ])

/** The bytes of a request for the target. */
export function toRequest(target: string, exchange: Omit<Exchange, 'response' | 'name'>): Buffer {
  const { method = 'POST', query = '', headers = usual, body, chunks } = exchange
  const start = `${method} ${target}${query} HTTP/1.1`
  if (body === undefined) return head(start, headers)
  const bytes = toBytes(body)
  if (chunks === undefined)
    return Buffer.concat([head(start, [...headers, ['Content-Length', String(bytes.length)]]), bytes])
  return Buffer.concat([
    head(start, [...headers, ['Transfer-Encoding', 'chunked']]),
    toChunks(bytes, chunks.sizes, chunks.trailers),
  ])
}

export function toCase(exchange: Exchange): Case {
  const { name, method = 'POST', response } = exchange
  const script: Script = typeof response === 'function' ? response : (wire) => wire.write(response)
  return {
    name,
    begin: () => ({
      scripts: [script],
      async talk(open) {
        const client = await open()
        // Not waited for: who is answered early need not have been listened to.
        const sent = client.send(toRequest(client.target, exchange))
        const received = await client.read(method)
        await sent
        return [received]
      },
    }),
  }
}

/** A call and its result around the same JSON text, with ids as text. */
export const call = (args: string, id = '1') =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":${args}}}`
export const result = (value: string, id = '1') =>
  `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${value}}}`
