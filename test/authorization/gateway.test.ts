import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import type { AuthDetail } from '@affidavit/evidence/record/header'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { collect, runCommand } from '../tamper/build-home.ts'
import { connectAgent } from './harness/agent.ts'
import { findPort, type GatewayProcess, startGatewayProcess } from './harness/gateway.ts'
import { findIn, type OpenedRecord, readHome } from './harness/home.ts'
import { type Issuer, startIssuer } from './harness/issuer.ts'
import { type ProtectedServer, type ProtectedServerOptions, startProtectedServer } from './harness/upstream.ts'
import { createForge, hostileTokens } from './tokens.ts'

const upstreamResource = 'https://crm.internal/mcp'
let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

let gateway: GatewayProcess | undefined
afterEach(async () => {
  await gateway?.dispose()
  gateway = undefined
})

async function startServer(options: Partial<ProtectedServerOptions> = {}): Promise<ProtectedServer> {
  const server = await startProtectedServer({
    issuer: issuer.issuer,
    resourceFor: () => upstreamResource,
    ...options,
  })
  onTestFinished(() => server.close())
  return server
}

/** A gateway in mode resource before the server. */
async function startGuarded(server: ProtectedServer, upstream: object = {}) {
  const port = await findPort()
  const resource = `http://127.0.0.1:${port}/mcp/crm`
  const authorization = {
    mode: 'resource',
    resource,
    issuers: [{ issuer: issuer.issuer }],
    scopes: ['crm.read'],
    upstream: {
      grant: 'token-exchange',
      tokenEndpoint: `${issuer.issuer}/token`,
      audience: upstreamResource,
      clientId: 'affidavit',
      clientSecret: { env: 'CRM_CLIENT_SECRET' },
      ...upstream,
    },
  }
  const crm = { url: `http://127.0.0.1:${server.port}/mcp`, authorization }
  const config = { listen: `127.0.0.1:${port}`, upstreams: { crm } }
  const started = await startGatewayProcess(config, { CRM_CLIENT_SECRET: issuer.secret })
  gateway = started
  return { gateway: started, resource, config }
}

const authOf = (records: readonly OpenedRecord[]): AuthDetail[] =>
  records.flatMap(({ header }) => (header.kind === 'auth' ? [header.detail] : []))

/** The first `requested` record of a tool call. */
const callOf = (records: readonly OpenedRecord[]) =>
  records.find(({ header }) => header.kind === 'call' && 'stage' in header && header.stage === 'requested')

