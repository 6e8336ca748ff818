import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { McpServer } from '@modelcontextprotocol/server'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'

/** A server of the official SDK that admits only bearer tokens made for itself, and says so as MCP demands. */
export interface ProtectedServer {
  port: number
  /** Every request it saw: target and all header fields, as text. */
  seen: string[]
  /** Claims of the tokens it admitted. */
  admitted: JWTPayload[]
  /** Answers that it gave to requests without a good token: status line excluded, as header fields. */
  close(): Promise<void>
}

export interface ProtectedServerOptions {
  issuer: string
  /** Audience of the tokens it takes; by Host where it is served under names that others chose. */
  resourceFor: (host: string) => string
  /** Admits nobody, whatever the token. */
  refuses?: () => boolean
}

export async function startProtectedServer(options: ProtectedServerOptions): Promise<ProtectedServer> {
  const keys = createRemoteJWKSet(new URL(`${options.issuer}/jwks`))
  const seen: string[] = []
  const admitted: JWTPayload[] = []
  const server = createServer(async (request, response) => {
    seen.push([request.url, ...request.rawHeaders].join('\n'))
    const resource = options.resourceFor(request.headers.host ?? '')
    const { pathname } = new URL(resource)
    const metadataPath = `/.well-known/oauth-protected-resource${pathname}`
    if (request.url === metadataPath) return sendMetadata(response, resource, options.issuer)
    const claims = options.refuses?.() ? undefined : await verify(request, { keys, issuer: options.issuer, resource })
    if (claims === undefined) return challenge(response, 401, `${new URL(resource).origin}${metadataPath}`)
    if (claims.scope === 'crm.none') return challenge(response, 403, `${new URL(resource).origin}${metadataPath}`)
    admitted.push(claims)
    return serveMcp(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    admitted,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function verify(
  { headers }: IncomingMessage,
  by: { keys: ReturnType<typeof createRemoteJWKSet>; issuer: string; resource: string },
): Promise<JWTPayload | undefined> {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return undefined
  try {
    const { payload } = await jwtVerify(token, by.keys, { issuer: by.issuer, audience: by.resource })
    return payload
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

function sendMetadata(response: ServerResponse, resource: string, issuer: string): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ resource, authorization_servers: [issuer], scopes_supported: ['crm.read'] }))
}

/** Odd in spelling, order and white space, so that whoever rewrites it is found out. */
function challenge(response: ServerResponse, status: 401 | 403, metadata: string): void {
  const error = status === 401 ? 'invalid_token' : 'insufficient_scope'
  const body = Buffer.from(`{"jsonrpc":"2.0",  "error":{"code":-32001,"message":"${error} \\u00fc"},"id":null}\n`)
  response.writeHead(status, status === 401 ? 'Who Are You' : 'Not You', [
    ...[
      'X-Odd-CASE',
      ' two  spaces',
      'WWW-Authenticate',
      `Bearer  error="${error}",resource_metadata="${metadata}", scope="crm.read"`,
    ],
    ...[
      'www-authenticate',
      'Basic realm="second"',
      'Content-Type',
      'application/json',
      'Content-Length',
      String(body.length),
    ],
    ...['Date', 'Mon, 01 Jan 2024 00:00:00 GMT', 'Connection', 'close'],
  ])
  response.end(body)
}

async function serveMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const server = new McpServer({ name: 'crm', version: '1.0.0' })
  server.registerTool(
    'lookup',
    { description: 'Looks up.', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => ({
      content: [{ type: 'text', text: `found ${name}` }],
    }),
  )
  const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await server.connect(transport)
  await transport.handleRequest(request, response)
}
