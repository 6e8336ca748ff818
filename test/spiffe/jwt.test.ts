import { webcrypto } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { parseBundle } from '../../packages/sensor/src/identity/spiffe/bundle.ts'
import { claimsSpiffeId, type JwtSvidTrust, judgeJwtSvid } from '../../packages/sensor/src/identity/spiffe/jwt-svid.ts'
import { type SpiffeCode, SpiffeRefusal } from '../../packages/sensor/src/identity/spiffe/spiffe-refusal.ts'
import { type Authority, bundleOf, makeAuthority, mintJwtSvid } from './harness/authority.ts'

const id = 'spiffe://example.org/agent'
const audience = 'https://gateway.example/mcp'
const now = Date.now()
const seconds = Math.floor(now / 1000)
let home: Authority
let other: Authority
let trust: JwtSvidTrust
let rsa: webcrypto.CryptoKeyPair

beforeAll(async () => {
  home = await makeAuthority('example.org')
  other = await makeAuthority('other.test')
  const bundles = new Map([
    ['example.org', parseBundle(await bundleOf(home))],
    ['other.test', parseBundle(await bundleOf(other))],
  ])
  rsa = (await webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  )) as webcrypto.CryptoKeyPair
  trust = {
    audiences: ['unused', audience],
    skewMs: 30_000,
    bundleOf: (trustDomain) => {
      const bundle = bundles.get(trustDomain)
      if (bundle === undefined) throw new SpiffeRefusal('unknown_trust_domain')
      return bundle
    },
  }
})

it.each([
  ['as SPIRE makes it', {}],
  ['of type JOSE', { header: { typ: 'JOSE' } }],
  ['without a type', { header: { typ: undefined } }],
  ['with claims of its own', { claims: { jti: 'j-1', role: 'x', iss: 'https://anybody.test' } }],
  ['that expired within the skew', { claims: { exp: seconds - 10 } }],
])('a token %s is verified [SV-6]', async (_, wish) => {
  const svid = await judgeJwtSvid(await mintJwtSvid(home, id, audience, wish), trust, now)
  expect(svid).toMatchObject({ audience, spiffeId: { id, trustDomain: 'example.org' } })
})

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const forge = (header: unknown, claims: unknown, signature = 'c2ln') => `${part(header)}.${part(claims)}.${signature}`
const claims = { sub: id, aud: audience, exp: seconds + 300 }

const hostile: [what: string, code: SpiffeCode, make: () => Promise<string>][] = [
  ['no JWT', 'token_not_jwt', async () => 'opaque'],
  ['too long', 'token_oversized', async () => `${'a'.repeat(20_000)}.a.a`],
  ['encrypted', 'token_encrypted', async () => 'a.b.c.d.e'],
  ['no base64url', 'token_malformed', async () => 'a+.b.c'],
  ['the subject twice', 'claims_ambiguous', async () => `${part({ alg: 'ES256', kid: 'k1' })}.${Buffer.from(`{"sub":"${id}","sub":"spiffe://example.org/admin"}`).toString('base64url')}.c2ln`],
  ['alg none', 'algorithm_refused', async () => forge({ alg: 'none', kid: 'k1' }, claims, '')],
  ['a shared secret', 'algorithm_refused', async () => forge({ alg: 'HS256', kid: 'k1' }, claims)],
  ['EdDSA, which JWT-SVID does not have', 'algorithm_refused', async () => forge({ alg: 'EdDSA', kid: 'k1' }, claims)],
  ['RS256 for a key on a curve', 'algorithm_refused', async () => mintJwtSvid(home, id, audience, { header: { alg: 'RS256' }, key: rsa.privateKey })],
  ['a key in the header', 'header_refused', async () => mintJwtSvid(home, id, audience, { header: { jwk: { kty: 'EC' } } })],
  ['a place of keys in the header', 'header_refused', async () => mintJwtSvid(home, id, audience, { header: { jku: 'https://evil.test' } })],
  ['an access token', 'wrong_type', async () => mintJwtSvid(home, id, audience, { header: { typ: 'at+jwt' } })],
  ['no key id', 'key_id_missing', async () => mintJwtSvid(home, id, audience, { header: { kid: undefined } })],
  ['a key id that nobody knows', 'unknown_key', async () => mintJwtSvid(home, id, audience, { header: { kid: 'k2' } })],
  ['no subject', 'spiffe_id_malformed', async () => mintJwtSvid(home, id, audience, { claims: { sub: undefined } } as never)],
  ['a subject that is no SPIFFE ID', 'spiffe_id_malformed', async () => mintJwtSvid(home, 'alice', audience)],
  ['a subject with a second spelling', 'spiffe_id_malformed', async () => mintJwtSvid(home, 'spiffe://example.org/a/../admin', audience)],
  ['a trust domain that nobody trusts', 'unknown_trust_domain', async () => mintJwtSvid(home, 'spiffe://nobody.test/a', audience)],
  ['the key of another trust domain', 'bad_signature', async () => mintJwtSvid(other, id, audience)],
  ['a signature of something else', 'bad_signature', async () => {
    const [head, , signature] = (await mintJwtSvid(home, id, audience)).split('.')
    return `${head}.${part({ ...claims, sub: 'spiffe://example.org/admin' })}.${signature}`
  }],
  ['no audience', 'audience_missing', async () => mintJwtSvid(home, id, audience, { claims: { aud: undefined } } as never)],
  ['another audience', 'wrong_audience', async () => mintJwtSvid(home, id, 'https://other.test')],
  ['no expiry', 'expiry_missing', async () => mintJwtSvid(home, id, audience, { claims: { exp: undefined } } as never)],
  ['expired', 'token_expired', async () => mintJwtSvid(home, id, audience, { claims: { exp: seconds - 60 } })],
  ['not valid yet', 'token_not_yet_valid', async () => mintJwtSvid(home, id, audience, { claims: { nbf: seconds + 600 } })],
  ['issued tomorrow', 'token_not_yet_valid', async () => mintJwtSvid(home, id, audience, { claims: { iat: seconds + 86_400 } })],
  ['an expiry that is no time', 'claim_malformed', async () => mintJwtSvid(home, id, audience, { claims: { exp: 1e300 } })],
] // biome-ignore format: one row, one case

it.each(hostile)('%s: %s [SV-7]', async (_, code, make) => {
  const token = await make()
  await expect(judgeJwtSvid(token, trust, now)).rejects.toMatchObject({ name: 'SpiffeRefusal', code })
})

it('tells tokens that call themselves SVIDs from others [SV-7]', async () => {
  expect(claimsSpiffeId(await mintJwtSvid(home, id, audience))).toBe(id)
  expect(claimsSpiffeId(await mintJwtSvid(home, 'alice', audience))).toBeUndefined()
  expect(claimsSpiffeId('opaque')).toBeUndefined()
})
