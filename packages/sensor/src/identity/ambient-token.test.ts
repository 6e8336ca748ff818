import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { AuthEvent } from './admission.ts'
import { type AmbientToken, type AmbientTokenOptions, openAmbientToken } from './ambient-token.ts'
import type { Parentage } from './attest-parents.ts'
import { createDescribeBearer } from './bearer.ts'
import { createBearerJudge } from './bearer-judge.ts'
import type { Principals } from './principals.ts'
import { toStdioPrincipals } from './stdio-principals.ts'
import { supplyFromEnv, supplyFromFile, supplyFromGithub, type TokenSupply } from './token-supply.ts'
import type { IssuerRules } from './token-trust.ts'

const issuer = 'https://token.actions.githubusercontent.com'
const pair = await generateKeyPair('ES256', { extractable: true })
const publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256' }
const digest = (value: string) => `ca2a4fe7:${Buffer.from(value.slice(-32).padEnd(32)).toString('base64')}`
const by = { digest, redact: (text: string) => text }
const describeBearer = createDescribeBearer(by)

function mint(exp: number, claims: Record<string, unknown> = {}): Promise<string> {
  const about = { sub: 'repo:acme/crm:ref:refs/heads/main', iss: issuer, aud: 'affidavit', jti: 'j-1', iat: exp - 600 }
  return new SignJWT({ ...about, exp, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'JWT' })
    .sign(pair.privateKey)
}

const keys: IssuerRules['keys'] = {
  warm: () => undefined,
  async keyFor() {
    const { importJWK } = await import('jose')
    const key = await importJWK(publicKey, 'ES256')
    if (key instanceof Uint8Array) throw new Error('no public key')
    return key
  },
}

const rules: IssuerRules = {
  issuer, kind: 'oauth', keys, audiences: ['affidavit'], algorithms: ['ES256'], typ: 'any', skewMs: 0,
  role: { claim: ['roles'] }, claims: new Map(),
} // biome-ignore format: one set of rules
const judgeBearer = createBearerJudge({ issuers: new Map([[issuer, rules]]) }, by)
const judge: AmbientTokenOptions['judge'] = async (token, nowMs) => {
  const headers = [['authorization', `Bearer ${token}`]] as const
  const { principals, verified } = await judgeBearer({ method: '', target: '', headers, origins: () => [], nowMs })
  return { principals, expiresMs: verified.expiresMs }
}

interface Followed {
  token: AmbientToken
  events: AuthEvent[]
  said: string[]
}

function follow(supply: TokenSupply, how: Partial<AmbientTokenOptions> = {}): Followed {
  const events: AuthEvent[] = []
  const said: string[] = []
  const token = openAmbientToken({
    supply,
    describe: (text) => describeBearer(`Bearer ${text}`),
    onJudged: (event) => events.push(event),
    diagnose: (code, sentence) => said.push(`${code} ${sentence}`),
    ...how,
  })
  onTestFinished(() => token.close())
  return { token, events, said }
}

async function named({ token, events }: Followed, judgements = 0): Promise<Principals> {
  const isNamed = () => expect([token.current(Date.now()), events.length]).toEqual([expect.anything(), judgements])
  await vi.waitFor(isNamed, { timeout: 5_000 })
  const principals = token.current(Date.now())
  if (principals === undefined) throw new Error('nobody')
  return principals
}

const seconds = () => Math.floor(Date.now() / 1000)
const kernel = { assurance: 'attested', method: 'os-user', source: 'user table' } as const
const local = { user: { ...kernel, id: 'build' } }
const parentage: Parentage = {
  workload: { ...kernel, id: '/usr/bin/agent' },
  lineage: { processes: [], end: 'init' },
}

describe('a token of the environment', () => {
  it('names who is behind a connection: claimed where nobody is trusted [AT-6]', async () => {
    const followed = follow(supplyFromEnv('CI_TOKEN', { CI_TOKEN: await mint(seconds() + 600) }))
    const principals = await named(followed)
    expect(principals.user).toMatchObject({
      id: 'repo:acme/crm:ref:refs/heads/main',
      assurance: 'claimed',
      source: 'environment variable CI_TOKEN',
    })
    expect(followed.events).toEqual([])
    // What the kernel attests stays where it was; the claim stands in the chain.
    const stdio = toStdioPrincipals(local, { parentage, token: principals, own: undefined })
    expect(stdio.user).toEqual(local.user)
    expect(stdio.delegation).toMatchObject([{ id: 'repo:acme/crm:ref:refs/heads/main', assurance: 'claimed' }])
    expect(stdio.token).toMatchObject({ assurance: 'claimed', issuer })
  })

  it('is verified where a configured issuer signed it, and told once [AT-6]', async () => {
    const followed = follow(supplyFromEnv('CI_TOKEN', { CI_TOKEN: await mint(seconds() + 600) }), { judge })
    const principals = await named(followed, 1)
    expect(principals.token).toMatchObject({ assurance: 'verified', issuer, audience: 'affidavit' })
    const stdio = toStdioPrincipals(local, { parentage, token: principals, own: undefined })
    expect(stdio.user).toMatchObject({ id: 'repo:acme/crm:ref:refs/heads/main', assurance: 'verified' })
    expect(stdio.workload).toEqual(parentage.workload)
    expect(followed.events).toMatchObject([{ detail: { event: 'admitted', expires: expect.any(String) } }])
  })

  it.each([
    ['wrong_audience', { aud: 'somebody-else' }],
    ['unknown_issuer', { iss: 'https://evil.example' }],
    ['token_expired', { exp: 1_700_000_000 }],
  ])('that is not good is a claim, with the reason: %s [AT-6]', async (code, claims) => {
    const followed = follow(supplyFromEnv('CI_TOKEN', { CI_TOKEN: await mint(seconds() + 600, claims) }), { judge })
    const principals = await named(followed, 1)
    const reason = code === 'token_expired' ? /^token_expired/ : new RegExp(`^${code}: `)
    expect(principals.user).toMatchObject({ assurance: 'claimed', reason: expect.stringMatching(reason) })
    expect(followed.events).toMatchObject([{ detail: { event: 'refused', code } }])
  })

  it('that is opaque names nobody, and is known by its digest [AT-6]', async () => {
    const principals = await named(follow(supplyFromEnv('T', { T: 'opaque-text-that-is-long-enough' })))
    expect(principals.user).toHaveProperty('absent')
    expect(principals.token).toMatchObject({ assurance: 'claimed', digest: expect.any(String) })
  })

  it('that is not there is told without a value [AT-8]', async () => {
    const { said, token } = follow(supplyFromEnv('CI_TOKEN', {}))
    await vi.waitFor(() =>
      expect(said).toEqual([
        'AFD_TOKEN_UNREADABLE the token from environment variable CI_TOKEN cannot be had (not_set)',
      ]),
    )
    expect(token.current(Date.now())).toBeUndefined()
  })
})

