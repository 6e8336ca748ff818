import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import type { RefusalCode } from '../../packages/sensor/src/identity/refusal-code.ts'
import { accessClaims, type Claims, createSigningKey, type Issuer, type SigningKey } from './harness/issuer.ts'

/** Tokens that must not be admitted, each with the code it must be refused with. */

export interface Forge {
  issuer: Issuer
  resource: string
  nowSeconds: number
  /** A key that the issuer never had. */
  foreign: SigningKey
}

export interface HostileToken {
  name: string
  code: RefusalCode
  make(forge: Forge): Promise<string> | string
}

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claimsOf = ({ issuer, resource, nowSeconds }: Forge) => accessClaims(issuer.issuer, resource, nowSeconds * 1000)
const good = ({ issuer, resource }: Forge, ...rest: [claims?: Claims, header?: object]) =>
  issuer.mint(resource, ...rest)
const headerOf = ({ issuer }: Forge, more: object = {}) => ({
  alg: 'ES256',
  typ: 'at+jwt',
  kid: issuer.key.jwk.kid,
  ...more,
})

/** Signed by nobody: the signature is made up. */
const unsigned = (header: unknown, claims: unknown, signature = part('x'.repeat(64))) =>
  `${part(header)}.${part(claims)}.${signature}`

async function hmacWith(forge: Forge, secret: string): Promise<string> {
  const signed = `${part(headerOf(forge, { alg: 'HS256' }))}.${part(claimsOf(forge))}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

async function publicPem({ issuer }: Forge): Promise<string> {
  const key = await importJWK(issuer.key.publicJwk, 'ES256', { extractable: true })
  if (key instanceof Uint8Array) throw new Error('not a public key')
  return exportSPKI(key)
}

const nested = (depth: number): unknown => (depth === 0 ? undefined : { sub: `actor-${depth}`, act: nested(depth - 1) })

export const hostileTokens: readonly HostileToken[] = [
  { name: 'not a token at all', code: 'token_not_jwt', make: () => 'just-some-opaque-text-that-is-long' },
  { name: 'characters no token has', code: 'token_malformed', make: () => 'a b"c\\.x.y' },
  { name: 'two parts', code: 'token_not_jwt', make: (forge) => unsigned(headerOf(forge), claimsOf(forge)).split('.', 2).join('.') },
  { name: 'a JWE', code: 'token_encrypted', make: () => 'eyJhbGciOiJkaXIifQ..aaaa.bbbb.cccc' },
  { name: 'a header that is no JSON', code: 'token_malformed', make: (forge) => unsigned('{"alg":"ES256"', claimsOf(forge)) },
  { name: 'a header that is an array', code: 'token_malformed', make: (forge) => unsigned(['ES256'], claimsOf(forge)) },
  { name: 'claims that are no UTF-8', code: 'token_malformed', make: (forge) => `${part(headerOf(forge))}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AAAA` },
  { name: 'claims nested 10,000 deep', code: 'token_malformed', make: (forge) => `${part(headerOf(forge))}.${part(`${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`)}.AAAA` },
  { name: 'base64 with unused bits set', code: 'token_malformed', make: async (forge) => `${(await good(forge)).slice(0, -1)}B` },
  { name: 'more than 16 KiB', code: 'token_oversized', make: (forge) => good(forge, { filler: 'x'.repeat(20_000) }) },
  { name: 'alg none, no signature', code: 'algorithm_refused', make: (forge) => unsigned(headerOf(forge, { alg: 'none' }), claimsOf(forge), '') },
  { name: 'alg nOnE', code: 'algorithm_refused', make: (forge) => unsigned(headerOf(forge, { alg: 'nOnE' }), claimsOf(forge), '') },
  { name: 'HS256 with the public key as secret', code: 'algorithm_refused', make: async (forge) => hmacWith(forge, await publicPem(forge)) },
  { name: 'HS256 with the JWK as secret', code: 'algorithm_refused', make: (forge) => hmacWith(forge, JSON.stringify(forge.issuer.key.publicJwk)) },
  { name: 'an algorithm that is an object', code: 'algorithm_refused', make: (forge) => unsigned(headerOf(forge, { alg: { toString: 'ES256' } }), claimsOf(forge)) },
  { name: 'RS256 over a key of ES256', code: 'unknown_key', make: (forge) => unsigned(headerOf(forge, { alg: 'RS256' }), claimsOf(forge)) },
  { name: 'a critical extension', code: 'critical_header', make: (forge) => unsigned(headerOf(forge, { crit: ['exp'], exp: 1 }), claimsOf(forge)) },
  { name: 'an unencoded payload (b64)', code: 'critical_header', make: (forge) => unsigned(headerOf(forge, { b64: false, crit: ['b64'] }), claimsOf(forge)) },
  { name: 'signed by another key under the right kid', code: 'bad_signature', make: (forge) => forge.foreign.sign(claimsOf(forge), { kid: forge.issuer.key.jwk.kid ?? '' }) },
  { name: 'claims changed after signing', code: 'bad_signature', make: async (forge) => (await good(forge)).replace(/\.[^.]+\./, `.${part({ ...claimsOf(forge), sub: 'root' })}.`) },
  { name: 'a signature of zeros', code: 'bad_signature', make: async (forge) => (await good(forge)).replace(/[^.]+$/, Buffer.alloc(64).toString('base64url')) },
  { name: 'an empty signature', code: 'bad_signature', make: async (forge) => (await good(forge)).replace(/[^.]+$/, '') },
  { name: 'its own key in jwk', code: 'key_in_header', make: (forge) => forge.foreign.sign(claimsOf(forge), { kid: forge.issuer.key.jwk.kid ?? '', jwk: forge.foreign.publicJwk }) },
  { name: 'its own key set in jku', code: 'key_in_header', make: (forge) => forge.foreign.sign(claimsOf(forge), { kid: 'evil', jku: 'http://127.0.0.1:9/jwks' }) },
  { name: 'its own certificate in x5u', code: 'key_in_header', make: (forge) => forge.foreign.sign(claimsOf(forge), { x5u: 'http://127.0.0.1:9/cert' }) },
  { name: 'its own certificate in x5c', code: 'key_in_header', make: (forge) => forge.foreign.sign(claimsOf(forge), { x5c: ['MIIB'] }) },
  { name: 'a kid that is a path', code: 'unknown_key', make: (forge) => forge.foreign.sign(claimsOf(forge), { kid: '../../../../dev/null' }) },
  { name: 'a kid that is SQL', code: 'unknown_key', make: (forge) => forge.foreign.sign(claimsOf(forge), { kid: "' UNION SELECT 'x' --" }) },
  { name: 'a kid that is an array', code: 'unknown_key', make: (forge) => unsigned(headerOf(forge, { kid: ['first'] }), claimsOf(forge)) },
  { name: 'expired', code: 'token_expired', make: (forge) => good(forge, { exp: forge.nowSeconds - 31 }) },
  { name: 'a negative expiry', code: 'token_expired', make: (forge) => good(forge, { exp: -1 }) },
  { name: 'no expiry', code: 'expiry_missing', make: (forge) => good(forge, { exp: undefined }) },
  { name: 'an expiry that is text', code: 'claim_malformed', make: (forge) => forge.issuer.key.sign({ ...claimsOf(forge), exp: '2099-01-01' }) },
  { name: 'an expiry no calendar has', code: 'claim_malformed', make: (forge) => good(forge, { exp: 1e15 }) },
  { name: 'not valid before an hour', code: 'token_not_yet_valid', make: (forge) => good(forge, { nbf: forge.nowSeconds + 3600 }) },
  { name: 'issued in the future', code: 'token_not_yet_valid', make: (forge) => good(forge, { iat: forge.nowSeconds + 3600 }) },
  { name: 'for another resource', code: 'wrong_audience', make: (forge) => good(forge, { aud: 'https://other.example/mcp' }) },
  { name: 'for a resource whose name begins like ours', code: 'wrong_audience', make: (forge) => good(forge, { aud: `${forge.resource}.evil.example` }) },
  { name: 'for our host but another path', code: 'wrong_audience', make: (forge) => good(forge, { aud: new URL(forge.resource).origin }) },
  { name: 'an audience that is a number', code: 'wrong_audience', make: (forge) => forge.issuer.key.sign({ ...claimsOf(forge), aud: 7 }) },
  { name: 'no audience', code: 'audience_missing', make: (forge) => good(forge, { aud: undefined }) },
  { name: 'from another issuer', code: 'unknown_issuer', make: (forge) => forge.foreign.sign({ ...claimsOf(forge), iss: 'https://evil.example' }) },
  { name: 'from our issuer with a slash', code: 'unknown_issuer', make: (forge) => good(forge, { iss: `${forge.issuer.issuer}/` }) },
  { name: 'no issuer', code: 'unknown_issuer', make: (forge) => good(forge, { iss: undefined }) },
  { name: 'an issuer that is a list', code: 'unknown_issuer', make: (forge) => forge.issuer.key.sign({ ...claimsOf(forge), iss: [forge.issuer.issuer] }) },
  { name: 'an ID token', code: 'wrong_type', make: (forge) => good(forge, {}, { typ: 'JWT' }) },
  { name: 'a logout token', code: 'wrong_type', make: (forge) => good(forge, {}, { typ: 'logout+jwt' }) },
  { name: 'a claim that stands there twice', code: 'claims_ambiguous', make: (forge) => unsigned(headerOf(forge), JSON.stringify(claimsOf(forge)).replace('{', '{"sub":"root",')) },
  { name: 'a claim twice, once escaped', code: 'claims_ambiguous', make: (forge) => unsigned(headerOf(forge), JSON.stringify(claimsOf(forge)).replace('{', '{"s\\u0075b":"root",')) },
  { name: 'a header parameter twice', code: 'claims_ambiguous', make: (forge) => unsigned('{"alg":"none","alg":"ES256"}', claimsOf(forge)) },
  { name: 'neither subject nor client', code: 'subject_missing', make: (forge) => good(forge, { sub: undefined, client_id: undefined }) },
  { name: 'a subject that is an object', code: 'claim_malformed', make: (forge) => forge.issuer.key.sign({ ...claimsOf(forge), sub: { a: 1 } }) },
  { name: 'a subject of 300 bytes', code: 'claim_malformed', make: (forge) => good(forge, { sub: 'a'.repeat(300) }) },
  { name: 'a subject with control characters', code: 'claim_malformed', make: (forge) => good(forge, { sub: 'alice\u0000root' }) },
  { name: 'an act chain of 40', code: 'claim_malformed', make: (forge) => good(forge, { act: nested(35) }) },
  { name: 'bound to a key (DPoP)', code: 'dpop_missing', make: (forge) => good(forge, { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }) },
  { name: 'without the scope', code: 'scope_missing', make: (forge) => good(forge, { scope: 'crm.reader xcrm.read' }) },
] // biome-ignore format: one token, one line

export async function createForge(issuer: Issuer, resource: string): Promise<Forge> {
  return { issuer, resource, nowSeconds: Math.floor(Date.now() / 1000), foreign: await createSigningKey('foreign') }
}
