import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { Fetch } from '../../packages/sensor/src/identity/fetch-json.ts'
import { createReplayMemory } from '../../packages/sensor/src/identity/replay-memory.ts'
import { accessClaims, type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { makeTemporaryFolder } from './harness/folder.ts'
import { openGuard, openObserver, resource, toRequest } from './harness/trust.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const minute = 60_000

it.each([
  ['refuses connections', () => Promise.reject(new TypeError('fetch failed'))],
  ['does not answer', (_url: string, { signal }: RequestInit) => hang(signal)],
  ['answers with errors', () => Promise.resolve(new Response('{}', { status: 500 }))],
])(
  'an issuer that %s for an hour fails no call that has a cached key, and holds hardly one [ID-10]',
  async (_name, down: Fetch) => {
    let isDown = false
    const odd: Fetch = (url, init) => (isDown && !url.endsWith('/token') ? down(url, init) : fetch(url, init))
    const issuers = [{ issuer: issuer.issuer, audiences: [resource], clockSkewSeconds: 0 }]
    const wiring = { secret: issuer.secret, fetch: odd }
    const { observer } = openObserver(issuers, wiring)
    const guard = openGuard(issuers, issuer, wiring)
    onTestFinished(() => {
      observer.close()
      guard.close()
    })
    let nowMs = Date.now()
    const call = async () => {
      // Another token in every call, so that each needs the key.
      const token = await issuer.key.sign({ ...accessClaims(issuer.issuer, resource, nowMs), jti: crypto.randomUUID() })
      const began = performance.now()
      const { principals } = await observer.observe(toRequest({ token }, nowMs))
      const admission = await guard.admit(toRequest({ token }, nowMs))
      const tookMs = performance.now() - began
      expect([principals.user, admission]).toMatchObject([
        { id: 'alice', assurance: 'verified' },
        { verdict: 'admitted' },
      ])
      return tookMs
    }
    await call()
    isDown = true
    const tooks: number[] = []
    const end = nowMs + 60 * minute
    while (nowMs < end) {
      nowMs += minute / 4
      tooks.push(await call())
    }
    expect(tooks).toHaveLength(240)
    // The first that finds the keys old waits a moment for newer ones, in each of the two; nobody waits after that.
    expect(tooks.filter((took) => took > 350).length).toBeLessThanOrEqual(1)
    expect(Math.max(...tooks)).toBeLessThan(1_500)
  },
  30_000,
)

function hang(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

it('keys in a file are used without asking anybody, and read again when they have changed [ID-10]', async () => {
  const folder = makeTemporaryFolder()
  const jwksFile = join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys: [issuer.key.publicJwk] }))
  const nobody: Fetch = () => Promise.reject(new Error('asked'))
  const issuers = [{ issuer: 'https://kubernetes.default.svc', jwksFile, audiences: [resource] }]
  const { observer, said } = openObserver(issuers, { secret: issuer.secret, fetch: nobody })
  onTestFinished(() => observer.close())
  let nowMs = Date.now()
  const assuranceOf = async () => {
    const claims = { ...accessClaims('https://kubernetes.default.svc', resource, nowMs), jti: crypto.randomUUID() }
    const { token } = (await observer.observe(toRequest({ token: await issuer.key.sign(claims) }, nowMs))).principals
    return 'absent' in token ? token.absent : (token.reason ?? token.assurance)
  }
  expect(await assuranceOf()).toBe('verified')
  const old = issuer.key
  await issuer.rotate()
  nowMs += 11_000
  expect(await assuranceOf()).toMatch(/^unknown_key/)
  writeFileSync(jwksFile, JSON.stringify({ keys: [old.publicJwk, issuer.key.publicJwk] }))
  nowMs += 11_000
  expect(await assuranceOf()).toBe('verified')
  writeFileSync(jwksFile, 'not yet written')
  nowMs += 11 * minute
  expect(await assuranceOf()).toBe('verified')
  expect(said).toEqual([
    'AFD_ISSUER_UNAVAILABLE keys of https://kubernetes.default.svc could not be fetched: its key file cannot be read',
  ])
})

it('the memory of proofs is bounded, for each key and for all, and forgets what is too old to count [ID-9]', () => {
  const memory = createReplayMemory({ proofsMax: 10, proofsPerKeyMax: 4 })
  const use = (thumbprint: string, id: number, nowMs: number) =>
    memory.use({ thumbprint, id: String(id), untilMs: nowMs + 90_000 }, nowMs)
  for (let id = 0; id < 4; id++) expect(use('greedy', id, 0)).toBe('first')
  expect(use('greedy', 4, 0)).toBe('full')
  expect(use('greedy', 3, 0)).toBe('again')
  for (let id = 0; id < 3; id++) expect([use('b', id, 0), use('c', id, 0)]).toEqual(['first', 'first'])
  expect(use('d', 0, 0)).toBe('full')
  expect(use('b', 0, 80_000)).toBe('again')
  expect(use('d', 0, 92_000)).toBe('first')
  expect(use('greedy', 4, 92_000)).toBe('first')
})