describe('before it expires', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('a file is read again, and the new token is used [AT-7]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-token-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'token')
    const first = seconds() + 600
    writeFileSync(path, `${await mint(first, { jti: 'one' })}\n`)
    let asked = 0
    const supply = supplyFromFile(path)
    const counted: TokenSupply = {
      ...supply,
      read(signal) {
        asked++
        return supply.read(signal)
      },
    }
    const followed = follow(counted, { judge })
    await settle(() => followed.events.length === 1)
    writeFileSync(path, `${await mint(first + 600, { jti: 'two', iat: first - 600 })}\n`)
    await vi.advanceTimersByTimeAsync(500_000)
    await settle(() => asked === 1)
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(45_000)
    await settle(() => followed.events.length === 2)
    expect(asked).toBe(2)
    expect(followed.token.current(Date.now())?.token).toMatchObject({ assurance: 'verified' })
    // Nothing new comes: it is asked for in vain, and what is left when it has expired is a claim.
    rmSync(path)
    await vi.advanceTimersByTimeAsync(1_000_000)
    await settle(() => followed.said.length > 0)
    expect(followed.said).toEqual([`AFD_TOKEN_UNREADABLE the token from file ${path} cannot be had (ENOENT)`])
    expect(followed.token.current(Date.now())?.user).toMatchObject({
      assurance: 'claimed', reason: 'token_expired: it was not renewed',
    }) // biome-ignore format: one actor
  })
})

/** Files and signatures take real time, which the clock of these tests does not. */
async function settle(isDone: () => boolean): Promise<void> {
  const until = performance.now() + 10_000
  while (!isDone() && performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the token endpoint of GitHub Actions', () => {
  const requestToken = 'runner-request-token-0123456789abcdef'
  it('is asked for a token of the configured audience [AT-6] [AT-8]', async () => {
    const seen: (string | undefined)[] = []
    const jwt = await mint(seconds() + 600)
    const url = await serve((path, authorization) => {
      seen.push(path, authorization)
      return [200, JSON.stringify({ count: jwt.length, value: jwt })]
    })
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    }
    const principals = await named(follow(supplyFromGithub('https://affidavit.example', env, fetch), { judge }), 1)
    expect(seen).toEqual(['/token?api-version=2.0&audience=https%3A%2F%2Faffidavit.example', `bearer ${requestToken}`])
    expect(principals.token).toMatchObject({ assurance: 'verified', source: 'GitHub Actions token endpoint' })
    expect(JSON.stringify(principals)).not.toContain(requestToken)
  })

  it.each([
    ['no_permission', {}],
    [
      'insecure',
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://pipelines.example/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken },
    ],
    ['status_403', { path: '/refused' }],
    ['no_token', { path: '/empty' }],
    ['not_json', { path: '/page' }],
    ['redirect', { path: '/moved' }],
  ])('that gives none is told by a code: %s [AT-8]', async (code, env: Record<string, string>) => {
    const url = await serve((path) => {
      if (path?.startsWith('/refused') === true) return [403, '{"message":"no"}']
      if (path?.startsWith('/moved') === true) return [302, '']
      return [200, path?.startsWith('/page') === true ? '<html>' : '{"value":""}']
    })
    const { path, ...set } = env
    const asked =
      path === undefined
        ? set
        : { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}${path}`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken }
    const { said } = follow(supplyFromGithub('a', asked, fetch))
    await vi.waitFor(() =>
      expect(said).toEqual([
        `AFD_TOKEN_UNREADABLE the token from GitHub Actions token endpoint cannot be had (${code})`,
      ]),
    )
  })
})

async function serve(
  answer: (path: string | undefined, authorization: string | undefined) => [number, string],
): Promise<string> {
  const server = createServer(({ url, headers }, response) => {
    const [status, text] = answer(url, headers.authorization)
    response.writeHead(status, status === 302 ? { location: 'https://elsewhere.example' } : {}).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
