import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reasonOf } from '../../packages/sensor/src/identity/refusal-code.ts'
import type { ResourceGuard } from '../../packages/sensor/src/identity/resource-guard.ts'
import { ask, createGuard, resource, verdictOf } from './harness/guard.ts'
import { type Issuer, startIssuer } from './harness/issuer.ts'
import { createForge, type Forge, hostileTokens } from './tokens.ts'

let issuer: Issuer
let forge: Forge
let guard: ResourceGuard

beforeAll(async () => {
  issuer = await startIssuer()
  forge = await createForge(issuer, resource)
  guard = createGuard(issuer).guard
})
afterAll(async () => {
  guard.close()
  await issuer.stop()
})

describe('a hostile token', () => {
  it.each(hostileTokens)('$name: $code [AU-5] [AU-6]', async ({ code, make }) => {
    const admission = await ask(guard, await make(forge))
    expect(admission).toMatchObject({ verdict: 'refused', code, status: reasonOf(code).status })
    const challenge =
      admission.verdict === 'refused' ? admission.headers.find(([name]) => name === 'www-authenticate') : []
    expect(challenge?.[1]).toContain(`(${code})`)
  })
})

describe('a good token [AU-5]', () => {
  it.each([
    ['as minted', {}, {}],
    ['with several audiences', { aud: ['https://other.example', resource] }, {}],
    ['expired within the skew', { exp: Math.floor(Date.now() / 1000) - 1 }, {}],
    ['typed in full', {}, { typ: 'application/at+jwt' }],
    ['with more scopes than needed', { scope: 'crm.write crm.read' }, {}],
    ['with scopes in scp', { scope: undefined, scp: ['crm.read'] }, {}],
    ['signed with where the key is', {}, { jku: 'https://idp.example/jwks' }],
    ['with an act chain', { act: { sub: 'agent', act: { sub: 'ci' } } }, {}],
  ])('%s is admitted', async (_name, claims, header) => {
    expect(await verdictOf(ask(guard, await issuer.mint(resource, claims, header)))).toBe('admitted')
  })

  it('that the issuer itself made is admitted', async () => {
    expect(await verdictOf(ask(guard, await issuer.grant(resource)))).toBe('admitted')
  })

  it('need not call itself at+jwt where the configuration says so, and still must be no other kind', async () => {
    const tolerant = createGuard(issuer, { block: { typ: 'any' } }).guard
    expect(await verdictOf(ask(tolerant, await issuer.mint(resource, {}, { typ: 'JWT' })))).toBe('admitted')
    expect(await verdictOf(ask(tolerant, await issuer.mint(resource, {}, { typ: 'logout+jwt' })))).toBe('wrong_type')
  })

  it('must name one of the audiences that the configuration lists', async () => {
    const other = createGuard(issuer, { block: { audiences: ['api://crm'] } }).guard
    expect(await verdictOf(ask(other, await issuer.mint('api://crm')))).toBe('admitted')
    expect(await verdictOf(ask(other, await issuer.mint(resource)))).toBe('wrong_audience')
  })
})
