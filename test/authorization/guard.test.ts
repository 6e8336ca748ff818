import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, asked, createGuard, digest, resource, verdictOf } from './harness/guard.ts'
import { type Issuer, startIssuer } from './harness/issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const metadataUrl = 'https://gateway.example/.well-known/oauth-protected-resource/mcp/crm'
const start = (block: object = {}) => createGuard(issuer, { block }).guard

describe('a protected resource', () => {
  it('describes itself at the place that RFC 9728 names [AU-4]', () => {
    const guard = start()
    expect(guard.metadataPath).toBe('/.well-known/oauth-protected-resource/mcp/crm')
    expect(guard.metadata()).toEqual({
      resource,
      authorization_servers: [issuer.issuer],
      scopes_supported: ['crm.read'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']),
    })
    expect(start({ resource: 'https://crm.example' }).metadataPath).toBe('/.well-known/oauth-protected-resource')
  })

  it('says to whoever brings no token where to get one, and no error [AU-4]', async () => {
    expect(await ask(start(), undefined)).toMatchObject({
      verdict: 'refused',
      status: 401,
      code: 'token_missing',
      headers: [
        ['cache-control', 'no-store'],
        ['www-authenticate', `Bearer resource_metadata="${metadataUrl}", scope="crm.read"`],
      ],
    })
  })

  it('says to whoever brings a bad one what is wrong with it [AU-4] [AU-6]', async () => {
    const admission = await ask(start(), await issuer.mint(resource, { exp: 1 }))
    expect(admission).toMatchObject({ status: 401, code: 'token_expired' })
    expect(admission.verdict === 'refused' && admission.headers).toContainEqual([
      'www-authenticate',
      `Bearer resource_metadata="${metadataUrl}", scope="crm.read", error="invalid_token", error_description="The token has expired (token_expired)"`,
    ])
  })

  it('asks for the scope that is missing [AU-7]', async () => {
    const admission = await ask(start(), await issuer.grant(resource, 'crm.write'))
    expect(admission).toMatchObject({ status: 403, code: 'scope_missing' })
    const challenge =
      admission.verdict === 'refused' ? admission.headers.find(([name]) => name === 'www-authenticate') : []
    expect(challenge?.[1]).toMatch(/scope="crm\.read", error="insufficient_scope"/)
    // Whose token it is was verified, and is recorded so.
    expect(admission.events[0]?.principals.workload).toMatchObject({ id: 'batch-job', assurance: 'verified' })
  })
})

describe('a request', () => {
  const admit = async (headers: [string, string][], target = '/mcp/crm') =>
    verdictOf(start().admit({ ...asked, target, headers, nowMs: Date.now() }))

  it('with its token in two places is refused, wherever the second one is [AU-9]', async () => {
    const token = await issuer.mint(resource)
    const header: [string, string] = ['Authorization', `Bearer ${token}`]
    expect(await admit([header])).toBe('admitted')
    expect(await admit([header, ['authorization', 'Bearer another']])).toBe('token_ambiguous')
    expect(await admit([header, header])).toBe('token_ambiguous')
    expect(await admit([header, ['X-Forwarded-Access-Token', token]])).toBe('token_ambiguous')
    expect(await admit([header, ['Cookie', `a=1; t=${token}`]])).toBe('token_ambiguous')
    expect(await admit([header], `/mcp/crm?t=${token}`)).toBe('token_ambiguous')
    expect(await admit([header], '/mcp/crm?a=1&access_token=x')).toBe('token_ambiguous')
    expect(await admit([['Authorization', `Bearer ${token}, Bearer ${token}`]])).toBe('token_malformed')
  })

  it('with another scheme, or with none, is refused for that [AU-6]', async () => {
    expect(await admit([['Authorization', 'Basic YWxpY2U6aHVudGVyMg==']])).toBe('scheme_refused')
    expect(await admit([['Authorization', '']])).toBe('scheme_refused')
    expect(await admit([['Authorization', 'Bearer ']])).toBe('token_malformed')
    expect(await admit([['X-Api-Key', 'abc']])).toBe('token_missing')
  })
})

describe('records [AU-12]', () => {
  it('tell the first admission of a token alone, with whom it names', async () => {
    const guard = start()
    const token = await issuer.mint(resource, { act: { sub: 'assistant' }, roles: ['reader'] })
    const [first, second] = [await ask(guard, token), await ask(guard, token)]
    expect(first.events.map(({ detail }) => detail.event)).toEqual(['admitted', 'exchanged'])
    expect(second.events).toEqual([])
    if (first.verdict !== 'admitted' || second.verdict !== 'admitted') throw new Error('refused')
    expect(second.principals).toBe(first.principals)
    const grounds = { assurance: 'verified', method: 'jwt', source: issuer.issuer }
    expect(first.principals).toEqual({
      user: { ...grounds, id: 'alice', issuer: issuer.issuer },
      workload: { ...grounds, kind: 'workload', id: 'agent', issuer: issuer.issuer },
      role: { ...grounds, source: 'claim roles', kind: 'role', id: 'reader', issuer: issuer.issuer },
      token: {
        ...grounds,
        digest: digest(token),
        fingerprint: createHash('sha256').update(token).digest('base64'),
        issuer: issuer.issuer,
        subject: 'alice',
        audience: resource,
        clientId: 'agent',
        tokenId: 'j-1',
        expires: expect.any(String),
      },
      delegation: [{ ...grounds, id: 'assistant', issuer: issuer.issuer }],
    })
  })

  it('give the same principals after a verification anew', async () => {
    const guard = start()
    const token = await issuer.mint(resource)
    const first = await ask(guard, token)
    const later = await ask(guard, token, Date.now() + 90_000)
    if (first.verdict !== 'admitted' || later.verdict !== 'admitted') throw new Error('refused')
    expect(later.principals).toBe(first.principals)
    expect(later.events).toEqual([])
  })

  it('of a refusal show whom the token claims to name, as claimed', async () => {
    const admission = await ask(start(), await issuer.mint('https://other.example'))
    expect(admission.events).toMatchObject([
      {
        detail: { event: 'refused', code: 'wrong_audience' },
        principals: { user: { id: 'alice', assurance: 'claimed' } },
      },
    ])
  })

  it('of a flood are counted: ten of a code in a minute, then one with how many more', async () => {
    const guard = start()
    let told = 0
    for (let i = 0; i < 300; i++) told += (await ask(guard, 'x'.repeat(20))).events.length
    await ask(guard, undefined)
    expect(told).toBe(10)
    expect(guard.drainRefusals().map(({ detail }) => detail)).toEqual([
      { event: 'refused', code: 'token_not_jwt', count: 290 },
    ])
    expect(guard.drainRefusals()).toEqual([])
    // A minute later the first are told again.
    expect((await ask(guard, 'x'.repeat(20), Date.now() + 61_000)).events).toHaveLength(1)
  })

  it('that could not be made durable come again, refusals as counts', async () => {
    const guard = start()
    const token = await issuer.mint(resource)
    const first = await ask(guard, token)
    guard.giveBack(first.events)
    expect((await ask(guard, token)).events).toEqual(first.events)
    expect((await ask(guard, token)).events).toEqual([])
    const refused = await ask(guard, undefined)
    guard.giveBack(refused.events)
    const [counted] = guard.drainRefusals()
    expect(counted?.detail).toEqual({ event: 'refused', code: 'token_missing', count: 1 })
    guard.giveBack(counted === undefined ? [] : [{ ...counted, detail: { ...counted.detail, count: 7 } }])
    expect(guard.drainRefusals()[0]?.detail.count).toBe(7)
  })
})
