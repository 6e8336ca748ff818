import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { type RequestOptions, request as secureRequest } from 'node:https'
import { join } from 'node:path'
import type { AuthDetail } from '@affidavit/evidence/record/header'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadGatewayConfig } from '../../packages/sensor/src/cli/gateway-config.ts'
import { tokenKinds } from '../../packages/sensor/src/identity/token-kind.ts'
import { findPort, type GatewayProcess, startGatewayProcess } from '../authorization/harness/gateway.ts'
import { findIn, type OpenedRecord, readHome } from '../authorization/harness/home.ts'
import { startProtectedServer } from '../authorization/harness/upstream.ts'
import { makeCertificate } from './harness/certificate.ts'
import { makeTemporaryFolder } from './harness/folder.ts'
import { issuer, keys } from './harness/issuers.ts'
import { githubClaims } from './harness/key-server.ts'
import { createProofKey } from './harness/proof.ts'
import { trustedIssuers } from './harness/trust.ts'
import { hostileCredentials } from './hostile.ts'

let gateway: GatewayProcess | undefined
afterEach(async () => {
  await gateway?.dispose()
  gateway = undefined
})

/** A gateway that watches; the server behind it admits what its own issuer made for it. */
async function startWatching(more: object = {}, identity?: object) {
  const port = await findPort()
  const audience = `http://127.0.0.1:${port}/mcp/crm`
  const server = await startProtectedServer({ issuer: issuer.issuer, resourceFor: () => audience })
  onTestFinished(() => server.close())
  const crm = { url: `http://127.0.0.1:${server.port}/mcp`, authorization: { mode: 'inline', audiences: [audience] } }
  const config = {
    listen: `127.0.0.1:${port}`,
    identity: identity ?? { issuers: trustedIssuers(issuer, keys) },
    upstreams: { crm },
    ...more,
  }
  const started = await startGatewayProcess(config, { CRM_CLIENT_SECRET: issuer.secret })
  gateway = started
  return { gateway: started, server, audience }
}

const body = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'lookup', arguments: { name: 'Ada' } },
})

async function call(
  url: string,
  headers: Record<string, string | string[]>,
  tls: RequestOptions = {},
): Promise<number> {
  const standard = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const send = url.startsWith('https:') ? secureRequest : plainRequest
  const outgoing = send(url, { method: 'POST', headers: { ...standard, ...headers }, ...tls })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response')
  incoming.resume()
  await once(incoming, 'end')
  return incoming.statusCode
}

const authOf = (records: readonly OpenedRecord[]): AuthDetail[] =>
  records.flatMap(({ header }) => (header.kind === 'auth' ? [header.detail] : []))
const callsOf = (records: readonly OpenedRecord[]) =>
  records.filter(({ header }) => header.kind === 'call' && 'stage' in header && header.stage === 'requested')

