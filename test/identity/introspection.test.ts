import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Fetch } from '../../packages/sensor/src/identity/fetch-json.ts'
import { issuer, keys } from './harness/issuers.ts'
import { createProofKey } from './harness/proof.ts'
import {
  opaqueResource,
  openGuard,
  openObserver,
  resource,
  type Sent,
  toRequest,
  trustedIssuers,
} from './harness/trust.ts'

/** Paths that oidc-provider was asked for, whose opaque tokens nobody but itself can read. */
const asked: string[] = []
afterEach(() => {
  asked.length = 0
})
const counting: Fetch = (url, init) => {
  asked.push(new URL(url).pathname)
  return fetch(url, init)
}
const introspections = () => asked.filter((path) => path.endsWith('/introspection')).length

function open(changes: object = {}, odd: Fetch = counting, waitMaxMs = 1_000) {
  const issuers = trustedIssuers(issuer, keys, changes)
  const guard = openGuard(issuers, issuer, { secret: issuer.secret, fetch: odd })
  const { observer } = openObserver(issuers, { secret: issuer.secret, fetch: odd, waitMaxMs })
  onTestFinished(() => {
    guard.close()
    observer.close()
  })
  const verdict = async (sent: Sent, nowMs?: number) => {
    const admission = await guard.admit(toRequest(sent, nowMs))
    return admission.verdict === 'admitted' ? 'admitted' : `${admission.status} ${admission.code}`
  }
  return { guard, observer, verdict }
}

