import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { collect, runCommand } from '../tamper/build-home.ts'
import { findPort, startGatewayProcess } from './harness/gateway.ts'
import { type Issuer, startIssuer } from './harness/issuer.ts'
import { startProtectedServer } from './harness/upstream.ts'

const upstreamResource = 'https://crm.internal/mcp'
let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

interface Life {
  credential: string
  calls: number
  sessions: number
  expires: string | null
  token: object | null
  judgements: { event: string; code?: string; times: number; upstream?: string; leaf: number }[]
  uses: { server: string; name?: string; calls: number; notSuccessful: number }[]
  warnings: string[]
}

function ask(home: string, ...argv: string[]): Life[] {
  const { code, stdout, stderr } = runCommand(['credential', '--json', '--home', home, ...argv])
  if (code !== 0) throw new Error(`credential ended with ${code}: ${stderr}`)
  return stdout.split('\n').flatMap((line): Life[] => (line === '' ? [] : [JSON.parse(line)]))
}

async function call(url: string, token: string): Promise<number> {
  const params = { name: 'lookup', arguments: { name: 'Ada' } }
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  })
  await response.text()
  return response.status
}

it('one credential is followed from its first judgement to its refusal [CR-1] [CR-2]', async () => {
  const server = await startProtectedServer({ issuer: issuer.issuer, resourceFor: () => upstreamResource })
  onTestFinished(() => server.close())
  const port = await findPort()
  const resource = `http://127.0.0.1:${port}/mcp/crm`
  const authorization = {
    mode: 'resource',
    resource,
    issuers: [{ issuer: issuer.issuer }],
    clockSkewSeconds: 0,
    upstream: {
      grant: 'token-exchange',
      tokenEndpoint: `${issuer.issuer}/token`,
      audience: upstreamResource,
      clientId: 'affidavit',
      clientSecret: { env: 'CRM_CLIENT_SECRET' },
    },
  }
  // What it was exchanged for comes by here again, on its way to the server.
  const crm = { url: `http://127.0.0.1:${port}/mcp/inner`, authorization }
  const inner = { url: `http://127.0.0.1:${server.port}/mcp`, authorization: { mode: 'inline' } }
  const identity = { issuers: [{ issuer: issuer.issuer, audiences: [upstreamResource], typ: 'any' }] }
  const gateway = await startGatewayProcess(
    { listen: `127.0.0.1:${port}`, upstreams: { crm, inner }, identity },
    { CRM_CLIENT_SECRET: issuer.secret },
  )
  onTestFinished(() => gateway.dispose())

  const endsAt = Math.floor(Date.now() / 1000) + 4
  const short = await issuer.mint(resource, { jti: 'short', exp: endsAt })
  const long = await issuer.mint(resource, { jti: 'long' })
  const before = [await call(resource, short), await call(resource, short), await call(resource, long)]
  await new Promise((resolve) => setTimeout(resolve, endsAt * 1000 + 100 - Date.now()))
  const after = await call(resource, short)
  expect({ before, after }).toEqual({ before: [200, 200, 200], after: 401 })
  await gateway.stop()
  collect(gateway.home)

  expect(ask(gateway.home).map(({ calls }) => calls)).toEqual(expect.arrayContaining([1, 2]))
  const sha256 = hash('sha256', short)
  const [life] = ask(gateway.home, sha256)
  expect(life).toMatchObject({
    credential: expect.stringMatching(/^c_[0-9a-f]{16}$/),
    calls: 2,
    expires: new Date(endsAt * 1000).toISOString(),
    token: { issuer: issuer.issuer, assurance: 'verified', tokenId: 'short', audience: resource },
    uses: [{ server: 'crm', calls: 2, notSuccessful: 0 }],
    warnings: [],
  })
  expect(life?.judgements).toMatchObject([
    { event: 'admitted', times: 1 },
    {
      event: 'exchanged',
      grant: 'token-exchange',
      upstreamExpires: expect.any(String),
      upstream: expect.stringMatching(/^c_/),
    },
    { event: 'refused', code: 'token_expired', times: 1 },
  ])
  const [upstream] = ask(gateway.home, life?.judgements[1]?.upstream ?? '')
  expect(upstream).toMatchObject({
    exchangedFrom: [life?.credential],
    token: { assurance: 'verified', audience: upstreamResource },
    uses: [{ server: 'inner' }],
  })
  expect(runCommand(['credential', hash('sha256', 'of another token'), '--home', gateway.home])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no credential with this SHA-256'),
  })
  expect(runCommand(['credential', 'no-id-at-all', '--home', gateway.home])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/neither a reference .* nor a SHA-256.*AFD_USAGE/),
  })
  const of = (id: string) => ask(gateway.home, id).map(({ credential }) => credential)
  expect(of(`leaf:${life?.judgements[2]?.leaf}`)).toEqual([life?.credential])
  const query = runCommand(['query', '--json', '--home', gateway.home, '--credential', life?.credential ?? ''])
  expect(query.stdout.trim().split('\n')).toHaveLength(2)

  const text = runCommand(['credential', life?.credential ?? '', '--home', gateway.home])
  expect(text.stdout).toContain('alice (verified, jwt)')
  expect(text.stdout).toMatch(/^refused +token_expired, at crm, .*leaf:\d+$/m)
  expect(text.stdout).not.toContain(short.slice(0, 20))
  expect(runCommand(['credential', 'c_0000000000000000', '--home', gateway.home])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('AFD_NOT_FOUND'),
  })
  expect(runCommand(['verify', '--home', gateway.home]).stdout).toMatch(/^integrity +SIGNED/m)
})
