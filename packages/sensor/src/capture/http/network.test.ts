import { createServer, type RequestListener, type Server } from 'node:http'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import type { Sections } from '@affidavit/evidence/record/sections'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readLocalFacts } from '../../identity/local.ts'
import { relayExchange } from './relay.ts'
import { openUpstream, type Upstream } from './upstream.ts'

const facts = readLocalFacts(undefined)
const absent = { absent: 'unit' }
const records: { stage: string; sections: Sections }[] = []
/** Ports of the clients as the server behind the gateway sees them. */
const seen: (number | undefined)[] = []
let server: { url: URL; close(): void }
let gateway: { url: URL; close(): void }
let upstream: Upstream

async function listen(handler: RequestListener): Promise<{ url: URL; close(): void }> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: new URL(`http://127.0.0.1:${port}/mcp`), close: () => server.close() }
}

beforeAll(async () => {
  server = await listen((request, response) => {
    seen.push(request.socket.remotePort)
    request.resume().on('end', () => {
      const isLost = seen.length > 1
      response.writeHead(isLost ? 500 : 200, { 'content-type': 'application/json', connection: 'close' })
      response.end(isLost ? 'no' : '{"jsonrpc":"2.0","id":1,"result":{}}')
    })
  })
  const context = {
    emit: async (draft: object, sections: Sections) => {
      if ('stage' in draft) records.push({ stage: String(draft.stage), sections })
      return { recorded: true, hash: new Uint8Array(32) }
    },
    redactor: {
      redactJson: (text: Uint8Array) => ({ text, removed: [] }),
      redactText: (text: string) => ({ text, removed: [] }),
    },
    digest: () => `00000000:${Buffer.alloc(32).toString('base64')}`,
    level: 'arguments' as const,
    serverName: 'unit',
    facts,
    vantage: 'gateway' as const,
    diagnose: () => undefined,
  }
  const { workload, user } = facts
  const principals = { workload, user, role: absent, token: absent, delegation: [] }
  const options = {
    name: 'unit',
    url: server.url,
    host: 'upstream' as const,
    tls: {},
    timeouts: { connectMs: 5000, answerMs: 5000, bodyIdleMs: 5000 },
    limits: { sessionIdleMs: 60_000, resumeGraceMs: 0 },
  }
  upstream = openUpstream(options, { context, admit: () => ({ verdict: 'admitted', principals }) })
  gateway = await listen((request, response) => {
    const place = { upstream, path: '/mcp', isEndpoint: true }
    relayExchange(place, request, response, () => undefined).catch(() => response.destroy())
  })
})
afterAll(() => {
  upstream.close()
  gateway.close()
  server.close()
})

const post = (id: number) =>
  fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', connection: 'close' },
    body: `{"jsonrpc":"2.0","id":${id},"method":"ping"}`,
  }).then((response) => response.text())

const networkOf = ({ environment }: Sections) =>
  environment === undefined ? undefined : parseEnvironment(environment).network

it('both connections of a call are recorded, as each end sees them, also where the answer is none of MCP [VA-1]', async () => {
  await post(1)
  await post(2)
  expect(records.map(({ stage }) => stage)).toEqual(['requested', 'completed', 'requested', 'completed'])
  const [requested, ...rest] = records.map(({ sections }) => networkOf(sections))
  expect(requested).toEqual([expect.objectContaining({ peer: 'client', localPort: Number(gateway.url.port) })])
  expect([rest[0], rest[2]]).toEqual(
    seen.map((localPort) => [
      expect.objectContaining({ peer: 'server', protocol: 'tcp', localPort, remotePort: Number(server.url.port) }),
    ]),
  )
})
