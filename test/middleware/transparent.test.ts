import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { describe, expect, it } from 'vitest'
import { auditInto, makeFolder } from './harness/audited.ts'
import { exchanges, send } from './harness/exchanges.ts'
import { listen, type Prepare, ways } from './harness/http-servers.ts'
import { createRichServerV1 } from './harness/rich-server.ts'
import { readCalls } from './harness/spooled.ts'

const bare: Prepare = () => undefined

describe.each(Object.entries(ways))('%s', (_name, listenerFor) => {
  it('an audited server answers byte for byte what a bare one answers [MW-3]', async () => {
    const [bareUrl, auditedUrl] = [await listen(listenerFor(bare)), await listen(listenerFor(auditInto(makeFolder())))]
    const seen: unknown[] = []
    for (const exchange of exchanges) {
      const expected = await send(bareUrl, exchange)
      seen.push(expected.status)
      expect({ ...(await send(auditedUrl, exchange)), exchange }).toEqual({ ...expected, exchange })
    }
    expect(new Set(seen).size).toBeGreaterThan(3)
  })
})

it.each(['legacy', { pin: '2026-07-28' }] as const)(
  'every call of an official client has both its records: %o [MW-2]',
  async (mode) => {
    const home = makeFolder()
    const url = await listen(ways['per request, 2.x'](auditInto(home)))
    const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StreamableHTTPClientTransport(url))
    await client.listTools()
    await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
    await client.callTool({ name: 'fails', arguments: {} })
    await client.callTool({ name: 'steps', arguments: { count: 3 } }, { onprogress: () => undefined })
    await client.readResource({ uri: 'note://1' })
    await client.close()
    const calls = await readCalls(home)
    expect(calls.map(({ requested, completed }) => [requested.method, completed?.outcome])).toEqual([
      [mode === 'legacy' ? 'initialize' : 'server/discover', 'success'],
      ['tools/list', 'success'],
      ['tools/call', 'success'],
      ['tools/call', 'tool_error'],
      ['tools/call', 'success'],
      ['resources/read', 'success'],
    ])
  },
)

it('the deprecated SSE transport is recorded too, its session by the id in its URL [MW-2]', async () => {
  const home = makeFolder()
  const audit = auditInto(home)
  const open = new Map<string, SSEServerTransport>()
  const url = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/messages') {
      await open.get(searchParams.get('sessionId') ?? '')?.handlePostMessage(request, response)
      return
    }
    const transport = new SSEServerTransport('/messages', response)
    open.set(transport.sessionId, transport)
    const server = createRichServerV1()
    audit(server)
    await server.connect(transport)
  })
  const client = new ClientV1({ name: 'official', version: '1' })
  await client.connect(new SSEClientTransport(url))
  expect(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })).toMatchObject({
    content: [{ text: 'hi' }],
  })
  await client.close()
  const calls = await readCalls(home)
  expect(calls.map(({ completed }) => completed?.outcome)).toEqual(['success', 'success'])
  expect(calls.map(({ requested }) => requested.sessionSource)).toEqual(['legacy-http', 'legacy-http'])
  expect(calls[0]?.requested.sessionId).toBe(calls[1]?.requested.sessionId)
})
