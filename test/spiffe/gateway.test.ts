import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type GatewayProcess, startGatewayProcess } from '../authorization/harness/gateway.ts'
import { findIn, readHome } from '../authorization/harness/home.ts'
import { startIssuer } from '../authorization/harness/issuer.ts'
import { runCli } from '../gateway/harness/cli.ts'
import {
  type Authority,
  bundleOf,
  type Certified,
  certify,
  issue,
  makeAuthority,
  mintJwtSvid,
  pemOf,
} from './harness/authority.ts'

const id = 'spiffe://example.org/ns/prod/sa/agent'
const audience = 'https://gateway.example/mcp'
let folder: string
let home: Authority
let partner: Authority
let upstream: { url: string; seen: string[] }
let gateway: GatewayProcess | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-spiffe-'))
  home = await makeAuthority('example.org')
  partner = await makeAuthority('partner.test')
  upstream = await startUpstream()
})
afterEach(async () => {
  await gateway?.dispose()
  gateway = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function startUpstream() {
  const seen: string[] = []
  const server = createServer((incoming, response) => {
    let body = ''
    incoming.on('data', (chunk) => {
      body += chunk
    })
    incoming.on('end', () => {
      seen.push(`${incoming.headers.authorization ?? ''} ${body}`)
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen }
}

async function configure(clientCertificates?: string): Promise<object> {
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const server = await pemOf([await certify({ subject: 'CN=localhost' })])
  return {
    listen: '127.0.0.1:0',
    tls: {
      cert: write('tls.pem', server.cert),
      key: write('tls.key', server.key),
      ...(clientCertificates && { clientCertificates }),
    },
    identity: {
      spiffe: {
        trustDomains: {
          'example.org': { bundle: write('example.json', JSON.stringify(await bundleOf(home))) },
          'partner.test': { bundle: write('partner.json', JSON.stringify(await bundleOf(partner))) },
        },
        audiences: [audience],
        roles: { 'spiffe://example.org/ns/prod/*': 'deployer', 'spiffe://example.org/caller': 'reader' },
      },
    },
    upstreams: { crm: { url: upstream.url } },
  }
}

async function start(clientCertificates?: string): Promise<string> {
  gateway = await startGatewayProcess(await configure(clientCertificates))
  return `${gateway.url}/mcp/crm`
}

/** One connection that stays, with what it shows. */
async function connect(chain: readonly Certified[]) {
  const shown = chain.length === 0 ? {} : await pemOf(chain)
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ...shown })
  onTestFinished(() => agent.destroy())
  return agent
}

async function call(url: string, agent: Agent, headers: Record<string, string> = {}) {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'lookup', arguments: {} },
  })
  const outgoing = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return { status: incoming.statusCode as number, body: Buffer.concat(chunks).toString() }
}

async function stopAndRead() {
  await gateway?.stop()
  const records = await readHome(gateway?.home ?? '')
  const isRequested = (header: (typeof records)[number]['header']) => 'stage' in header && header.stage === 'requested'
  return {
    calls: records
      .filter(({ header }) => header.kind === 'call' && isRequested(header))
      .map(({ identity }) => identity),
    auth: records.flatMap(({ header, identity }) =>
      header.kind === 'auth' ? [{ ...header.detail, workload: identity?.workload }] : [],
    ),
  }
}

const verified = { assurance: 'verified', method: 'x509-svid', source: 'tls.client-certificate', kind: 'workload' }

