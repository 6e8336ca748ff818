import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CredentialObserver } from '../../packages/sensor/src/identity/credential-observer.ts'
import { reasonOf, refusalReasons } from '../../packages/sensor/src/identity/refusal-code.ts'
import type { ResourceGuard } from '../../packages/sensor/src/identity/resource-guard.ts'
import { type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { createForge, hostileTokens } from '../authorization/tokens.ts'
import { type KeyServer, startKeyServer } from './harness/key-server.ts'
import { createProofKey } from './harness/proof.ts'
import { openGuard, openObserver, resource, toRequest, trustedIssuers } from './harness/trust.ts'
import { type Forge, hostileCredentials } from './hostile.ts'

let issuer: Issuer
let keys: KeyServer
let forge: Forge
let guard: ResourceGuard
let observer: CredentialObserver

beforeAll(async () => {
  issuer = await startIssuer()
  keys = await startKeyServer()
  const nowSeconds = Math.floor(Date.now() / 1000)
  forge = { issuer, keys, proofKey: await createProofKey(), thief: await createProofKey(), nowSeconds }
  guard = openGuard(trustedIssuers(issuer, keys), issuer, issuer)
  observer = openObserver(trustedIssuers(issuer, keys), issuer).observer
})
afterAll(async () => {
  guard.close()
  observer.close()
  await keys.close()
  await issuer.stop()
})

describe('a hostile credential', () => {
  it.each(hostileCredentials)('$name: $code [ID-7]', async ({ code, make, before }) => {
    const sent = await make(forge)
    if (before !== undefined) {
      const first = toRequest(before(forge, sent))
      expect(await guard.admit(first)).toMatchObject({ verdict: 'admitted' })
      expect((await observer.observe(first)).principals.user).toMatchObject({ assurance: 'verified' })
    }
    const refused = await guard.admit(toRequest(sent))
    expect(refused).toMatchObject({ verdict: 'refused', code, status: reasonOf(code).status })
    const challenge = refused.verdict === 'refused' ? refused.headers.find(([name]) => name === 'www-authenticate') : []
    expect(challenge?.[1]).toMatch(code.startsWith('dpop_') ? /^DPoP .*algs="/ : /^Bearer /)
    expect(challenge?.[1]).toContain(`(${code})`)

    const { principals, events } = await observer.observe(toRequest(sent))
    expect(events.map(({ detail }) => detail.code).filter((each) => each !== code)).toEqual([])
    const { token, delegation } = principals
    for (const each of [token, principals.user, principals.workload, principals.role, ...delegation])
      expect('absent' in each || each.assurance).toBe('absent' in each ? true : 'claimed')
    expect('absent' in token ? token.absent : token.reason).toMatch('absent' in token ? /./ : new RegExp(`^${code}: `))
  })

  it('of those that OAuth alone knows is told apart in the record, too [ID-7] [ID-1]', async () => {
    const own = openObserver(
      trustedIssuers(issuer, keys).map((each) => ({ ...each, introspection: undefined })),
      issuer,
    ).observer
    const oauth = await createForge(issuer, resource)
    for (const { code, make, name } of hostileTokens) {
      // Which scopes a call needs is for its server to say.
      if (code === 'scope_missing') continue
      const { principals } = await own.observe(toRequest({ token: await make(oauth) }))
      const { token } = principals
      expect({ name, told: 'absent' in token ? token.absent : token.reason }).toEqual({
        name,
        told: expect.stringMatching(new RegExp(`^${code}: |short enough to be guessed`)),
      })
    }
    own.close()
  })

  it('has met every code that judges a credential [ID-7]', () => {
    const met = new Set<string>([...hostileTokens, ...hostileCredentials].map(({ code }) => code))
    const judged = Object.entries(refusalReasons).filter(([, reason]) => 'error' in reason)
    // Where the request rather than the token is at fault, test/authorization/guard.test.ts meets it.
    expect(judged.map(([code]) => code).filter((code) => !met.has(code))).toEqual(['token_ambiguous'])
    expect(hostileCredentials.length).toBeGreaterThanOrEqual(60)
  })
})

describe('a good credential [ID-7]', () => {
  const cases: [string, (forge: Forge) => Promise<Parameters<typeof toRequest>[0]>][] = [
    ['as minted', async () => ({ token: await issuer.mint(resource) })],
    [
      'bound to a key, with its proof',
      async ({ proofKey }) => {
        const token = await issuer.mint(resource, { cnf: { jkt: proofKey.thumbprint } })
        return { token, scheme: 'DPoP', proofs: [await proofKey.prove({ token, url: resource })] }
      },
    ],
    [
      'whose proof leaves out the query, and writes the URL otherwise',
      async ({ proofKey }) => {
        const token = await issuer.mint(resource, { cnf: { jkt: proofKey.thumbprint } })
        const proof = await proofKey.prove({ token, url: 'HTTPS://gateway.example:443/mcp/x/../crm' })
        return { token, scheme: 'dpop', proofs: [proof], target: '/mcp/crm?page=2' }
      },
    ],
    [
      'bound to a certificate that is shown',
      async () => ({
        token: await issuer.mint(resource, { cnf: { 'x5t#S256': 'shown' } }),
        certificate: 'shown',
      }),
    ],
  ]
  it.each(cases)('%s is admitted and verified', async (_name, make) => {
    const sent = await make(forge)
    expect(await guard.admit(toRequest(sent))).toMatchObject({ verdict: 'admitted' })
    expect((await observer.observe(toRequest(sent))).principals.user).toMatchObject({
      id: 'alice',
      assurance: 'verified',
    })
  })
})
