import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { RefusalCode } from '../../packages/sensor/src/identity/refusal-code.ts'
import type { Issuer } from '../authorization/harness/issuer.ts'
import { githubClaims, gitlabClaims, type KeyServer, kubernetesClaims } from './harness/key-server.ts'
import type { ProofKey } from './harness/proof.ts'
import { resource, type Sent } from './harness/trust.ts'

/** Credentials of all kinds that must not count, each with the code it must be refused with (test/authorization has more). */

export interface Forge {
  issuer: Issuer
  keys: KeyServer
  /** Of the client that the token is bound to. */
  proofKey: ProofKey
  /** Of whoever stole it. */
  thief: ProofKey
  nowSeconds: number
}

export interface HostileCredential {
  name: string
  code: RefusalCode
  make(forge: Forge): Promise<Sent> | Sent
  /** What was sent before, and counted. */
  before?: (forge: Forge, sent: Sent) => Sent
}

const certificate = createHash('sha256').update('the certificate of the client').digest('base64url')
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const bound = ({ issuer, proofKey }: Forge) => issuer.mint(resource, { cnf: { jkt: proofKey.thumbprint } })

/** A token bound to the client's key, with a proof that is good but for what is changed. */
const proved =
  (changes: { claims?: object; header?: object; url?: string; method?: string } = {}) =>
  async (forge: Forge): Promise<Sent> => {
    const token = await bound(forge)
    const { url = resource, method = 'POST' } = changes
    return { token, scheme: 'DPoP', proofs: [await forge.proofKey.prove({ token, url, method }, changes)] }
  }
const withProof =
  (make: (forge: Forge, token: string) => Promise<string> | string) =>
  async (forge: Forge): Promise<Sent> => {
    const token = await bound(forge)
    return { token, scheme: 'DPoP', proofs: [await make(forge, token)] }
  }
const withCnf =
  (cnf: unknown, sent: Partial<Sent> = {}) =>
  async ({ issuer }: Forge): Promise<Sent> => ({ token: await issuer.mint(resource, { cnf }), ...sent })
const github =
  (claims: object = {}, header: object = {}) =>
  async ({ keys, nowSeconds }: Forge): Promise<Sent> => ({
    token: await keys.sign(
      'github',
      { ...githubClaims(keys.issuerOf('github'), resource, nowSeconds), ...claims },
      header,
    ),
  })
const gitlab =
  (claims: object = {}, header: object = {}) =>
  async ({ keys, nowSeconds }: Forge): Promise<Sent> => ({
    token: await keys.sign(
      'gitlab',
      { ...gitlabClaims(keys.issuerOf('gitlab'), resource, nowSeconds), ...claims },
      header,
    ),
  })
const kubernetes =
  (claims: object = {}, header: object = {}) =>
  async ({ keys, nowSeconds }: Forge): Promise<Sent> => ({
    token: await keys.sign(
      'kubernetes',
      { ...kubernetesClaims(keys.issuerOf('kubernetes'), resource, nowSeconds), ...claims },
      header,
    ),
  })

/** A proof of a key that is too short, to which the token is bound. */
async function proveWeakly({ issuer, nowSeconds }: Forge): Promise<Sent> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const jwk = await exportJWK(publicKey)
  const token = await issuer.mint(resource, { cnf: { jkt: await calculateJwkThumbprint(jwk) } })
  const ath = createHash('sha256').update(token).digest('base64url')
  const signed = `${part({ alg: 'RS256', typ: 'dpop+jwt', jwk })}.${part({ jti: 'weak', htm: 'POST', htu: resource, iat: nowSeconds, ath })}`
  return {
    token,
    scheme: 'DPoP',
    proofs: [`${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`],
  }
}

