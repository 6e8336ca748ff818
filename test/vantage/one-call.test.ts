import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { auditFetch } from '@affidavit/sensor/client'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, it } from 'vitest'
import { auditInto, makeFolder } from '../middleware/harness/audited.ts'
import { affidavit, startGateway } from '../middleware/harness/gateway.ts'
import { listen, ways } from '../middleware/harness/http-servers.ts'
import { collect, runCommand } from '../tamper/build-home.ts'

type Mode = 'legacy' | { pin: '2026-07-28' }

/** What a client does: three calls of tools that end in three ways, and what the SDK asks by itself. */
async function drive(client: Client): Promise<void> {
  await client.listTools()
  await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
  await Promise.allSettled([
    client.callTool({ name: 'fails', arguments: {} }),
    client.callTool({ name: 'nope', arguments: {} }),
  ])
  await client.close()
}

function makeClient(mode: Mode): Client {
  return new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
}

interface Listed {
  id: string
  method: string
  vantage: string
  corroboratedBy: { id: string; vantage: string; differences: object[] }[]
  possiblySame: string[]
}
const isListed = (value: unknown): value is Listed =>
  typeof value === 'object' && value !== null && 'corroboratedBy' in value && 'possiblySame' in value

function query(home: string, ...argv: string[]): Listed[] {
  const lines = runCommand(['query', '--json', '--home', home, ...argv]).stdout.split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
    .filter(isListed)
}

/** Every call once, seen from both vantages, which agree. */
function expectOnce(home: string) {
  collect(home)
  const calls = query(home)
  const all = query(home, '--vantage', 'all')
  expect(calls.length).toBeGreaterThanOrEqual(4)
  expect(all).toHaveLength(2 * calls.length)
  const seen = calls.map(({ method, vantage, corroboratedBy, possiblySame }) => ({
    method,
    vantage,
    corroboratedBy,
    possiblySame,
  }))
  for (const call of seen) {
    const gateway = { vantage: 'gateway', differences: [] }
    expect(call).toMatchObject({ vantage: 'server', corroboratedBy: [gateway], possiblySame: [] })
  }
  expect(query(home, '--vantage', 'gateway')).toHaveLength(calls.length)
  const [call] = query(home, '--tool', 'echo')
  const [record] = call?.corroboratedBy ?? []
  const shown = runCommand(['show', call?.id ?? '', '--home', home])
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(`also seen at    gateway, ${record?.id}`) })
  expect(runCommand(['show', record?.id ?? '', '--home', home]).stdout).toContain(`counts as       ${call?.id}`)
  expect(runCommand(['status', '--home', home]).stdout).toMatch(
    new RegExp(`vantages +${calls.length} count at server; ${calls.length} records corroborate them`),
  )
  const table = runCommand(['query', '--home', home]).stdout
  expect(table.match(/gateway\+server /g)).toHaveLength(calls.length)
  expect(runCommand(['verify', '--home', home])).toMatchObject({ code: 0 })
  const before = query(home)
  runCommand(['index', 'rebuild', '--home', home])
  expect(query(home)).toEqual(before)
  return calls
}

describe('a call seen by Affidavit in front of a server and by the server itself is one call', () => {
  it.each([
    ['sessions, 1.x', 'legacy'],
    ['sessions, 2.x', 'legacy'],
    ['per request, 2.x', 'legacy'],
    ['per request, 2.x', { pin: '2026-07-28' }],
    ['per request as events, 2.x', { pin: '2026-07-28' }],
  ] as const)(
    'over HTTP: %s, %o [VA-6]',
    async (way, mode) => {
      const home = join(makeFolder(), 'home')
      mkdirSync(home, { mode: 0o700 })
      const upstream = await listen(ways[way](auditInto(home)))
      const gateway = await startGateway(upstream, home)
      // Two at once: both count their requests from the same number.
      const clients = [makeClient(mode), makeClient(mode)]
      for (const client of clients) await client.connect(new StreamableHTTPClientTransport(gateway.url))
      await Promise.all(clients.map(drive))
      await gateway.stop()
      expectOnce(home)
    },
    60_000,
  )

  it.each(['legacy', { pin: '2026-07-28' }] as const)(
    'over HTTP, with an agent that records its fetch, %o [VA-6]',
    async (mode) => {
      const home = join(makeFolder(), 'home')
      mkdirSync(home, { mode: 0o700 })
      const upstream = await listen(ways['per request, 2.x'](auditInto(home)))
      const gateway = await startGateway(upstream, home)
      const fetchAudited = auditFetch(fetch, { serverName: 'rich as the agent calls it', home })
      const clients = [makeClient(mode), makeClient(mode)]
      for (const client of clients)
        await client.connect(new StreamableHTTPClientTransport(gateway.url, { fetch: fetchAudited }))
      await Promise.all(clients.map(drive))
      await fetchAudited.close()
      await gateway.stop()
      collect(home)
      const calls = query(home)
      expect(query(home, '--vantage', 'all')).toHaveLength(3 * calls.length)
      for (const { vantage, corroboratedBy } of calls)
        expect([vantage, corroboratedBy.map((other) => other.vantage)]).toEqual(['server', ['client', 'gateway']])
      expect(query(home, '--server', 'rich as the agent calls it')).toHaveLength(calls.length)
    },
    60_000,
  )

  it.each(['legacy', { pin: '2026-07-28' }] as const)(
    'on stdio, %o [VA-6]',
    async (mode) => {
      const home = join(makeFolder(), 'home')
      const server = [
        process.execPath,
        '--conditions=@affidavit/source',
        join(import.meta.dirname, '../middleware/servers/rich-stdio.ts'),
      ]
      const start = async () => {
        const client = makeClient(mode)
        await client.connect(
          new StdioClientTransport({
            command: process.execPath,
            args: [affidavit, 'run', '--home', home, '--collector', 'none', '--server', 'rich', '--', ...server],
            env: { PATH: process.env.PATH ?? '', RICH_HOME: home },
          }),
        )
        return client
      }
      const clients = await Promise.all([start(), start()])
      await Promise.all(clients.map(drive))
      expectOnce(home)
    },
    60_000,
  )
})
