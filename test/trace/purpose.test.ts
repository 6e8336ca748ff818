import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditFetch } from '@affidavit/sensor/client'
import { callHeaders, callMeta } from '@affidavit/sensor/server'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect, it, onTestFinished } from 'vitest'
import { auditInto, makeFolder } from '../middleware/harness/audited.ts'
import { listen, ways } from '../middleware/harness/http-servers.ts'
import { readCalls } from '../middleware/harness/spooled.ts'

const parent = '01968d1e-0000-7000-8000-000000000001'
const task = 'find out what Ada bought on Tuesday'

async function connect(url: URL, fetchOn: typeof fetch = fetch): Promise<Client> {
  const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetchOn }))
  return client
}

it('at level metadata nothing of a declared purpose is on disk or in the record [TR-3]', async () => {
  const home = makeFolder()
  const client = await connect(await listen(ways['per request, 2.x'](auditInto(home, { level: 'metadata' }))))
  await client.callTool({
    name: 'echo',
    arguments: { message: 'hi' },
    _meta: { 'affidavit/task': task, turnId: 'turn-77' },
  })
  await client.close()
  const calls = await readCalls(home)
  expect(calls.at(-1)?.sections.purpose).toEqual({ absent: expect.stringContaining('at level metadata') })
  expect(JSON.stringify(calls)).not.toMatch(/Ada|turn-77/)
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name)).includes(task)).toBe(false)
})

it('the parent is sent by auditFetch where it is known, and only with messages of MCP [TR-6]', async () => {
  const home = makeFolder()
  const seen: (string | string[] | undefined)[] = []
  const listener = ways['per request, 2.x'](auditInto(home))
  const url = await listen((request, response) => {
    seen.push(request.headers['affidavit-call-id'])
    if (request.url === '/token') response.end()
    else listener(request, response)
  })
  let current: string | undefined
  const fetchOn = auditFetch(fetch, { serverName: 'rich', home, parentCall: () => current })
  onTestFinished(() => fetchOn.close())
  const client = await connect(url, fetchOn)
  expect(seen).toEqual(seen.map(() => undefined))
  current = parent
  await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  await fetchOn(new URL('/token', url), { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }) })
  expect(seen.slice(-2)).toEqual([parent, undefined])
  current = 'not an id, and no header\r\nfield'
  await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  expect(seen.at(-1)).toBeUndefined()
  await client.close()
  const parents = (await readCalls(home)).map(({ requested }) => [requested.vantage, requested.parentCallId])
  expect(parents.filter(([, id]) => id !== undefined).sort()).toEqual([
    ['client', parent],
    ['server', parent],
  ])
})

it('what _meta says goes before a header, and what is no id is left out [TR-6]', async () => {
  const home = makeFolder()
  const url = await listen(ways['per request, 2.x'](auditInto(home)))
  const other = parent.replace(/1$/, '2')
  const requestInit = { headers: callHeaders(other) }
  const client = new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }))
  for (const _meta of [callMeta(parent), { 'affidavit/parent-call': 'Ada' }])
    await client.callTool({ name: 'echo', arguments: { message: 'hi' }, _meta })
  await client.close()
  const calls = (await readCalls(home)).filter(({ requested }) => requested.kind === 'call')
  expect(calls.map(({ requested }) => requested.parentCallId)).toEqual([parent, other])
  expect(() => callMeta('Ada')).toThrow(TypeError)
})