describe('mode resource', () => {
  it('the official client is led to the issuer and back, and the upstream gets a token of its own [AU-15] [AU-9] [AU-12] [AU-13]', async () => {
    const server = await startServer()
    const { gateway, resource } = await startGuarded(server)
    const agent = await connectAgent(resource)
    expect(await agent.client.callTool({ name: 'lookup', arguments: { name: 'Ada' } })).toMatchObject({
      content: [{ type: 'text', text: 'found Ada' }],
    })
    await agent.close()
    await gateway.stop()

    const [token = ''] = agent.tokens
    expect(decodeJwt(token)).toMatchObject({ aud: resource, sub: 'alice' })
    expect(server.admitted.length).toBeGreaterThan(1)
    for (const claims of server.admitted)
      expect(claims).toMatchObject({ aud: upstreamResource, sub: 'alice', act: { sub: 'affidavit' } })
    // The client's token never got there, in no header and in no URL.
    expect(server.seen.filter((text) => text.includes(token))).toEqual([])

    const records = await readHome(gateway.home)
    const events = authOf(records)
    expect(events.map(({ event, code }) => code ?? event)).toEqual(['token_missing', 'admitted', 'exchanged'])
    expect(events[2]).toMatchObject({ grant: 'token-exchange', upstreamExpires: expect.any(String) })
    expect(events[2]?.upstreamFingerprint).not.toBe(events[2]?.fingerprint)
    const identity = callOf(records)?.identity
    expect(identity?.user).toMatchObject({ id: 'alice', assurance: 'verified', method: 'jwt', issuer: issuer.issuer })
    expect(identity?.token).toMatchObject({ digest: events[1]?.fingerprint, audience: resource, assurance: 'verified' })

    const upstreamTokens = server.seen.flatMap((text) => /^Bearer (.+)$/im.exec(text)?.[1] ?? [])
    expect(upstreamTokens.length).toBeGreaterThan(0)
    const secrets = [token, ...upstreamTokens, issuer.secret]
    expect(
      await findIn(gateway.home, [...secrets, ...secrets.flatMap((secret) => secret.split('.').slice(1))]),
    ).toEqual([])
    // What does stand there is found.
    expect(await findIn(gateway.home, ['lookup'])).toEqual(['lookup'])
    for (const secret of secrets) expect(gateway.said()).not.toContain(secret)

    // The same home once everything is in the log.
    collect(gateway.home)
    expect(runCommand(['verify', '--home', gateway.home]).stdout).toMatch(/^integrity +SIGNED/m)
    expect(await findIn(gateway.home, secrets)).toEqual([])
  })

  it('hostile tokens get no further than the gateway, each with its code, and each in a record [AU-5] [AU-6] [AU-12] [AU-13]', async () => {
    const server = await startServer()
    const { gateway, resource } = await startGuarded(server)
    const forge = await createForge(issuer, resource)
    const codes: string[] = []
    const sent: string[] = []
    for (const { make, code } of hostileTokens) {
      const token = await make(forge)
      // What no HTTP client sends is refused by Node's parser, or by its writer.
      if (!/^[\x21-\x7e]+$/.test(token)) continue
      const { status, body } = await ask(resource, { authorization: `Bearer ${token}` })
      expect({ code, told: JSON.parse(body).error.code, status }).toEqual({
        code,
        told: code,
        status: code === 'scope_missing' ? 403 : 401,
      })
      codes.push(code)
      sent.push(token)
    }
    for (let i = 0; i < 40; i++) expect((await ask(resource)).status).toBe(401)
    await gateway.stop()
    expect(server.seen).toEqual([])
    const refused = authOf(await readHome(gateway.home))
    const count = (code: string) => refused.reduce((sum, each) => sum + (each.code === code ? (each.count ?? 1) : 0), 0)
    for (const code of new Set(codes))
      expect({ code, count: count(code) }).toEqual({ code, count: codes.filter((each) => each === code).length })
    expect(count('token_missing')).toBe(40)
    expect(refused.filter(({ code }) => code === 'token_missing').length).toBeLessThan(20)
    expect(
      await findIn(
        gateway.home,
        sent.filter((token) => token.length > 40),
      ),
    ).toEqual([])
  })

  it('publishes its metadata, and asks for a token on every other path of the upstream [AU-4]', async () => {
    const server = await startServer()
    const { resource } = await startGuarded(server)
    const { origin } = new URL(resource)
    const metadata = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp/crm`)
    expect(await metadata.json()).toEqual({
      resource,
      authorization_servers: [issuer.issuer],
      scopes_supported: ['crm.read'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']),
    })
    for (const path of ['/mcp/crm', '/mcp/crm/below', '/.well-known/openid-configuration/mcp/crm']) {
      const response = await fetch(origin + path)
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toContain(
        `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp/crm"`,
      )
    }
    expect(server.seen).toEqual([])
  })

  it('an upstream that refuses our token is a bad gateway: the client could do nothing about it, and the next call has another [AU-10] [AU-11]', async () => {
    let refuses = true
    const server = await startServer({ refuses: () => refuses })
    const { resource } = await startGuarded(server)
    const authorization = `Bearer ${await issuer.mint(resource)}`
    const refused = await ask(resource, { authorization })
    expect(refused.status).toBe(502)
    expect(refused.rawHeaders.join('\n').toLowerCase()).not.toContain('www-authenticate')
    refuses = false
    expect((await ask(resource, { authorization })).status).toBe(200)
    const [first, second] = server.seen.map((text) => /^Bearer .+$/im.exec(text)?.[0])
    expect(second).not.toBe(first)
  })

  it('goes on with the keys it has while the issuer is down, and takes a new configuration at once [AU-8] [AU-14]', async () => {
    const server = await startServer()
    const { gateway, resource, config } = await startGuarded(server)
    const token = await issuer.mint(resource)
    expect((await ask(resource, { authorization: `Bearer ${token}` })).status).toBe(200)
    await issuer.stop()
    onTestFinished(() => issuer.start())
    const [known, other] = [
      await ask(resource, { authorization: `Bearer ${token}` }),
      await issuer.mint(resource, { sub: 'bob' }),
    ]
    expect(known.status).toBe(200)
    const unknown = await ask(resource, { authorization: `Bearer ${other}` })
    expect(JSON.parse(unknown.body).error.code).toBe('exchange_unavailable')
    expect(unknown.rawHeaders).toContain('retry-after')

    const { crm } = config.upstreams
    const scoped = { ...crm, authorization: { ...crm.authorization, scopes: ['crm.write'] } }
    writeFileSync(gateway.configPath, JSON.stringify({ ...config, upstreams: { crm: scoped } }))
    await expect
      .poll(async () => (await ask(resource)).rawHeaders.join(), { timeout: 10_000 })
      .toContain('scope="crm.write"')
  })

  it('does not start without its secret, and says which one [AU-14]', async () => {
    const server = await startServer()
    const starting = startGuarded(server, { clientSecret: { env: 'NOBODY_SET_THIS' } })
    await expect(starting).rejects.toThrow(/NOBODY_SET_THIS is not set.*\[AFD_SECRET_UNREADABLE\]/)
  })
})

