import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'

/** The authorization server of these tests, in a process of its own, and its signing key: what it could sign, tests can. */
export interface Issuer {
  issuer: string
  /** Of the client `affidavit`, which may exchange tokens. */
  secret: string
  key: SigningKey
  /** What fills a valid access token of alice for `resource`; claims given replace it, undefined ones are left out. */
  mint(resource: string, claims?: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** A token that the server itself makes: client credentials for a resource. */
  grant(resource: string, scope?: string): Promise<string>
  /** Of the client `batch-job`, which grant makes its tokens for. */
  revoke(token: string): Promise<void>
  /** From now on it signs with another key, and publishes that one alone. */
  rotate(): Promise<SigningKey>
  stop(): Promise<void>
  /** The same server again, at the same address. */
  start(): Promise<void>
}

/** Members that are undefined are left out. */
export type Claims = Record<string, unknown>

export interface SigningKey {
  jwk: JWK
  publicJwk: JWK
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>
}

const program = join(import.meta.dirname, '../servers/issuer.ts')

export async function createSigningKey(kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const about = { kid, alg: 'ES256', use: 'sig' }
  return {
    jwk: { ...(await exportJWK(privateKey)), ...about },
    publicJwk: { ...(await exportJWK(publicKey)), ...about },
    sign: (claims, header = {}) =>
      new SignJWT(JSON.parse(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...header })
        .sign(privateKey),
  }
}

/** Claims of a token that is admitted at `nowMs`. */
export function accessClaims(issuer: string, resource: string, nowMs: number): Claims {
  const iat = Math.floor(nowMs / 1000)
  return {
    iss: issuer,
    sub: 'alice',
    client_id: 'agent',
    aud: resource,
    scope: 'crm.read',
    iat,
    exp: iat + 600,
    jti: 'j-1',
  }
}

export async function startIssuer(): Promise<Issuer> {
  const secret = `secret-of-the-gateway-${crypto.randomUUID()}`
  let key = await createSigningKey('first')
  let { child, issuer } = await launch({ port: 0, keys: [key.jwk], secret })
  return {
    issuer,
    secret,
    get key() {
      return key
    },
    mint: (resource, claims = {}, header = {}) =>
      key.sign({ ...accessClaims(issuer, resource, Date.now()), ...claims }, header),
    grant: (resource, scope = 'crm.read') => requestGrant(issuer, resource, scope),
    revoke: (token) => requestRevocation(issuer, token),
    async rotate() {
      key = await createSigningKey(crypto.randomUUID())
      child.send({ keys: [key.jwk] })
      await once(child, 'message')
      return key
    },
    stop: () => end(child),
    async start() {
      const again = await launch({ port: Number(new URL(issuer).port), keys: [key.jwk], secret })
      child = again.child
    },
  }
}

async function launch(setup: object): Promise<{ child: ChildProcess; issuer: string }> {
  const child = fork(program, {
    env: { ...process.env, ISSUER_SETUP: JSON.stringify(setup) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  const started = await Promise.race([once(child, 'message'), once(child, 'exit')])
  const [message] = started
  if (message === null || typeof message !== 'object') throw new Error(`the issuer did not start: ${errors}`)
  return { child, issuer: message.issuer }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function requestGrant(issuer: string, resource: string, scope: string): Promise<string> {
  const response = await postAsBatchJob(`${issuer}/token`, { grant_type: 'client_credentials', resource, scope })
  const answer: { access_token?: unknown } = JSON.parse(await response.text())
  if (typeof answer.access_token !== 'string') throw new Error(`no token: ${JSON.stringify(answer)}`)
  return answer.access_token
}

async function requestRevocation(issuer: string, token: string): Promise<void> {
  const response = await postAsBatchJob(`${issuer}/token/revocation`, { token })
  if (!response.ok) throw new Error(`not revoked: ${response.status}`)
}

function postAsBatchJob(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from('batch-job:the-secret-of-the-batch-job-0123456789').toString('base64')}`,
    },
    body: new URLSearchParams(form),
  })
}
