import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'

/** Issuers whose tokens are JWTs signed with RS256, as those of GitHub, GitLab and Kubernetes: metadata and keys over HTTP. */
export interface KeyServer {
  issuerOf(name: IssuerName): string
  publicKeyOf(name: IssuerName): KeyObject
  sign(name: IssuerName, claims: object, header?: object): Promise<string>
  /** Signs with a published key of 1024 bits. */
  signWeak(name: IssuerName, claims: object): string
  close(): Promise<void>
}

export type IssuerName = (typeof names)[number]
const names = ['github', 'gitlab', 'kubernetes'] as const

export async function startKeyServer(): Promise<KeyServer> {
  const pairs = new Map(names.map((name) => [name, generateKeyPairSync('rsa', { modulusLength: 2048 })]))
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const pairOf = (name: IssuerName) => {
    const pair = pairs.get(name)
    if (pair === undefined) throw new Error(`no keys for ${name}`)
    return pair
  }
  const server = createServer(async (request, response) => {
    const [, name, path] = /^\/(\w+)\/(.+)$/.exec(request.url ?? '') ?? []
    const found = names.find((each) => each === name)
    const answer =
      found === undefined ? undefined : await describe(issuerOf(found), path, pairOf(found).publicKey, weak.publicKey)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuerOf = (name: IssuerName) => `http://127.0.0.1:${port}/${name}`
  return {
    issuerOf,
    publicKeyOf: (name) => pairOf(name).publicKey,
    sign: (name, claims, header = {}) =>
      new SignJWT(JSON.parse(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'first', ...header })
        .sign(pairOf(name).privateKey),
    signWeak: (_name, claims) => signRs256(weak.privateKey, { alg: 'RS256', typ: 'JWT', kid: 'weak' }, claims),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function describe(issuer: string, path: string | undefined, key: KeyObject, weak: KeyObject) {
  if (path === '.well-known/openid-configuration') return { issuer, jwks_uri: `${issuer}/jwks` }
  if (path !== 'jwks') return undefined
  const about = { alg: 'RS256', use: 'sig' }
  const keys = [
    { ...(await exportJWK(key)), ...about, kid: 'first' },
    { ...(await exportJWK(weak)), ...about, kid: 'weak' },
  ]
  return { keys }
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** By hand: no library signs with a key that is too short. */
function signRs256(key: KeyObject, header: object, claims: object): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}

/** Claims as GitHub puts them into the token of a job, from its documentation. */
export function githubClaims(issuer: string, audience: string, nowSeconds: number) {
  return {
    jti: '8f3a1d52-6a57-4a4b-b1f5-1c9f0d3f7a11',
    sub: 'repo:acme/crm:environment:production',
    aud: audience,
    ref: 'refs/heads/main',
    sha: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    repository: 'acme/crm',
    repository_owner: 'acme',
    repository_id: '74',
    repository_owner_id: '65',
    run_id: '12345678901',
    run_number: '10',
    run_attempt: '2',
    environment: 'production',
    actor: 'alice',
    workflow: 'deploy',
    event_name: 'push',
    job_workflow_ref: 'acme/crm/.github/workflows/deploy.yml@refs/heads/main',
    runner_environment: 'github-hosted',
    iss: issuer,
    nbf: nowSeconds - 10,
    iat: nowSeconds,
    exp: nowSeconds + 300,
  }
}

/** Claims as GitLab puts them into an ID token, from its documentation. */
export function gitlabClaims(issuer: string, audience: string, nowSeconds: number) {
  return {
    iss: issuer,
    aud: audience,
    sub: 'project_path:acme/crm:ref_type:branch:ref:main',
    jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
    namespace_id: '72',
    namespace_path: 'acme',
    project_id: '20',
    project_path: 'acme/crm',
    user_id: '1',
    user_login: 'bob',
    user_email: 'bob@acme.example',
    pipeline_id: '574',
    pipeline_source: 'push',
    job_id: '302',
    ref: 'main',
    ref_type: 'branch',
    ref_protected: 'true',
    environment: 'staging',
    runner_environment: 'self-hosted',
    sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    nbf: nowSeconds - 5,
    iat: nowSeconds,
    exp: nowSeconds + 300,
  }
}

/** Claims as the API server puts them into a token that is bound to a pod. */
export function kubernetesClaims(issuer: string, audience: string, nowSeconds: number) {
  return {
    aud: [audience],
    iss: issuer,
    jti: 'ea28ed49-2e11-4280-9ec5-bc3d1d84661a',
    'kubernetes.io': {
      namespace: 'crm',
      node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
      pod: { name: 'agent-7c9f6b5d8-x2k4p', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
      serviceaccount: { name: 'agent', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    },
    nbf: nowSeconds,
    iat: nowSeconds,
    exp: nowSeconds + 600,
    sub: 'system:serviceaccount:crm:agent',
  }
}
