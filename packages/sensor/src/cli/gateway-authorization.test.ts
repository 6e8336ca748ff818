import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { authorizationSchema, resolveSecretFile, toGuardOptions } from './gateway-authorization.ts'

const upstream = {
  grant: 'token-exchange',
  tokenEndpoint: 'https://idp.example/token',
  audience: 'https://crm.internal/mcp',
  clientId: 'affidavit',
  clientSecret: { env: 'CRM_CLIENT_SECRET' },
}
const block = {
  mode: 'resource',
  resource: 'https://gateway.example/mcp/crm',
  issuers: [{ issuer: 'https://idp.example' }],
  scopes: ['crm.read'],
  upstream,
}
const problemOf = (value: unknown) => {
  const [issue] = authorizationSchema.safeParse(value).error?.issues ?? []
  return issue === undefined ? 'none' : `${issue.path.join('.')}: ${issue.message}`
}
const env = { CRM_CLIENT_SECRET: 'from-the-environment' }

describe('authorization: of an upstream', () => {
  it('has two modes [AU-14]', () => {
    expect(problemOf(block)).toBe('none')
    expect(problemOf({ mode: 'inline' })).toBe('none')
    expect(problemOf({ mode: 'both' })).toMatch(/^mode: /)
    expect(toGuardOptions(authorizationSchema.parse({ mode: 'inline' }), env)).toBeUndefined()
  })

  it('asks for the resource itself and all signature algorithms unless told otherwise [AU-14]', () => {
    const options = toGuardOptions(authorizationSchema.parse(block), env)
    const [issuer] = options?.issuers ?? []
    expect(issuer).toMatchObject({ audiences: [block.resource], typ: 'at+jwt', skewMs: 30_000 })
    expect(options?.scopes).toEqual(['crm.read'])
    expect(issuer?.algorithms).toContain('ES256')
    expect(issuer?.algorithms.some((name) => name.startsWith('HS') || name === 'none')).toBe(false)
    expect(options?.upstream).toMatchObject({ clientId: 'affidavit', clientAuthentication: 'basic' })
  })

  it.each([
    [{ ...block, resource: 'http://gateway.example/mcp' }, 'resource: must be an https URL'],
    [{ ...block, resource: 'https://gateway.example/mcp?x=1' }, 'resource: must be written as a client would send it'],
    [{ ...block, resource: 'https://Gateway.example/mcp' }, 'resource: must be written as a client would send it'],
    [{ ...block, resource: 'https://gateway.example/a"b' }, 'resource: must be written as a client would send it'],
    [{ ...block, issuers: [] }, 'issuers: '],
    [{ ...block, issuers: [{ issuer: 'http://idp.example' }] }, 'issuers.0.issuer: must be an https URL'],
    [{ ...block, issuers: [{ issuer: 'https://a:b@idp.example' }] }, 'issuers.0.issuer: must be an https URL'],
    [{ ...block, issuers: [...block.issuers, ...block.issuers] }, 'issuers: names an issuer twice'],
    [{ ...block, scopes: ['a b'] }, 'scopes.0: a scope is printable ASCII'],
    [{ ...block, algorithms: ['HS256'] }, 'algorithms.0: '],
    [{ ...block, clockSkewSeconds: 3600 }, 'clockSkewSeconds: '],
    [{ ...block, upstream: undefined }, 'upstream: '],
    [
      { ...block, upstream: { ...upstream, clientSecret: 'hunter2hunter2' } },
      'upstream.clientSecret: must be { env: NAME }',
    ],
    [
      { ...block, upstream: { ...upstream, clientSecret: { value: 'x' } } },
      'upstream.clientSecret: must be { env: NAME }',
    ],
    [
      { ...block, upstream: { ...upstream, tokenEndpoint: 'http://idp.example/token' } },
      'upstream.tokenEndpoint: must be',
    ],
  ])('names key and remedy of a mistake [AU-14]: %#', (value, expected) => {
    const problem = problemOf(value)
    expect(problem).toContain(expected)
    // What is wrong with a secret is said without the secret.
    expect(problem).not.toContain('hunter2')
  })

  it('reads the secret from a file beside the configuration, and again after a rotation [AU-14]', () => {
    const folder = mkdtempSync(join(tmpdir(), 'affidavit-authorization-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'secret'), 'first\n')
    const written = authorizationSchema.parse({ ...block, upstream: { ...upstream, clientSecret: { file: 'secret' } } })
    const config = resolveSecretFile(written, folder)
    const secret = toGuardOptions(config, {})?.upstream.clientSecret
    expect(secret?.()).toBe('first')
    writeFileSync(join(folder, 'secret'), 'second')
    expect(secret?.()).toBe('second')
    rmSync(join(folder, 'secret'))
    expect(secret?.()).toBeUndefined()
  })

  it('tells at the start that a secret cannot be read [AU-14]', () => {
    const config = authorizationSchema.parse(block)
    const start = (from: NodeJS.ProcessEnv) => () => toGuardOptions(config, from)
    expect(start({})).toThrow('client secret: the environment variable CRM_CLIENT_SECRET is not set')
    expect(start(env)).not.toThrow()
    const file = authorizationSchema.parse({ ...block, upstream: { ...upstream, clientSecret: { file: 'none' } } })
    expect(() => toGuardOptions(resolveSecretFile(file, '/nowhere'), env)).toThrow(
      /\/nowhere\/none cannot be read \(ENOENT\)/,
    )
  })

  it('is what docs/AUTHORIZATION.md shows [AU-14]', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/AUTHORIZATION.md'), 'utf8')
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, text = '']) => parse(text).upstreams.crm.authorization,
    )
    expect(blocks.map((block) => authorizationSchema.parse(block).mode)).toEqual(['inline', 'resource'])
  })
})
