import { encodeIdentity, parseIdentity } from '@affidavit/evidence/record/identity-section'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDigester } from '../crypto/digester.ts'
import { createRedactor } from '../redact/redactor.ts'
import { createDescribeBearer } from './bearer.ts'

const key = new Uint8Array(32).fill(3)
const digest = createDigester(key)
const redactor = createRedactor({ correlationKey: key })
const redact = (text: string) => redactor.redactText(text).text
const describeBearer = createDescribeBearer({ digest, redact })

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: unknown) => `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${part('signature')}`
const claimed = { assurance: 'claimed', source: 'http.authorization' }

describe('describeBearer', () => {
  it('takes from a JWT who it claims to be, all of it claimed [AU-1]', () => {
    const token = jwt({
      iss: 'https://idp.example',
      sub: 'alice',
      preferred_username: 'Alice',
      client_id: 'agent',
      aud: ['https://crm.example/mcp', 'https://other.example'],
      exp: 1_795_000_000,
      roles: ['reader', 'writer'],
      act: { sub: 'assistant', act: { sub: 'pipeline-7', iss: 'https://ci.example' } },
    })
    expect(describeBearer(`Bearer ${token}`)).toMatchObject({
      user: { ...claimed, id: 'alice', name: 'Alice', issuer: 'https://idp.example', method: 'bearer' },
      workload: { ...claimed, kind: 'workload', id: 'agent' },
      role: { ...claimed, source: 'claim roles', kind: 'role', id: 'reader writer' },
      token: {
        ...claimed,
        digest: digest(token),
        issuer: 'https://idp.example',
        audience: 'https://crm.example/mcp',
        subject: 'alice',
        clientId: 'agent',
        expires: '2026-11-18T11:06:40.000Z',
        reason: 'nobody verified it here',
      },
      delegation: [
        { ...claimed, id: 'pipeline-7', issuer: 'https://ci.example' },
        { ...claimed, id: 'assistant', issuer: 'https://idp.example' },
      ],
    })
  })

  it('knows no user where the client has the token for itself [AU-1]', () => {
    const { user, workload } = describeBearer(`bearer ${jwt({ sub: 'job', client_id: 'job' })}`)
    expect(user).toHaveProperty('absent')
    expect(workload).toMatchObject({ id: 'job' })
  })

  it('says why nobody is known, and still refers to the token [AU-1]', () => {
    const opaque = 'b6f3f0c2a9de4f3ea6d2'
    expect(describeBearer(undefined)).toMatchObject({ token: { absent: 'the request has no Authorization header' } })
    expect(describeBearer(`Bearer ${opaque}`)).toMatchObject({
      user: { absent: 'the token is opaque here' },
      token: { digest: digest(opaque), method: 'bearer' },
    })
    expect(describeBearer(`Bearer ${jwt({}).replace(part({}), part({}).replace('e', 'f'))}`)).toMatchObject({
      user: { absent: 'the token is opaque here' },
    })
    const twice = Buffer.from('{"sub":"a","sub":"b"}').toString('base64url')
    expect(describeBearer(`Bearer ${part({})}.${twice}.AAAA`)).toMatchObject({
      user: { absent: 'the token names a claim twice' },
    })
    expect(describeBearer(`Bearer ${jwt({ pad: 'x'.repeat(20_000) })}`)).toMatchObject({
      user: { absent: 'the token is too long to be looked into' },
    })
  })

  it('names the user of Basic, and digests no secret that could be guessed [AU-1]', () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    expect(describeBearer(basic('alice:hunter2'))).toMatchObject({
      user: { id: 'alice' },
      token: { absent: /guessed/ },
    })
    expect(describeBearer(basic('alice:a-long-enough-password'))).toMatchObject({
      user: { id: 'alice', method: 'basic' },
      token: { method: 'basic' },
    })
    expect(describeBearer('Bearer abc')).toMatchObject({ token: { absent: /guessed/ } })
    expect(describeBearer('Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8')).toMatchObject({ token: { method: 'other' } })
  })

  it('gives the same object for the same credential [AU-3]', () => {
    const token = `Bearer ${jwt({ sub: 'alice' })}`
    expect(describeBearer(token)).toBe(describeBearer(token.slice()))
    expect(describeBearer(`${token.slice(0, -1)}A`)).not.toBe(describeBearer(token))
  })

  it('removes secrets from claims, and keeps nothing of the token itself [AU-3] [AU-13]', () => {
    const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
    const token = jwt({
      sub: secret,
      client_id: `agent ${secret}`,
      iss: secret,
      aud: secret,
      roles: [secret],
      act: { sub: secret },
    })
    const text = Buffer.from(
      encodeIdentity({ agent: { absent: '-' }, ...describeBearer(`Bearer ${token}`) }),
    ).toString()
    expect(text).not.toContain(secret)
    expect(text).toContain('REDACTED')
    for (const piece of token.split('.')) expect(text).not.toContain(piece)
  })

  it('bounds chains and values, and says so [AU-3]', () => {
    const chain = (depth: number): unknown => (depth === 0 ? undefined : { sub: `a${depth}`, act: chain(depth - 1) })
    const { delegation } = describeBearer(`Bearer ${jwt({ sub: 'x'.repeat(2000), act: chain(36) })}`)
    expect(delegation).toHaveLength(32)
    expect(delegation[0]).toMatchObject({ id: 'unreadable' })
    expect(delegation.at(-1)).toMatchObject({ id: 'a36' })
    expect(describeBearer(`Bearer ${jwt({ act: { sub: 'b', act: 'a' } })}`).delegation.map(({ id }) => id)).toEqual([
      'unreadable',
      'b',
    ])
    expect(describeBearer(`Bearer ${jwt({ act: { act: {} } })}`).delegation.map(({ id }) => id)).toEqual([
      'unnamed',
      'unnamed',
    ])
  })

  it('never throws, and always fits the record [AU-3]', () => {
    const anyClaims = fc.dictionary(
      fc.constantFrom('sub', 'iss', 'aud', 'exp', 'act', 'azp', 'client_id', 'roles', 'name', '__proto__'),
      fc.jsonValue({ noUnicodeString: false }),
    )
    const credential = fc.oneof(
      anyClaims.map(jwt),
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
      fc.string().map((text) => Buffer.from(text).toString('base64')),
    )
    const scheme = fc.constantFrom('Bearer ', 'bearer\t', 'Basic ', 'Negotiate ', '', ' ')
    fc.assert(
      fc.property(scheme, credential, (before, text) => {
        const section = { agent: { absent: '-' }, ...describeBearer(before + text) }
        expect(parseIdentity(encodeIdentity(section))).toEqual(section)
      }),
      { numRuns: 500 },
    )
  })
})
