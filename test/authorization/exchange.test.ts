import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, createGuard, digest, resource, upstreamResource, verdictOf } from './harness/guard.ts'
import { type Issuer, startIssuer } from './harness/issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const tokenOf = (authorization: string) => authorization.replace(/^Bearer /, '')

describe('the upstream token [AU-9]', () => {
  it.each(['basic', 'post'])('is exchanged for the client’s, with client authentication by %s', async (by) => {
    const { guard } = createGuard(issuer, { upstream: { clientAuthentication: by, scopes: ['crm.read'] } })
    const token = await issuer.mint(resource, { sub: 'alice' })
    const admission = await ask(guard, token)
    if (admission.verdict !== 'admitted') throw new Error(admission.code)
    expect(tokenOf(admission.authorization)).not.toBe(token)
    expect(decodeJwt(tokenOf(admission.authorization))).toMatchObject({
      sub: 'alice',
      aud: upstreamResource,
      client_id: 'affidavit',
      act: { sub: 'affidavit' },
      scope: 'crm.read',
    })
  })

  it('is the gateway’s own with client credentials, the same for every client', async () => {
    const { guard } = createGuard(issuer, {
      upstream: { grant: 'client-credentials', audience: undefined, resource: upstreamResource },
    })
    const [first, second] = await Promise.all([
      ask(guard, await issuer.mint(resource, { sub: 'alice' })),
      ask(guard, await issuer.mint(resource, { sub: 'bob' })),
    ])
    if (first.verdict !== 'admitted' || second.verdict !== 'admitted') throw new Error('refused')
    expect(decodeJwt(tokenOf(first.authorization))).toMatchObject({ sub: 'affidavit', aud: upstreamResource })
    expect(second.authorization).toBe(first.authorization)
    expect(second.principals.user).toMatchObject({ id: 'bob', assurance: 'verified' })
  })
})

