import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Fetch } from '../../packages/sensor/src/identity/fetch-json.ts'
import { ask, createGuard, resource, verdictOf } from './harness/guard.ts'
import { accessClaims, createSigningKey, type Issuer, startIssuer } from './harness/issuer.ts'

let issuer: Issuer
const asked: string[] = []
/** Counts what the guard asks for; the token endpoint is not what these tests are about. */
const counting: Fetch = (url, init) => {
  if (!url.endsWith('/token')) asked.push(new URL(url).pathname)
  return fetch(url, init)
}
const second = 1000
const minute = 60 * second

beforeEach(async () => {
  issuer = await startIssuer()
  asked.length = 0
})
afterEach(() => issuer.stop())

/** A guard that needs no exchange to admit once it has a token of its own, and a clock that only tests move. */
function createClockedGuard(block: object = {}) {
  const { guard, said } = createGuard(issuer, { fetch: counting, upstream: { grant: 'client-credentials' }, block })
  let nowMs = Date.now()
  const judge = (token: string) => verdictOf(ask(guard, token, nowMs))
  const mint = (claims = {}, key = issuer.key) =>
    key.sign({ ...accessClaims(issuer.issuer, resource, nowMs), ...claims })
  return {
    said,
    judge,
    mint,
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

describe('keys of an issuer', () => {
  it('are found by discovery, once for many tokens [AU-8]', async () => {
    const { judge, mint } = createClockedGuard()
    for (const jti of ['a', 'b', 'c']) expect(await judge(await mint({ jti }))).toBe('admitted')
    expect(asked).toEqual(['/.well-known/oauth-authorization-server', '/jwks'])
  })

  it('are taken from jwksUri where the configuration names it [AU-8]', async () => {
    const { judge, mint } = createClockedGuard({
      issuers: [{ issuer: issuer.issuer, jwksUri: `${issuer.issuer}/jwks` }],
    })
    expect(await judge(await mint())).toBe('admitted')
    expect(asked).toEqual(['/jwks'])
  })

  it('are found again after a rotation, and the withdrawn one stops counting [AU-8]', async () => {
    const { judge, mint, pass } = createClockedGuard()
    const old = await mint({ exp: Math.floor(Date.now() / 1000) + 3600 })
    expect(await judge(old)).toBe('admitted')
    await issuer.rotate()
    pass(11 * second)
    expect(await judge(await mint())).toBe('admitted')
    // The old token's verification is remembered for a minute.
    pass(minute)
    expect(await judge(old)).toBe('unknown_key')
  })

  it('are asked for again after ten minutes, so that a withdrawal is seen without a new key [AU-8]', async () => {
    const { judge, mint, pass } = createClockedGuard()
    const old = issuer.key
    expect(await judge(await mint())).toBe('admitted')
    await issuer.rotate()
    pass(10 * minute)
    expect(await judge(await mint({}, old))).toBe('unknown_key')
  })

  it('make few requests for many invented key ids [AU-8]', async () => {
    const { judge, pass } = createClockedGuard()
    for (let i = 0; i < 30; i++) {
      const key = await createSigningKey(`invented-${i}`)
      expect(await judge(await key.sign(accessClaims(issuer.issuer, resource, Date.now())))).toBe('unknown_key')
      pass(second)
    }
    // Once in ten seconds, each time metadata and keys.
    expect(asked.length).toBeLessThanOrEqual(2 * 4)
  })

  it('keep working for a day while the issuer is down, and are fetched again when it is back [AU-8]', async () => {
    const { judge, mint, pass, said } = createClockedGuard({ clockSkewSeconds: 0 })
    expect(await judge(await mint())).toBe('admitted')
    await issuer.stop()
    pass(9 * minute)
    const forgotten = asked.length
    // The upstream token has expired with it: what is judged here is the client's token alone.
    for (const hours of [1, 10, 12]) {
      pass(hours * 60 * minute)
      expect(await judge(await mint())).toBe('exchange_unavailable')
    }
    expect(asked.length).toBeGreaterThan(forgotten)
    pass(2 * 60 * minute)
    expect(await judge(await mint())).toBe('keys_unavailable')
    expect(said.every((line) => line.startsWith('AFD_ISSUER_UNAVAILABLE'))).toBe(true)
    expect(said.length).toBeGreaterThan(0)
    await issuer.start()
    pass(11 * second)
    expect(await judge(await mint())).toBe('admitted')
  })

  it('cannot be had at first: 503, and the endpoint is left alone for ten seconds [AU-8] [AU-11]', async () => {
    const { judge, mint, pass } = createClockedGuard()
    await issuer.stop()
    for (let i = 0; i < 5; i++) expect(await judge(await mint({ jti: String(i) }))).toBe('keys_unavailable')
    // Sent once more at once, because a kept connection may have been closed.
    expect(asked).toEqual(Array(2).fill('/.well-known/oauth-authorization-server'))
    await issuer.start()
    pass(11 * second)
    expect(await judge(await mint())).toBe('admitted')
  })

  it('are not taken from metadata that speaks for another issuer, nor from a place without TLS [AU-8]', async () => {
    const answers: Record<string, unknown>[] = [
      { issuer: 'https://evil.example', jwks_uri: `${issuer.issuer}/jwks` },
      { issuer: issuer.issuer, jwks_uri: 'http://keys.example/jwks' },
      { issuer: issuer.issuer },
    ]
    for (const answer of answers) {
      const lying: Fetch = async (url, init) => (url.includes('.well-known') ? Response.json(answer) : fetch(url, init))
      const { guard, said } = createGuard(issuer, { fetch: lying })
      expect(await verdictOf(ask(guard, await issuer.mint(resource)))).toBe('keys_unavailable')
      expect(said[0]).toMatch(/^AFD_ISSUER_UNAVAILABLE .*(its own name|no secure jwks_uri)$/)
    }
  })

  it.each([
    [
      'endless',
      () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) })),
      'too_large',
    ],
    ['no JSON', () => new Response('<html>'), 'not_json'],
    [
      'elsewhere',
      () => new Response(null, { status: 302, headers: { location: 'https://evil.example/jwks' } }),
      'redirect',
    ],
    ['no keys', () => Response.json({ keys: 'none' }), 'malformed'],
    ['failing', () => Response.json({}, { status: 500 }), '500'],
  ])('are not taken from an answer that is %s [AU-8]', async (_name, answer, problem) => {
    const odd: Fetch = async (url, init) => (url.endsWith('/jwks') ? answer() : fetch(url, init))
    const { guard, said } = createGuard(issuer, { fetch: odd })
    expect(await verdictOf(ask(guard, await issuer.mint(resource)))).toBe('keys_unavailable')
    expect(said[0]).toContain(problem)
  })
})