describe('an opaque token [ID-8]', () => {
  it('is verified by asking its issuer, once while the answer counts', async () => {
    const { observer, verdict } = open()
    const token = await issuer.grant(opaqueResource)
    expect(token.split('.')).toHaveLength(1)
    expect(await verdict({ token })).toBe('admitted')
    expect(await verdict({ token })).toBe('admitted')
    expect(introspections()).toBe(1)
    const { principals } = await observer.observe(toRequest({ token }))
    const grounds = { assurance: 'verified', method: 'introspection', source: issuer.issuer }
    expect(principals.workload).toMatchObject({ ...grounds, id: 'batch-job' })
    expect(principals.token).toMatchObject({
      ...grounds,
      issuer: issuer.issuer,
      audience: opaqueResource,
      clientId: 'batch-job',
      expires: expect.any(String),
      fingerprint: expect.any(String),
    })
  })

  it('that is revoked stops counting when the answer has grown old, and not before', async () => {
    const { verdict } = open({ cacheSeconds: 20 })
    const token = await issuer.grant(opaqueResource)
    const nowMs = Date.now()
    expect(await verdict({ token }, nowMs)).toBe('admitted')
    await issuer.revoke(token)
    expect(await verdict({ token }, nowMs + 19_000)).toBe('admitted')
    expect(await verdict({ token }, nowMs + 21_000)).toBe('401 token_inactive')
    const before = introspections()
    expect(await verdict({ token }, nowMs + 22_000)).toBe('401 token_inactive')
    expect(introspections()).toBe(before)
  })

  it('of which its issuer says something else by now is recorded as that', async () => {
    let roles = ['reader']
    const withRoles: Fetch = async (url, init) => {
      const response = await fetch(url, init)
      if (!url.endsWith('/introspection')) return response
      return Response.json({ ...JSON.parse(await response.text()), roles })
    }
    const { observer } = open({ cacheSeconds: 20 }, withRoles)
    const token = await issuer.grant(opaqueResource)
    const nowMs = Date.now()
    const roleAt = async (ms: number) => (await observer.observe(toRequest({ token }, ms))).principals.role
    expect(await roleAt(nowMs)).toMatchObject({ id: 'reader', assurance: 'verified' })
    roles = ['admin']
    expect(await roleAt(nowMs + 19_000)).toMatchObject({ id: 'reader' })
    expect(await roleAt(nowMs + 21_000)).toMatchObject({ id: 'admin', assurance: 'verified' })
  })

  it('for another server is refused for that, and one that has expired is not asked about again', async () => {
    const { verdict } = open({ cacheSeconds: 3600 })
    expect(await verdict({ token: await issuer.grant('https://other.example/mcp?opaque') })).toBe('401 wrong_audience')
    const token = await issuer.grant(opaqueResource)
    expect(await verdict({ token })).toBe('admitted')
    // The server gave it ten minutes; its own clock has not moved, and still calls it active.
    expect(await verdict({ token }, Date.now() + 11 * 60_000)).toBe('401 token_expired')
  })

  it('bound to a key by the issuer counts with a proof alone [ID-9]', async () => {
    const { verdict } = open()
    const key = await createProofKey()
    const tokenEndpoint = `${issuer.issuer}/token`
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('batch-job:the-secret-of-the-batch-job-0123456789').toString('base64')}`,
        dpop: await key.prove({ token: '', url: tokenEndpoint }, { claims: { ath: undefined } }),
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: opaqueResource, scope: 'crm.read' }),
    })
    const { access_token: token, token_type: type }: { access_token: string; token_type: string } = JSON.parse(
      await response.text(),
    )
    expect(type).toBe('DPoP')
    expect(await verdict({ token })).toBe('401 dpop_missing')
    const proof = await key.prove({ token, url: resource })
    expect(await verdict({ token, scheme: 'DPoP', proofs: [proof] })).toBe('admitted')
    expect(await verdict({ token, scheme: 'DPoP', proofs: [proof] })).toBe('401 dpop_replayed')
    const thief = await createProofKey()
    expect(await verdict({ token, scheme: 'DPoP', proofs: [await thief.prove({ token, url: resource })] })).toBe(
      '401 dpop_wrong_key',
    )
  })
})

describe('the introspection endpoint [ID-8]', () => {
  const failing =
    (answer: () => Promise<Response> | Response): Fetch =>
    (url, init) =>
      url.endsWith('/introspection') ? Promise.resolve(counting(url, init)).then(answer) : fetch(url, init)

  it.each([
    ['down', () => Promise.reject(new TypeError('fetch failed')), '503 introspection_unavailable'],
    ['overloaded', () => new Response('{}', { status: 503 }), '503 introspection_unavailable'],
    ['no JSON', () => new Response('<html>'), '502 introspection_malformed'],
    ['unclear', () => Response.json({ active: 'true' }), '502 introspection_malformed'],
    ['elsewhere', () => new Response(null, { status: 302, headers: { location: '/' } }), '502 introspection_malformed'],
    ['for another issuer', () => Response.json({ active: true, iss: 'https://evil.example' }), '401 unknown_issuer'],
    ['silent about the audience', () => Response.json({ active: true, sub: 'a' }), '401 audience_missing'],
  ])('that is %s admits nobody, and leaves the record claimed', async (_name, answer, expected) => {
    const { observer, verdict } = open({}, failing(answer))
    const token = await issuer.grant(opaqueResource)
    expect(await verdict({ token })).toBe(expected)
    const { principals, events } = await observer.observe(toRequest({ token }))
    const [, code = ''] = expected.split(' ')
    expect(principals.token).toMatchObject({ assurance: 'claimed', reason: expect.stringMatching(`^${code}: `) })
    expect(events.map(({ detail }) => detail.code)).toEqual([code])
  })

  it('that refuses the gateway itself is told apart from a token that is not active', async () => {
    const { verdict } = open({ clientId: 'nobody-knows-this-client' })
    expect(await verdict({ token: await issuer.grant(opaqueResource) })).toBe('502 introspection_misconfigured')
  })

  it('that is down is left alone for five seconds, and asked again after', async () => {
    let isDown = true
    const { verdict } = open({}, (url, init) => {
      if (isDown && url.endsWith('/introspection')) {
        asked.push(new URL(url).pathname)
        return Promise.reject(new TypeError('fetch failed'))
      }
      return fetch(url, init)
    })
    const token = await issuer.grant(opaqueResource)
    const nowMs = Date.now()
    for (let i = 0; i < 20; i++) expect(await verdict({ token }, nowMs + i)).toBe('503 introspection_unavailable')
    // Sent once more at once, because a kept connection may have been closed.
    expect(introspections()).toBe(2)
    isDown = false
    expect(await verdict({ token }, nowMs + 6_000)).toBe('admitted')
  })

  it('that does not answer holds no inline call for long: it goes on as claimed, and the answer counts later [ID-10]', async () => {
    let answer: (() => void) | undefined
    const slow: Fetch = async (url, init) => {
      if (url.endsWith('/introspection'))
        await new Promise<void>((resolve) => {
          answer = resolve
        })
      return fetch(url, init)
    }
    const { observer } = open({}, slow, 50)
    const token = await issuer.grant(opaqueResource)
    const began = performance.now()
    const { principals } = await observer.observe(toRequest({ token }))
    expect(performance.now() - began).toBeLessThan(500)
    expect(principals.token).toMatchObject({
      assurance: 'claimed',
      reason: expect.stringMatching(/^introspection_unavailable: /),
    })
    answer?.()
    await expect
      .poll(async () => (await observer.observe(toRequest({ token }))).principals.workload)
      .toMatchObject({ id: 'batch-job', assurance: 'verified' })
  })
})