/** A token endpoint that does what a test says. */
describe('an exchange', () => {
  let server: Server
  const requests: URLSearchParams[] = []
  let answer: (form: URLSearchParams) => { status?: number; body: unknown } | 'reset' | 'silence'
  let tokens = 0
  const good = (more: object = {}) => ({
    body: {
      access_token: `upstream-token-number-${++tokens}`,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 300,
      ...more,
    },
  })

  beforeEach(async () => {
    requests.length = 0
    answer = () => good()
    server = createServer(async (request, response) => {
      const form = new URLSearchParams(await textOf(request))
      requests.push(form)
      const reply = answer(form)
      if (reply === 'reset') request.socket.destroy()
      if (typeof reply === 'string') return
      // Time for a second request to come while this one is under way.
      setTimeout(
        () =>
          response
            .writeHead(reply.status ?? 200)
            .end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)),
        20,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const start = (upstream: object = {}) => {
    const { port } = server.address() as AddressInfo
    return createGuard(issuer, { upstream: { tokenEndpoint: `http://127.0.0.1:${port}/token`, ...upstream } }).guard
  }
  const authorizationOf = async (admission: ReturnType<typeof ask>) => {
    const settled = await admission
    return settled.verdict === 'admitted' ? settled.authorization : settled.code
  }

  it('asks as RFC 8693 says [AU-9]', async () => {
    const token = await issuer.mint(resource)
    await ask(start({ resource: 'https://crm.internal/', scopes: ['a', 'b'] }), token)
    expect(Object.fromEntries(requests[0] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: upstreamResource,
      resource: 'https://crm.internal/',
      scope: 'a b',
    })
  })

  it('is shared by concurrent requests with one token, and made anew for another [AU-10]', async () => {
    const guard = start()
    const token = await issuer.mint(resource)
    const all = await Promise.all(Array.from({ length: 20 }, () => authorizationOf(ask(guard, token))))
    expect(new Set(all).size).toBe(1)
    expect(requests).toHaveLength(1)
    await ask(guard, await issuer.mint(resource, { sub: 'bob' }))
    expect(requests).toHaveLength(2)
  })

  it('is made again shortly before the token expires [AU-10]', async () => {
    const guard = start()
    const token = await issuer.mint(resource, { exp: Math.floor(Date.now() / 1000) + 3600 })
    const first = await authorizationOf(ask(guard, token))
    const later = (seconds: number) => authorizationOf(ask(guard, token, Date.now() + seconds * 1000))
    expect(await later(260)).toBe(first)
    expect(await later(280)).not.toBe(first)
    expect(requests).toHaveLength(2)
  })

  it('is made again when the upstream did not accept the token [AU-10]', async () => {
    const guard = start()
    const token = await issuer.mint(resource)
    const first = await ask(guard, token)
    if (first.verdict === 'admitted') first.forget()
    expect(await authorizationOf(ask(guard, token))).not.toBe(first.verdict === 'admitted' && first.authorization)
  })

  it('that failed is not remembered [AU-10] [AU-11]', async () => {
    const guard = start()
    const token = await issuer.mint(resource)
    answer = () => ({ status: 503, body: {} })
    expect(await verdictOf(ask(guard, token))).toBe('exchange_unavailable')
    answer = () => good()
    expect(await verdictOf(ask(guard, token))).toBe('admitted')
  })

  it.each([
    ['a reset connection', () => 'reset' as const, 'exchange_unavailable', 503],
    ['503', () => ({ status: 503, body: {} }), 'exchange_unavailable', 503],
    ['a page with 502', () => ({ status: 502, body: '<html>Bad Gateway</html>' }), 'exchange_unavailable', 503],
    ['a page with 404', () => ({ status: 404, body: '<html>Not Found</html>' }), 'exchange_misconfigured', 502],
    ['a page with 200', () => ({ body: '<html>Welcome</html>' }), 'exchange_malformed', 502],
    ['a redirect', () => ({ status: 307, body: {} }), 'exchange_malformed', 502],
    ['429', () => ({ status: 429, body: { error: 'slow_down' } }), 'exchange_unavailable', 503],
    ['invalid_client', () => ({ status: 401, body: { error: 'invalid_client' } }), 'exchange_misconfigured', 502],
    ['invalid_target', () => ({ status: 400, body: { error: 'invalid_target' } }), 'exchange_misconfigured', 502],
    ['invalid_grant', () => ({ status: 400, body: { error: 'invalid_grant' } }), 'exchange_refused', 403],
    ['access_denied', () => ({ status: 403, body: { error: 'access_denied' } }), 'exchange_refused', 403],
    ['no token', () => good({ access_token: undefined }), 'exchange_malformed', 502],
    ['a token that breaks a header', () => good({ access_token: 'a\r\nX-Evil: 1' }), 'exchange_malformed', 502],
    ['a token that is no bearer', () => good({ token_type: 'N_A' }), 'exchange_malformed', 502],
    ['no issued type', () => good({ issued_token_type: undefined }), 'exchange_malformed', 502],
    ['a lifetime that is text', () => good({ expires_in: 'soon' }), 'exchange_malformed', 502],
    [
      'the client’s own token',
      (form: URLSearchParams) => good({ access_token: form.get('subject_token') }),
      'exchange_malformed',
      502,
    ],
    ['an array', () => ({ body: [] }), 'exchange_malformed', 502],
  ])('answered by %s is told apart [AU-11]', async (_name, reply, code, status) => {
    answer = reply
    const admission = await ask(start(), await issuer.mint(resource))
    expect(admission).toMatchObject({ verdict: 'refused', code, status })
    if (admission.verdict !== 'refused') return
    const names = admission.headers.map(([name]) => name)
    // Another token of the client's would change nothing.
    expect(names).not.toContain('www-authenticate')
    expect(names.includes('retry-after')).toBe(status === 503)
    expect(admission.events.at(-1)?.detail).toMatchObject({ event: 'exchange_failed', code, grant: 'token-exchange' })
  })

  it('under way in too great a number refuses more, and recovers [AU-10]', async () => {
    const guard = start()
    answer = () => 'silence'
    const waiting = await Promise.all(Array.from({ length: 65 }, (_, i) => issuer.mint(resource, { sub: `user-${i}` })))
    const verdicts = waiting.map((token) => verdictOf(ask(guard, token)))
    expect(await Promise.race(verdicts)).toBe('exchange_busy')
    guard.close()
    expect((await Promise.all(verdicts)).filter((verdict) => verdict === 'exchange_unavailable')).toHaveLength(64)
  })

  it('writes who, until when and for what, by fingerprints alone [AU-12]', async () => {
    const token = await issuer.mint(resource)
    const admission = await ask(start(), token)
    if (admission.verdict !== 'admitted') throw new Error(admission.code)
    const [admitted, exchanged] = admission.events
    expect(admitted?.detail).toMatchObject({ event: 'admitted', fingerprint: digest(token) })
    expect(exchanged?.detail).toMatchObject({
      event: 'exchanged',
      grant: 'token-exchange',
      fingerprint: digest(token),
      upstreamFingerprint: digest(tokenOf(admission.authorization)),
    })
    expect(exchanged?.principals.user).toMatchObject({ id: 'alice', assurance: 'verified', method: 'jwt' })
    expect(JSON.stringify(admission.events)).not.toContain(tokenOf(admission.authorization))
  })
})

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