describe('mode inline with trust', () => {
  it('stops no call, and writes of each whose it is or why that is not known [ID-1] [ID-5] [ID-6]', async () => {
    const { gateway, server, audience } = await startWatching()
    const good = await issuer.mint(audience, { roles: ['reader'] })
    const expired = await issuer.mint(audience, { exp: Math.floor(Date.now() / 1000) - 120, jti: 'old' })
    const job = await keys.sign(
      'github',
      githubClaims(keys.issuerOf('github'), audience, Math.floor(Date.now() / 1000)),
    )
    const opaque = await issuer.grant(`${audience}?opaque`)
    const tokens = [good, good, expired, expired, job, opaque]
    const statuses: number[] = []
    for (const token of tokens) statuses.push(await call(audience, { authorization: `Bearer ${token}` }))
    statuses.push(await call(audience, {}))
    // The server judges for itself: it knows nothing of jobs and opaque tokens.
    expect(statuses).toEqual([200, 200, 401, 401, 401, 401, 401])
    expect(server.seen.filter((text) => tokens.some((token) => text.includes(`Bearer ${token}`)))).toHaveLength(6)
    await gateway.stop()

    const records = await readHome(gateway.home)
    const identities = callsOf(records).map(({ identity }) => identity)
    expect(identities[0]?.user).toMatchObject({ id: 'alice', assurance: 'verified', method: 'jwt' })
    expect(identities[0]?.role).toMatchObject({ id: 'reader', source: 'claim roles' })
    expect(identities[1]?.token).toEqual(identities[0]?.token)
    expect(identities[0]?.token).toMatchObject({
      fingerprint: createHash('sha256').update(good).digest('base64'),
      subject: 'alice',
      clientId: 'agent',
      tokenId: 'j-1',
      audience,
      expires: expect.any(String),
    })
    expect(identities[2]?.user).toMatchObject({
      id: 'alice',
      assurance: 'claimed',
      reason: 'token_expired: The token has expired',
    })
    expect(identities[4]?.delegation[0]).toMatchObject({ kind: 'job', assurance: 'verified' })
    expect(identities[5]?.token).toMatchObject({
      assurance: 'claimed',
      reason: expect.stringMatching(/^wrong_audience: /),
    })
    expect(authOf(records).map(({ event, mode, code }) => [event, mode, code])).toEqual([
      ['admitted', 'observe', undefined],
      ['refused', 'observe', 'token_expired'],
      ['admitted', 'observe', undefined],
      ['refused', 'observe', 'wrong_audience'],
    ])
    const secrets = [...tokens, issuer.secret, ...tokens.flatMap((token) => token.split('.').slice(1))]
    expect(await findIn(gateway.home, secrets)).toEqual([])
    expect(await findIn(gateway.home, ['lookup'])).toEqual(['lookup'])
    for (const secret of secrets) expect(gateway.said()).not.toContain(secret)
  })

  it('writes nothing of hostile credentials either, and all of them reach the server [ID-5] [ID-7]', async () => {
    const { gateway, server, audience } = await startWatching()
    const nowSeconds = Math.floor(Date.now() / 1000)
    const forge = { issuer, keys, proofKey: await createProofKey(), thief: await createProofKey(), nowSeconds }
    const secrets: string[] = []
    for (const { make } of hostileCredentials) {
      const { token, scheme = 'Bearer', proofs = [] } = await make(forge)
      await call(audience, {
        authorization: `${scheme} ${token}`,
        ...(proofs.length === 0 ? {} : { dpop: [...proofs] }),
      })
      secrets.push(...[token, ...proofs].filter((text) => text.length > 40))
    }
    await gateway.stop()
    expect(server.seen).toHaveLength(hostileCredentials.length)
    expect(callsOf(await readHome(gateway.home))).toHaveLength(hostileCredentials.length)
    expect(await findIn(gateway.home, secrets)).toEqual([])
  })

  it('checks proofs against the address that the client used, and certificates against the connection [ID-9]', async () => {
    const folder = makeTemporaryFolder()
    const [own, client, other] = ['gateway', 'client', 'other'].map((name) => makeCertificate(folder, name))
    if (own === undefined || client === undefined || other === undefined) throw new Error('no certificates')
    const { gateway, audience } = await startWatching({
      tls: { cert: own.certFile, key: own.keyFile, clientCertificates: 'request' },
    })
    const url = audience.replace('http:', 'https:')
    const proofKey = await createProofKey()
    const toKey = await issuer.mint(audience, { cnf: { jkt: proofKey.thumbprint }, jti: 'key' })
    const thumbprint = createHash('sha256').update(new X509Certificate(client.cert).raw).digest('base64url')
    const toCertificate = await issuer.mint(audience, { cnf: { 'x5t#S256': thumbprint }, jti: 'certificate' })
    const proof = await proofKey.prove({ token: toKey, url })
    const tls = { ca: own.cert }
    await call(url, { authorization: `DPoP ${toKey}`, dpop: proof }, tls)
    await call(url, { authorization: `DPoP ${toKey}`, dpop: proof }, tls)
    await call(
      url,
      { authorization: `DPoP ${toKey}`, dpop: await proofKey.prove({ token: toKey, url: audience }) },
      tls,
    )
    const bearer = { authorization: `Bearer ${toCertificate}` }
    await call(url, bearer, { ...tls, cert: client.cert, key: client.key })
    await call(url, bearer, { ...tls, cert: client.cert, key: client.key })
    await call(url, bearer, { ...tls, cert: other.cert, key: other.key })
    await call(url, bearer, tls)
    await gateway.stop()
    const told = callsOf(await readHome(gateway.home)).map(({ identity }) => {
      const token = identity?.token ?? { absent: 'no identity' }
      return 'absent' in token ? token.absent : (token.reason?.split(':')[0] ?? token.assurance)
    })
    expect(told).toEqual([
      'verified',
      'dpop_replayed',
      'dpop_wrong_url',
      'verified',
      'verified',
      'wrong_certificate',
      'certificate_missing',
    ])
  })

  it('takes over another trust at once [ID-11]', async () => {
    const { gateway, audience } = await startWatching(
      {},
      { issuers: [{ issuer: 'https://idp.example', audiences: ['a'] }] },
    )
    const token = await issuer.mint(audience)
    const config: object = JSON.parse(readFileSync(gateway.configPath, 'utf8'))
    await call(audience, { authorization: `Bearer ${token}` })
    writeFileSync(
      gateway.configPath,
      JSON.stringify({ ...config, identity: { issuers: [{ issuer: issuer.issuer, audiences: [audience] }] } }),
    )
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    await call(audience, { authorization: `Bearer ${token}` })
    await gateway.stop()
    const records = await readHome(gateway.home)
    expect(callsOf(records).map(({ identity }) => identity?.user)).toMatchObject([
      { assurance: 'claimed', reason: 'unknown_issuer: The token comes from another issuer' },
      { assurance: 'verified' },
    ])
    expect(records.filter(({ header }) => header.kind === 'change').at(-1)?.text).toContain('"changed":["identity"]')
  })

  it('takes over another directory of roles at once, and records that it changed [ID-2] [ID-11]', async () => {
    const directory = join(makeTemporaryFolder(), 'roles.yaml')
    writeFileSync(directory, 'subjects: { alice: reader }\n')
    const { gateway, audience } = await startWatching(
      {},
      { issuers: [{ issuer: issuer.issuer, audiences: ['a'], role: { directory } }] },
    )
    const authorization = `Bearer ${await issuer.mint(audience)}`
    await call(audience, { authorization })
    writeFileSync(directory, 'groups: alice\n')
    await vi.waitFor(() => expect(gateway.said()).toMatch(/not taken over, .*line 1: groups: expected/), {
      timeout: 5_000,
    })
    await call(audience, { authorization })
    writeFileSync(directory, 'subjects: { alice: auditor }\n')
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    await call(audience, { authorization })
    await gateway.stop()
    const records = await readHome(gateway.home)
    const source = `directory ${directory}`
    expect(callsOf(records).map(({ identity }) => identity?.role)).toMatchObject([
      { id: 'reader', source },
      { id: 'reader', source },
      { id: 'auditor', source },
    ])
    const changes = records.filter(({ header }) => header.kind === 'change')
    expect(changes.at(-1)?.text).toContain('"changed":["directories"]')
  })
})

