import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AuditableServer } from '@affidavit/sensor/server'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type CreateMcpHandlerOptions, createMcpHandler } from '@modelcontextprotocol/server'
import { serve } from '../../gateway/harness/serve.ts'
import { createRichServer, createRichServerV1 } from './rich-server.ts'

/** Called for every server that is made, before it is connected. */
export type Prepare = (server: AuditableServer) => unknown

/** The ways in which the official SDKs serve HTTP on Node. */
export const ways = {
  'per request, 2.x': (prepare: Prepare) => perRequest(prepare, {}),
  'per request as events, 2.x': (prepare: Prepare) => perRequest(prepare, { responseMode: 'sse' }),
  'per request, modern only, 2.x': (prepare: Prepare) => perRequest(prepare, { legacy: 'reject' }),
  'sessions, 2.x': (prepare: Prepare) => sessions((options) => connect2(prepare, options)),
  'sessions as JSON, 2.x': (prepare: Prepare) =>
    sessions((options) => connect2(prepare, { ...options, enableJsonResponse: true })),
  'sessions, 1.x': (prepare: Prepare) => sessions((options) => connect1(prepare, options)),
} as const

function perRequest(prepare: Prepare, options: CreateMcpHandlerOptions): RequestListener {
  const handle = toNodeHandler(
    createMcpHandler(() => {
      const server = createRichServer()
      prepare(server)
      return server
    }, options),
  )
  return (request, response) => void Reflect.apply(handle, undefined, [request, response])
}

interface HttpTransport {
  handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void>
}

/** A transport and a server per session; sessions are numbered, so that two runs look the same. */
function sessions(open: (options: SessionOptions) => Promise<HttpTransport>): RequestListener {
  const known = new Map<string, HttpTransport>()
  let count = 0
  return async (request, response) => {
    const id = `session-${count + 1}`
    const transport =
      known.get(String(request.headers['mcp-session-id'])) ??
      (await open({
        sessionIdGenerator: () => id,
        onsessioninitialized: () => {
          count++
          known.set(id, transport)
        },
        onsessionclosed: () => void known.delete(id),
      }))
    await transport.handleRequest(request, response)
  }
}

interface SessionOptions {
  sessionIdGenerator: () => string
  onsessioninitialized: (id: string) => void
  onsessionclosed: (id: string) => void
}

async function connect2(prepare: Prepare, options: SessionOptions & { enableJsonResponse?: boolean }) {
  const server = createRichServer()
  prepare(server)
  const transport = new NodeStreamableHTTPServerTransport(options)
  await server.connect(transport)
  return transport
}

async function connect1(prepare: Prepare, options: SessionOptions) {
  const server = createRichServerV1()
  prepare(server)
  const transport = new StreamableHTTPServerTransport(options)
  await server.connect(transport)
  return transport
}

/** Listens on a port of its own until the test is over. */
export async function listen(listener: RequestListener): Promise<URL> {
  return new URL(await serve(listener))
}