function hs256WithPublicKey({ keys, nowSeconds }: Forge): Sent {
  const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: 'first' })}.${part(githubClaims(keys.issuerOf('github'), resource, nowSeconds))}`
  const pem = keys.publicKeyOf('github').export({ type: 'spki', format: 'pem' })
  return { token: `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}` }
}

export const hostileCredentials: readonly HostileCredential[] = [
  { name: 'DPoP: bound, without a proof', code: 'dpop_missing', make: async (forge) => ({ token: await bound(forge), scheme: 'DPoP' }) },
  { name: 'DPoP: bound, sent as Bearer', code: 'dpop_missing', make: async (forge) => ({ ...(await proved()(forge)), scheme: 'Bearer' }) },
  { name: 'DPoP: a proof for a token that is bound to nothing', code: 'dpop_unbound', make: async ({ issuer, thief }) => { const token = await issuer.mint(resource); return { token, scheme: 'dpop', proofs: [await thief.prove({ token, url: resource })] } } },
  { name: 'DPoP: two proofs', code: 'dpop_ambiguous', make: async (forge) => { const sent = await proved()(forge); return { ...sent, proofs: [...(sent.proofs ?? []), ...(sent.proofs ?? [])] } } },
  { name: 'DPoP: no JWT', code: 'dpop_malformed', make: withProof(() => 'proof') },
  { name: 'DPoP: longer than 8 KiB', code: 'dpop_malformed', make: proved({ claims: { filler: 'x'.repeat(9_000) } }) },
  { name: 'DPoP: a claim twice', code: 'dpop_malformed', make: withProof(() => `${part({ typ: 'dpop+jwt', alg: 'ES256' })}.${part('{"jti":"a","jti":"b"}')}.AAAA`) },
  { name: 'DPoP: a critical extension', code: 'dpop_malformed', make: withProof((_forge, token) => `${part({ typ: 'dpop+jwt', alg: 'ES256', crit: ['b64'], b64: false })}.${part({ ath: token.length })}.AAAA`) },
  { name: 'DPoP: without jti', code: 'dpop_malformed', make: proved({ claims: { jti: undefined } }) },
  { name: 'DPoP: a jti of 300 characters', code: 'dpop_malformed', make: proved({ claims: { jti: 'j'.repeat(300) } }) },
  { name: 'DPoP: a time that is text', code: 'dpop_malformed', make: withProof(({ proofKey }) => `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: proofKey.publicJwk })}.${part({ jti: 'j', htm: 'POST', htu: resource, iat: 'now', ath: 'a' })}.AAAA`) },
  { name: 'DPoP: without ath', code: 'dpop_malformed', make: proved({ claims: { ath: undefined } }) },
  { name: 'DPoP: typed JWT', code: 'dpop_wrong_type', make: proved({ header: { typ: 'JWT' } }) },
  { name: 'DPoP: an access token as proof', code: 'dpop_wrong_type', make: withProof(({ issuer }) => issuer.mint(resource, { jti: 'other' })) },
  { name: 'DPoP: alg none', code: 'dpop_algorithm_refused', make: withProof(({ proofKey }) => `${part({ typ: 'dpop+jwt', alg: 'none', jwk: proofKey.publicJwk })}.${part({ jti: 'j' })}.`) },
  { name: 'DPoP: HS256 with a secret in jwk', code: 'dpop_algorithm_refused', make: withProof(() => `${part({ typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } })}.${part({ jti: 'j' })}.AAAA`) },
  { name: 'DPoP: the private key in jwk', code: 'dpop_key_refused', make: async (forge) => proved({ header: { jwk: forge.proofKey.privateJwk } })(forge) },
  { name: 'DPoP: a symmetric key in jwk', code: 'dpop_key_refused', make: proved({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }) },
  { name: 'DPoP: no key', code: 'dpop_key_refused', make: proved({ header: { jwk: undefined } }) },
  { name: 'DPoP: a key of no kind', code: 'dpop_key_refused', make: proved({ header: { jwk: { kty: 'XX' } } }) },
  { name: 'DPoP: a key of 1024 bits', code: 'dpop_key_refused', make: proveWeakly },
  { name: 'DPoP: the thief’s own key', code: 'dpop_wrong_key', make: withProof(({ thief }, token) => thief.prove({ token, url: resource })) },
  { name: 'DPoP: signed by the thief under the client’s key', code: 'dpop_bad_signature', make: withProof(({ thief, proofKey }, token) => thief.prove({ token, url: resource }, { header: { jwk: proofKey.publicJwk } })) },
  { name: 'DPoP: claims changed after signing', code: 'dpop_bad_signature', make: withProof(async ({ proofKey, nowSeconds }, token) => (await proofKey.prove({ token, url: resource })).replace(/\.[^.]+\./, `.${part({ jti: 'other', htm: 'POST', htu: resource, iat: nowSeconds, ath: createHash('sha256').update(token).digest('base64url') })}.`)) },
  { name: 'DPoP: made for another token', code: 'dpop_wrong_token', make: withProof(({ proofKey }) => proofKey.prove({ token: 'another', url: resource })) },
  { name: 'DPoP: made for GET', code: 'dpop_wrong_method', make: proved({ method: 'GET' }) },
  { name: 'DPoP: made for post in lower case', code: 'dpop_wrong_method', make: proved({ method: 'post' }) },
  { name: 'DPoP: made for another host', code: 'dpop_wrong_url', make: proved({ url: 'https://evil.example/mcp/crm' }) },
  { name: 'DPoP: made for http', code: 'dpop_wrong_url', make: proved({ url: 'http://gateway.example/mcp/crm' }) },
  { name: 'DPoP: made for another path', code: 'dpop_wrong_url', make: proved({ url: `${resource}/admin` }) },
  { name: 'DPoP: made for no URL', code: 'dpop_wrong_url', make: proved({ url: '/mcp/crm' }) },
  { name: 'DPoP: our host as a user name', code: 'dpop_wrong_url', make: proved({ url: 'https://gateway.example@evil.example/mcp/crm' }) },
  { name: 'DPoP: two minutes old', code: 'dpop_wrong_time', make: (forge) => proved({ claims: { iat: forge.nowSeconds - 120 } })(forge) },
  { name: 'DPoP: made in an hour', code: 'dpop_wrong_time', make: (forge) => proved({ claims: { iat: forge.nowSeconds + 3600 } })(forge) },
  { name: 'DPoP: replayed', code: 'dpop_replayed', make: proved(), before: (_forge, sent) => sent },
  { name: 'DPoP: replayed with another query', code: 'dpop_replayed', make: proved(), before: (_forge, sent) => ({ ...sent, target: '/mcp/crm?first=1' }) },
  { name: 'mTLS: bound, and no certificate', code: 'certificate_missing', make: withCnf({ 'x5t#S256': certificate }) },
  { name: 'mTLS: another certificate', code: 'wrong_certificate', make: withCnf({ 'x5t#S256': certificate }, { certificate: createHash('sha256').update('of the thief').digest('base64url') }) },
  { name: 'mTLS: a thumbprint that is a list', code: 'wrong_certificate', make: withCnf({ 'x5t#S256': [certificate] }, { certificate }) },
  { name: 'mTLS: right certificate, but also bound to a key', code: 'dpop_missing', make: (forge) => withCnf({ 'x5t#S256': certificate, jkt: forge.proofKey.thumbprint }, { certificate })(forge) },
  { name: 'mTLS: right certificate, scheme DPoP', code: 'dpop_unbound', make: withCnf({ 'x5t#S256': certificate }, { certificate, scheme: 'DPoP' }) },
  { name: 'cnf: a whole key', code: 'proof_unsupported', make: (forge) => withCnf({ jwk: forge.proofKey.publicJwk })(forge) },
  { name: 'cnf: a known and an unknown way', code: 'proof_unsupported', make: withCnf({ 'x5t#S256': certificate, kid: 'k' }, { certificate }) },
  { name: 'cnf: nothing', code: 'proof_unsupported', make: withCnf({}) },
  { name: 'cnf: text', code: 'proof_unsupported', make: withCnf('jkt') },
  { name: 'cnf: a jkt that is no text', code: 'proof_unsupported', make: withCnf({ jkt: 7 }, { scheme: 'DPoP', proofs: ['x'] }) },
  { name: 'opaque: never issued', code: 'token_inactive', make: () => ({ token: 'b6f3f0c2a9de4f3ea6d2b6f3f0c2a9de4f3ea6d2' }) },
  { name: 'opaque: a JWE that the issuer does not know', code: 'token_inactive', make: () => ({ token: 'eyJhbGciOiJkaXIifQ..aaaa.bbbb.cccc' }) },
  { name: 'GitHub: another repository', code: 'claim_refused', make: github({ repository: 'mallory/crm' }) },
  { name: 'GitHub: a repository whose name begins like ours', code: 'claim_refused', make: github({ repository: 'acme/crm-evil' }) },
  { name: 'GitHub: another branch', code: 'claim_refused', make: github({ ref: 'refs/heads/evil' }) },
  { name: 'GitHub: a pull request', code: 'claim_refused', make: github({ ref: 'refs/pull/7/merge', event_name: 'pull_request' }) },
  { name: 'GitHub: a repository in other letters', code: 'claim_refused', make: github({ repository: 'ACME/CRM' }) },
  { name: 'GitHub: no repository', code: 'claim_missing', make: github({ repository: undefined }) },
  { name: 'GitHub: no run', code: 'claim_missing', make: github({ run_id: undefined }) },
  { name: 'GitHub: a repository that is a list', code: 'claim_missing', make: github({ repository: ['acme/crm', 'mallory/crm'] }) },
  { name: 'GitHub: a ref of 300 bytes', code: 'claim_malformed', make: github({ ref: `refs/tags/v${'1'.repeat(300)}` }) },
  { name: 'GitHub: for another server', code: 'wrong_audience', make: github({ aud: 'https://github.com/acme' }) },
  { name: 'GitHub: a list in the list of audiences', code: 'wrong_audience', make: github({ aud: [[resource]] }) },
  { name: 'GitHub: an audience that is an object', code: 'wrong_audience', make: github({ aud: { [resource]: true } }) },
  { name: 'GitHub: nOnE', code: 'algorithm_refused', make: ({ keys, nowSeconds }) => ({ token: `${part({ alg: 'nOnE', typ: 'JWT' })}.${part(githubClaims(keys.issuerOf('github'), resource, nowSeconds))}.` }) },
  { name: 'GitHub: HS256 with the RSA public key', code: 'algorithm_refused', make: hs256WithPublicKey },
  { name: 'GitHub: signed by GitLab', code: 'bad_signature', make: ({ keys, nowSeconds }) => keys.sign('gitlab', githubClaims(keys.issuerOf('github'), resource, nowSeconds)).then((token) => ({ token })) },
  { name: 'GitHub: over', code: 'token_expired', make: (forge) => github({ exp: forge.nowSeconds - 60 })(forge) },
  { name: 'GitHub: issued in a year', code: 'token_not_yet_valid', make: (forge) => github({ iat: forge.nowSeconds + 31_536_000, nbf: undefined })(forge) },
  { name: 'GitHub: another token inside', code: 'token_nested', make: ({ keys, nowSeconds }) => keys.sign('github', githubClaims(keys.issuerOf('github'), resource, nowSeconds), { cty: 'JWT' }).then((token) => ({ token })) },
  { name: 'GitHub: an unencoded payload that crit does not name', code: 'critical_header', make: ({ keys, nowSeconds }) => ({ token: `${part({ alg: 'RS256', kid: 'first', b64: false })}.${part(githubClaims(keys.issuerOf('github'), resource, nowSeconds))}.AAAA` }) },
  { name: 'GitLab: another project', code: 'claim_refused', make: gitlab({ project_path: 'acmeevil/crm' }) },
  { name: 'GitLab: no pipeline', code: 'claim_missing', make: gitlab({ pipeline_id: '' }) },
  { name: 'GitLab: a kid that is a path', code: 'unknown_key', make: gitlab({}, { kid: '../../../etc/passwd' }) },
  { name: 'GitLab: a key of 1024 bits', code: 'weak_key', make: ({ keys, nowSeconds }) => ({ token: keys.signWeak('gitlab', gitlabClaims(keys.issuerOf('gitlab'), resource, nowSeconds)) }) },
  { name: 'Kubernetes: for the API server', code: 'wrong_audience', make: kubernetes({ aud: ['https://kubernetes.default.svc'] }) },
  { name: 'Kubernetes: another namespace', code: 'claim_refused', make: kubernetes({ sub: 'system:serviceaccount:default:agent', 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'agent' } } }) },
  { name: 'Kubernetes: a subject that is another account', code: 'claim_malformed', make: kubernetes({ sub: 'system:serviceaccount:kube-system:admin' }) },
  { name: 'Kubernetes: nothing of Kubernetes in it', code: 'claim_missing', make: kubernetes({ 'kubernetes.io': undefined }) },
  { name: 'Kubernetes: an account that is a list', code: 'claim_missing', make: kubernetes({ 'kubernetes.io': { namespace: 'crm', serviceaccount: ['agent'] } }) },
] // biome-ignore format: one credential, one line