describe('mode resource', () => {
  it('admits a token bound to a key with its proof, and the server sees neither [ID-9]', async () => {
    const port = await findPort()
    const resource = `http://127.0.0.1:${port}/mcp/crm`
    const target = 'https://crm.internal/mcp'
    const server = await startProtectedServer({ issuer: issuer.issuer, resourceFor: () => target })
    onTestFinished(() => server.close())
    const authorization = {
      mode: 'resource',
      resource,
      issuers: [{ issuer: issuer.issuer }],
      upstream: {
        grant: 'client-credentials',
        tokenEndpoint: `${issuer.issuer}/token`,
        resource: target,
        clientId: 'affidavit',
        clientSecret: { env: 'CRM_CLIENT_SECRET' },
      },
    }
    const crm = { url: `http://127.0.0.1:${server.port}/mcp`, authorization }
    gateway = await startGatewayProcess(
      { listen: `127.0.0.1:${port}`, upstreams: { crm } },
      { CRM_CLIENT_SECRET: issuer.secret },
    )
    const proofKey = await createProofKey()
    const token = await issuer.mint(resource, { cnf: { jkt: proofKey.thumbprint } })
    const dpop = await proofKey.prove({ token, url: resource })
    expect(await call(resource, { authorization: `Bearer ${token}` })).toBe(401)
    expect(await call(resource, { authorization: `DPoP ${token}`, dpop })).toBe(200)
    expect(await call(resource, { authorization: `DPoP ${token}`, dpop })).toBe(401)
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]?.toLowerCase()).not.toContain('dpop')
    expect(server.seen[0]).not.toContain(token)
  })
})

it('docs/IDENTITY.md holds a configuration that a gateway starts with [ID-11]', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/IDENTITY.md'), 'utf8')
  const [, block = ''] = /^```yaml\n(identity:[\s\S]*?)```/m.exec(page) ?? []
  const folder = makeTemporaryFolder()
  const secret = { IDP_CLIENT_SECRET: 'a-secret-of-this-test' }
  writeFileSync(join(folder, 'cluster-keys.json'), JSON.stringify({ keys: [issuer.key.publicJwk] }))
  writeFileSync(join(folder, 'affidavit.yaml'), block)
  vi.stubEnv('IDP_CLIENT_SECRET', secret.IDP_CLIENT_SECRET)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { config } = await loadGatewayConfig(join(folder, 'affidavit.yaml'))
  expect(config.identity?.issuers?.map(({ kind }) => kind)).toEqual([...tokenKinds])
  gateway = await startGatewayProcess({ ...config, listen: '127.0.0.1:0' }, secret)
  expect(gateway.url).toMatch(/^http/)
})
