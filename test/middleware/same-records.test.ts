import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Vantage } from '@affidavit/evidence/record/kinds'
import { auditFetch } from '@affidavit/sensor/client'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, it, onTestFinished } from 'vitest'
import { auditInto, makeFolder } from './harness/audited.ts'
import { affidavit, startGateway } from './harness/gateway.ts'
import { listen, ways } from './harness/http-servers.ts'
import { readCalls, type SpooledCall } from './harness/spooled.ts'

type Mode = 'legacy' | { pin: '2026-07-28' }

async function drive(client: Client, asks = true): Promise<void> {
  const settled = (call: Promise<unknown>) => Promise.allSettled([call])
  await client.listTools()
  await client.listPrompts()
  await settled(client.callTool({ name: 'echo', arguments: { message: 'my card is 4111 1111 1111 1111, ü 😀' } }))
  await settled(client.callTool({ name: 'fails', arguments: {} }))
  await settled(client.callTool({ name: 'throws', arguments: {} }))
  await settled(client.callTool({ name: 'steps', arguments: { count: 3 } }, { onprogress: () => undefined }))
  await settled(client.callTool({ name: 'nope', arguments: { a: [1, 2, { b: null }] } }))
  await settled(client.callTool({ name: 'echo', arguments: { message: 7 } }))
  if (asks) await settled(client.callTool({ name: 'asks', arguments: {} }))
  await settled(client.readResource({ uri: 'note://1' }))
  await settled(client.readResource({ uri: 'note://2' }))
  await settled(client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }))
}

function makeClient(mode: Mode): Client {
  const client = new Client(
    { name: 'official', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  )
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }))
  return client
}

/** Every value by its path. */
function flatten(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, `${path}.${key}`))
}

/** All values of a call by their paths. What is the vantage's own counts as there or not there. */
function sideOf({ requested, sections, completed, completedSections }: SpooledCall): Map<string, unknown> {
  const all = { requested: { header: requested, ...sections }, completed: { header: completed, ...completedSections } }
  return new Map(flatten(all).map(([path, value]) => [path, ownOfVantage.test(path) ? 'own' : value]))
}

/** Paths at which the two vantages of any call differ. */
function differences(pairs: [SpooledCall, SpooledCall][]): string[] {
  const found = new Set<string>()
  for (const [one, other] of pairs) {
    const [a, b] = [sideOf(one), sideOf(other)]
    for (const path of new Set([...a.keys(), ...b.keys()])) if (a.get(path) !== b.get(path)) found.add(path)
  }
  return [...found].sort()
}

/** The calls of two vantages, joined as anybody would: by request id, method and direction. */
function pair(calls: SpooledCall[], one: Vantage, two: Vantage): [SpooledCall, SpooledCall][] {
  const of = (vantage: Vantage) => calls.filter(({ requested }) => requested.vantage === vantage)
  const [near, far] = [of(one), of(two)]
  const nameOf = ({ requested }: SpooledCall) =>
    `${requested.direction} ${requested.method} ${requested.requestIdDigest}`
  expect(far.map(nameOf).sort()).toEqual(near.map(nameOf).sort())
  return near.map((call) => {
    const other = far.find((each) => nameOf(each) === nameOf(call))
    if (other === undefined) throw new Error('there is no other')
    return [call, other]
  })
}

/** What two vantages of one call never share: place, clock, salts, and the vantage's own id of the call. */
const ownOfVantage =
  /\.header\.(?:streamId|seq|prev|callId|callGroupId|time|monotonicUs|latencyUs|requestedHash|vantage|sections\..*)$/

/** Facts about the machine around each vantage, of which there are many fields. */
const around = [
  '.requested.environment.processes', '.requested.environment.network', '.requested.identity.user',
  '.requested.identity.workload', '.requested.identity.lineage', '.completed.environment',
] // biome-ignore format: one list

/** The differences, with what stands around a vantage in one piece. */
const differing = (pairs: [SpooledCall, SpooledCall][]) => [
  ...new Set(differences(pairs).map((path) => around.find((prefix) => path.startsWith(`${prefix}.`)) ?? path)),
]

describe('the records of an audited server and those of Affidavit in front of it', () => {
  it.each(['legacy', { pin: '2026-07-28' }] as const)('are the same on stdio, %o [MW-10]', async (mode) => {
    const home = join(makeFolder(), 'home')
    const client = makeClient(mode)
    const server = [
      process.execPath,
      '--conditions=@affidavit/source',
      join(import.meta.dirname, 'servers/rich-stdio.ts'),
    ]
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [affidavit, 'run', '--home', home, '--collector', 'none', '--server', 'rich', '--', ...server],
        env: { PATH: process.env.PATH ?? '', RICH_HOME: home },
      }),
    )
    await drive(client)
    await client.close()
    const pairs = pair(await readCalls(home), 'gateway', 'server')
    expect(pairs.length).toBeGreaterThanOrEqual(12)
    expect(differing(pairs)).toEqual([
      '.requested.environment.processes',
      // From initialize to exit, as each of the two saw it; over HTTP the server makes one id for both.
      ...(mode === 'legacy' ? ['.requested.header.sessionId'] : []),
      // Only what starts a server looks at who started it, and hashes that.
      '.requested.identity.lineage',
      '.requested.identity.workload',
    ])
  })

  it.each([
    ['per request, 2.x', 'legacy'],
    ['per request, 2.x', { pin: '2026-07-28' }],
    ['sessions, 2.x', 'legacy'],
    ['sessions as JSON, 2.x', 'legacy'],
    ['sessions, 1.x', 'legacy'],
  ] as const)('are the same over HTTP: %s, %o [MW-10]', async (way, mode) => {
    const home = join(makeFolder(), 'home')
    mkdirSync(home, { mode: 0o700 })
    const upstream = await listen(ways[way](auditInto(home)))
    const gateway = await startGateway(upstream, home)
    const client = makeClient(mode)
    const audited = auditFetch(fetch, { serverName: 'rich', home })
    onTestFinished(() => audited.close())
    await client.connect(new StreamableHTTPClientTransport(gateway.url, { fetch: audited }))
    // A JSON answer has no way to ask the client back.
    await drive(client, way !== 'sessions as JSON, 2.x')
    await client.close()
    await gateway.stop()
    const calls = await readCalls(home)
    const pairs = pair(calls, 'gateway', 'server')
    expect(pairs.length).toBeGreaterThanOrEqual(12)
    expect(differing(pairs)).toEqual([
      // The gateway sees both its connections, a server the one from the gateway.
      '.completed.environment',
      // A server knows the status of its answers only where a transport lives for one exchange.
      ...(mode === 'legacy' ? ['.completed.header.httpStatus'] : []),
      '.completed.header.sections.environment',
      '.requested.environment.network',
      '.requested.environment.processes',
    ])
    expect(differing(pair(calls, 'client', 'gateway'))).toEqual([
      '.completed.environment',
      '.requested.environment.network',
      '.requested.environment.processes',
      // Where no token names anybody, the agent names its own process and user.
      '.requested.identity.user',
      '.requested.identity.workload',
    ])
  })
})