describe('mode inline', () => {
  /** The gateway takes over the name under which clients know the server. */
  async function startInline(options: Partial<ProtectedServerOptions> = {}) {
    const server = await startServer({ resourceFor: (host) => `http://${host}/mcp`, ...options })
    const port = await findPort()
    const crm = { url: `http://127.0.0.1:${server.port}/mcp`, hosts: ['localhost'] }
    gateway = await startGatewayProcess({ listen: `127.0.0.1:${port}`, upstreams: { crm } })
    return {
      server,
      gateway,
      host: `localhost:${port}`,
      direct: `http://127.0.0.1:${server.port}/mcp`,
      through: `http://127.0.0.1:${port}/mcp`,
    }
  }

  it.each([
    [401, {}],
    [403, { scope: 'crm.none' }],
  ])('a challenge by %i reaches the client byte for byte [AU-2]', async (status, claims) => {
    const { host, direct, through, server } = await startInline()
    const token = await issuer.mint(`http://${host}/mcp`, claims)
    const headers: Record<string, string> = { host, ...(status === 403 ? { authorization: `Bearer ${token}` } : {}) }
    const [plain, relayed] = [await ask(direct, headers), await ask(through, headers)]
    expect(plain.status).toBe(status)
    const { rawHeaders, ...rest } = relayed
    expect(rest).toEqual({ status: plain.status, message: plain.message, body: plain.body })
    // Connection speaks to the next hop alone (RFC 9110 §7.6.1).
    expect(withoutHop(rawHeaders)).toEqual(withoutHop(plain.rawHeaders))
    expect(server.seen[1]?.split('\n').filter((line) => line.startsWith('Bearer'))).toEqual(
      server.seen[0]?.split('\n').filter((line) => line.startsWith('Bearer')),
    )
  })

  it('the official client completes its flow against the upstream’s issuer, with its own token all the way [AU-2] [AU-1] [AU-13]', async () => {
    const { host, server, gateway } = await startInline()
    const agent = await connectAgent(`http://${host}/mcp`)
    expect(await agent.client.callTool({ name: 'lookup', arguments: { name: 'Ada' } })).toMatchObject({
      content: [{ type: 'text', text: 'found Ada' }],
    })
    await agent.close()
    await gateway.stop()
    const [token = ''] = agent.tokens
    expect(decodeJwt(token)).toMatchObject({ aud: `http://${host}/mcp` })
    expect(server.seen.some((text) => text.includes(`Bearer ${token}`))).toBe(true)

    const records = await readHome(gateway.home)
    expect(authOf(records)).toEqual([])
    const identity = callOf(records)?.identity
    expect(identity?.user).toMatchObject({
      id: 'alice',
      assurance: 'claimed',
      method: 'bearer',
      reason: 'nobody verified it here',
    })
    expect(identity?.token).toMatchObject({ assurance: 'claimed', source: 'http.authorization', issuer: issuer.issuer })
    expect(await findIn(gateway.home, [token, ...token.split('.').slice(1)])).toEqual([])
  })
})

interface Reply {
  status: number
  message: string
  rawHeaders: string[]
  body: string
}

/** One call of a tool by Node's own client, whose answer can be compared byte by byte. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<Reply> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'lookup', arguments: { name: 'Ada' } },
  })
  const standard = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const outgoing = request(url, { method: 'POST', headers: { ...standard, ...headers } })
  outgoing.end(body)
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
  if (incoming === undefined) throw new Error('no answer')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
  const { statusCode = 0, statusMessage = '', rawHeaders } = incoming
  return { status: statusCode, message: statusMessage, rawHeaders, body: Buffer.concat(chunks).toString('latin1') }
}

const withoutHop = (raw: readonly string[]) =>
  raw.filter((_, i) => !/^(connection|keep-alive)$/i.test(raw[i - (i % 2)] ?? ''))
