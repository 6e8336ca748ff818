import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { authorizationSchema } from './gateway-authorization.ts'
import { gatewayIdentitySchema, resolveIdentity, toIdentityTrust } from './identity-config.ts'

const idp = { issuer: 'https://idp.example', audiences: ['https://crm.example/mcp'] }
const introspection = {
  endpoint: 'https://idp.example/introspect',
  clientId: 'affidavit',
  clientSecret: { env: 'IDP_CLIENT_SECRET' },
}
const problemOf = (...issuers: object[]) => {
  const [issue] = gatewayIdentitySchema.safeParse({ issuers }).error?.issues ?? []
  return issue === undefined ? 'none' : `${issue.path.join('.')}: ${issue.message}`
}

describe('identity: of a gateway', () => {
  it.each([
    [[idp], 'none'],
    [[], 'issuers: '],
    [[{ issuer: 'https://idp.example' }], 'issuers.0.audiences: must name for whom tokens are'],
    [[{ ...idp, issuer: 'http://idp.example' }], 'issuers.0.issuer: must be an https URL'],
    [[idp, idp], 'issuers: names an issuer twice'],
    [[{ ...idp, algorithms: ['HS256'] }], 'issuers.0.algorithms.0: '],
    [[{ ...idp, kind: 'jenkins' }], 'issuers.0.kind: '],
    [[{ ...idp, clockSkewSeconds: 3600 }], 'issuers.0.clockSkewSeconds: '],
    [[{ ...idp, role: { claim: 'a', value: 'b' } }], 'issuers.0.role: '],
    [[{ ...idp, jwksUri: 'https://idp.example/jwks', jwksFile: 'keys.json' }], 'issuers.0.jwksFile: has two places'],
    [
      [{ ...idp, introspection: { ...introspection, clientSecret: 'hunter2' } }],
      'issuers.0.introspection.clientSecret: must be { env: NAME }',
    ],
    [[{ ...idp, introspection: { ...introspection, cacheSeconds: 86_400 } }], 'issuers.0.introspection.cacheSeconds: '],
    [
      [
        { ...idp, introspection },
        { ...idp, issuer: 'https://two.example', introspection },
      ],
      'issuers: asks two issuers about opaque tokens',
    ],
  ])('refuses what cannot be meant, and names the key: %j [ID-11]', (issuers, problem) => {
    expect(problemOf(...issuers).slice(0, problem.length)).toBe(problem)
  })

  it('takes jobs of a public issuer for a resource only where it is said whose [ID-11]', () => {
    const upstream = {
      grant: 'client-credentials',
      tokenEndpoint: 'https://idp.example/token',
      clientId: 'a',
      clientSecret: { env: 'A' },
    }
    const of = (issuer: object) =>
      authorizationSchema.safeParse({
        mode: 'resource',
        resource: 'https://crm.example/mcp',
        issuers: [issuer],
        upstream,
      })
    const github = { issuer: 'https://token.actions.githubusercontent.com', kind: 'github-actions' }
    expect(of(github).error?.issues[0]).toMatchObject({
      path: ['issuers', 0, 'claims'],
      message: expect.stringContaining('repository: acme'),
    })
    expect(of({ ...github, claims: { repository: 'acme/crm' } }).success).toBe(true)
  })

  it('reads secrets and key files at once, so that what is missing is told at the start [ID-11]', () => {
    const trust =
      (issuer: object, env = {}) =>
      () =>
        toIdentityTrust(gatewayIdentitySchema.parse({ issuers: [issuer] }), undefined, env)
    expect(trust({ ...idp, introspection })).toThrow(/IDP_CLIENT_SECRET is not set/)
    expect(trust({ ...idp, introspection }, { IDP_CLIENT_SECRET: 'x' })().introspecting).toMatchObject({
      issuer: idp.issuer,
      by: { cacheMs: 60_000, clientAuthentication: 'basic' },
    })
    expect(trust({ ...idp, jwksFile: '/nowhere/keys.json' })).toThrow(
      /jwksFile \/nowhere\/keys.json cannot be used \(ENOENT\)/,
    )
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-keys-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'keys.json'), '{"keys":"none"}')
    const resolved = resolveIdentity(
      gatewayIdentitySchema.parse({ issuers: [{ ...idp, jwksFile: 'keys.json' }] }),
      folder,
    )
    expect(() => toIdentityTrust(resolved, undefined, {})).toThrow(/it is no key set/)
  })

  it('has defaults for each kind, and takes the audiences of an upstream before those of an issuer', () => {
    const issuers = [
      idp,
      { issuer: 'https://gitlab.example', kind: 'gitlab-ci', audiences: ['a'], claims: { ref: 'main' } },
    ]
    const { issuers: options } = toIdentityTrust(
      gatewayIdentitySchema.parse({ issuers }),
      ['https://other.example'],
      {},
    )
    expect(options).toMatchObject([
      {
        kind: 'oauth',
        typ: 'at+jwt',
        skewMs: 30_000,
        role: { claim: ['roles'] },
        audiences: ['https://other.example'],
      },
      { kind: 'gitlab-ci', typ: 'any', claims: new Map([['ref', ['main']]]), audiences: ['https://other.example'] },
    ])
  })
})