it('an X.509-SVID below an intermediate names the workload of every call of its connection, judged once [SV-5] [SV-16]', async () => {
  const url = await start()
  const middle = await certify({ subject: 'CN=middle', ca: true, usage: ['keyCertSign'] }, home)
  const agent = await connect([await issue(middle, id), middle])
  for (let i = 0; i < 3; i++) expect((await call(url, agent)).status).toBe(200)
  // Another connection, whose handshake a ticket could have spared.
  agent.destroy()
  expect((await call(url, agent)).status).toBe(200)
  await call(url, await connect([await issue(partner, 'spiffe://partner.test/bot')]))
  const { calls, auth } = await stopAndRead()
  const expected = { ...verified, id, issuer: 'example.org' }
  expect(calls.map((identity) => identity?.workload)).toEqual([
    ...Array(4).fill(expect.objectContaining(expected)),
    expect.objectContaining({ ...verified, id: 'spiffe://partner.test/bot', issuer: 'partner.test' }),
  ])
  const [first] = calls
  expect(first?.workload).toMatchObject({
    attributes: [
      { name: 'certificate_sha256', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { name: 'serial', value: expect.any(String) },
      { name: 'expires', value: expect.stringMatching(/Z$/) },
    ],
  })
  // The certificate is the credential of its calls, and roles are given by SPIFFE ID.
  expect(first).toMatchObject({
    role: { id: 'deployer', assurance: 'verified', method: 'configuration', source: 'configuration' },
    token: {
      ...{
        assurance: 'verified',
        method: 'x509-svid',
        issuer: 'example.org',
        subject: id,
        expires: expect.any(String),
      },
      fingerprint: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
    },
  })
  expect(calls[4]?.role).toEqual({ absent: 'the configuration gives no role to this subject' })
  expect(auth.map(({ event }) => event)).toEqual(['admitted', 'admitted'])
  expect(auth[0]).toMatchObject({ workload: expected, expires: expect.any(String), fingerprint: expect.any(String) })
  expect(auth[0]?.workload).not.toHaveProperty('reason')
})

it('a bad one is a claim with its reason, told once; one of another kind a claim; none is nothing [SV-5]', async () => {
  const url = await start()
  const forged = await connect([await issue(partner, id)])
  for (let i = 0; i < 3; i++) expect((await call(url, forged)).status).toBe(200)
  await call(url, await connect([await certify({ subject: 'O=Acme, CN=laptop 7', usage: ['digitalSignature'] })]))
  await call(url, await connect([]))
  const { calls, auth } = await stopAndRead()
  const reason = 'No authority of the trust domain signed the certificate (untrusted_signer)'
  expect(calls[0]).toMatchObject({ token: { assurance: 'claimed', method: 'x509-svid', reason } })
  expect(calls[0]?.role).toHaveProperty('absent')
  expect(calls.map((identity) => identity?.workload)).toEqual([
    ...Array(3).fill(expect.objectContaining({ id, assurance: 'claimed', method: 'x509-svid', reason })),
    expect.objectContaining({
      id: 'O=Acme, CN=laptop 7',
      assurance: 'claimed',
      method: 'x509',
      reason: 'The certificate has no SPIFFE ID (spiffe_id_missing)',
    }),
    { absent: 'the request has no Authorization header' },
  ])
  expect(auth).toEqual([
    expect.objectContaining({
      event: 'refused',
      code: 'untrusted_signer',
      workload: expect.objectContaining({ id, assurance: 'claimed' }),
    }),
  ])
})

it('required: nothing of a connection without a good one goes on, and every refusal is told or counted [SV-9]', async () => {
  const url = await start('required')
  const [none, plain, forged, good] = [
    await connect([]),
    await connect([await certify({ usage: ['digitalSignature'] })]),
    await connect([await issue(partner, id)]),
    await connect([await issue(home, id)]),
  ]
  const codeOf = async (agent: Agent) => {
    const { status, body } = await call(url, agent)
    return [status, JSON.parse(body).error?.code]
  }
  expect(await codeOf(none)).toEqual([403, 'certificate_missing'])
  expect(await codeOf(plain)).toEqual([403, 'spiffe_id_missing'])
  for (let i = 0; i < 30; i++) expect(await codeOf(forged)).toEqual([403, 'untrusted_signer'])
  expect(upstream.seen).toEqual([])
  expect(await codeOf(good)).toEqual([200, undefined])
  const { calls, auth } = await stopAndRead()
  expect(calls).toHaveLength(1)
  const count = (code: string) => auth.reduce((sum, each) => sum + (each.code === code ? (each.count ?? 1) : 0), 0)
  expect([count('certificate_missing'), count('spiffe_id_missing'), count('untrusted_signer')]).toEqual([1, 1, 30])
  expect(auth.length).toBeLessThan(20)
})

it('a JWT-SVID names the workload; beside another certificate its bearer asks on its behalf [SV-8] [SV-15]', async () => {
  const url = await start()
  const caller = 'spiffe://example.org/caller'
  const token = await mintJwtSvid(home, caller, audience, { claims: { jti: 'j-1' } })
  const headers = { authorization: `Bearer ${token}` }
  await call(url, await connect([]), headers)
  await call(url, await connect([await issue(home, id)]), headers)
  await call(url, await connect([await issue(home, caller)]), headers)
  const wrong = await mintJwtSvid(home, caller, 'https://elsewhere.test')
  await call(url, await connect([]), { authorization: `Bearer ${wrong}` })
  // Inline, whatever came goes on untouched.
  expect(upstream.seen.map((text) => text.split(' ')[1])).toEqual([token, token, token, wrong])
  const { calls, auth } = await stopAndRead()
  const byToken = {
    id: caller,
    assurance: 'verified',
    method: 'jwt-svid',
    source: 'http.authorization',
    issuer: 'example.org',
  }
  const [alone, behind, same, refused] = calls
  expect(alone).toMatchObject({
    workload: byToken,
    user: { absent: 'a JWT-SVID names a workload and no user' },
    token: {
      assurance: 'verified',
      issuer: 'example.org',
      subject: caller,
      audience,
      tokenId: 'j-1',
      expires: expect.any(String),
    },
    delegation: [],
  })
  expect(behind).toMatchObject({
    workload: { ...verified, id },
    delegation: [byToken],
    token: { assurance: 'verified', method: 'jwt-svid' },
    role: { id: 'reader', source: 'configuration' },
  })
  expect(same).toMatchObject({ workload: { ...verified, id: caller }, delegation: [] })
  expect(refused).toMatchObject({
    workload: { id: caller, assurance: 'claimed', reason: 'The token is for somebody else (wrong_audience)' },
    token: { assurance: 'claimed' },
  })
  expect(auth.map(({ event, code }) => code ?? event)).toEqual(['admitted', 'admitted', 'admitted', 'wrong_audience'])
  expect(await findIn(gateway?.home ?? '', [token, wrong, ...token.split('.').slice(1)])).toEqual([])
})

it('beside issuers of tokens each credential is judged by its own kind, and told once [SV-8] [ID-1]', async () => {
  const issuer = await startIssuer()
  onTestFinished(() => issuer.stop())
  const config = await configure()
  const { identity } = z.object({ identity: z.object({ spiffe: z.unknown() }) }).parse(config)
  const issuers = [{ issuer: issuer.issuer, audiences: [audience], role: { claim: 'roles' } }]
  gateway = await startGatewayProcess({ ...config, identity: { ...identity, issuers } })
  const url = `${gateway.url}/mcp/crm`
  const svid = await mintJwtSvid(home, 'spiffe://example.org/caller', audience)
  const wrong = await mintJwtSvid(home, 'spiffe://example.org/caller', 'https://elsewhere.test')
  const access = await issuer.mint(audience, { roles: ['reader'] })
  const agent = await connect([await issue(home, id)])
  for (const token of [svid, svid, access, wrong, wrong]) await call(url, agent, { authorization: `Bearer ${token}` })
  const { calls, auth } = await stopAndRead()
  expect(calls[0]).toMatchObject({
    workload: { ...verified, id },
    delegation: [{ id: 'spiffe://example.org/caller', assurance: 'verified' }],
    token: { method: 'jwt-svid', fingerprint: createHash('sha256').update(svid).digest('base64') },
  })
  expect(calls[2]).toMatchObject({
    workload: { ...verified, id },
    user: { id: 'alice', assurance: 'verified' },
    role: { id: 'reader', source: 'claim roles' },
    token: { clientId: 'agent', assurance: 'verified' },
  })
  expect(calls[3]?.token).toMatchObject({ assurance: 'claimed' })
  expect(auth.map(({ event, mode, code }) => [code ?? event, mode])).toEqual([
    ['admitted', 'observe'],
    ['admitted', 'observe'],
    ['admitted', 'observe'],
    ['wrong_audience', 'observe'],
  ])
})

it('an authority that leaves the bundle stops counting on connections that are open [SV-10] [SV-5]', async () => {
  const url = await start('required')
  const agent = await connect([await issue(home, id)])
  expect((await call(url, agent)).status).toBe(200)
  const next = await makeAuthority('example.org')
  writeFileSync(join(folder, 'example.json'), JSON.stringify(await bundleOf(next, { sequence: 2 })))
  await expect.poll(async () => (await call(url, agent)).status, { timeout: 5000 }).toBe(403)
  expect((await call(url, await connect([await issue(next, id)]))).status).toBe(200)
})

it.each([
  ['a bundle that is none', { identity: { spiffe: { trustDomains: { 'example.org': { bundle: 'bad.json' } } } } }, /identity\.spiffe\.trustDomains\.example\.org\.bundle: \S+bad\.json cannot be used \(not_json\)/],
  ['a file that is not there', { identity: { spiffe: { trustDomains: { 'example.org': { bundle: 'none.json' } } } } }, /bundle: \S+none\.json cannot be used \(ENOENT\)/],
  ['an ID for a trust domain', { identity: { spiffe: { trustDomains: { 'spiffe://example.org': { bundle: 'x' } } } } }, /expected a trust domain, such as example\.org/],
  ['a bundle over the open network', { identity: { spiffe: { trustDomains: { 'example.org': { bundle: 'http://example.org/b' } } } } }, /expected a file, or an https URL/],
  ['nobody to judge by', { identity: undefined, tls: { clientCertificates: 'required' } }, /tls\.clientCertificates: nobody could pass/],
])('%s is told with file, line and key [SV-11]', async (_, change, told) => {
  const config = (await configure()) as { tls: object }
  writeFileSync(join(folder, 'bad.json'), 'no bundle')
  const path = join(folder, 'affidavit.yaml')
  const { tls } = change as { tls?: object }
  writeFileSync(path, JSON.stringify({ ...config, ...change, tls: { ...config.tls, ...tls } }, undefined, 1))
  const { code, err } = await runCli(['gateway', '--config', path, '--check'])
  expect(code).toBe(2)
  expect(err).toMatch(told)
  expect(err).toMatch(/affidavit\.yaml, line [1-9]\d*: .*\[AFD_CONFIG_INVALID\]/s)
}) // biome-ignore format: one row, one case
