import { createHash } from 'node:crypto'
import { type Actor, encodeIdentity, parseIdentity } from '@affidavit/evidence/record/identity-section'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CredentialObserver } from '../../packages/sensor/src/identity/credential-observer.ts'
import type { Principals } from '../../packages/sensor/src/identity/principals.ts'
import { type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { githubClaims, gitlabClaims, type KeyServer, kubernetesClaims, startKeyServer } from './harness/key-server.ts'
import { digest, openObserver, resource, toRequest, trustedIssuers } from './harness/trust.ts'

let issuer: Issuer
let keys: KeyServer
let observer: CredentialObserver
const nowSeconds = Math.floor(Date.now() / 1000)

beforeAll(async () => {
  issuer = await startIssuer()
  keys = await startKeyServer()
  observer = openObserver(trustedIssuers(issuer, keys), issuer).observer
})
afterAll(async () => {
  observer.close()
  await keys.close()
  await issuer.stop()
})

/** What the record holds, as a reader of it sees it. */
async function recordOf(token: string): Promise<Principals> {
  const { principals } = await observer.observe(toRequest({ token }))
  const { agent: _, ...read } = parseIdentity(encodeIdentity({ agent: { absent: 'unnamed' }, ...principals }))
  return read
}

const attributesOf = (actor: Actor | { absent: string } | undefined) =>
  actor === undefined || 'absent' in actor
    ? undefined
    : Object.fromEntries((actor.attributes ?? []).map(({ name, value }) => [name, value]))

describe('the token of a GitHub Actions job [ID-3]', () => {
  it('makes the run the initiator, with what tells it from any other', async () => {
    const iss = keys.issuerOf('github')
    const token = await keys.sign('github', githubClaims(iss, resource, nowSeconds))
    const { delegation, user, workload, role, token: ref } = await recordOf(token)
    const grounds = { assurance: 'verified', method: 'jwt', source: iss, issuer: iss }
    expect(delegation).toHaveLength(1)
    expect(delegation[0]).toMatchObject({
      ...grounds,
      kind: 'job',
      id: 'acme/crm/actions/runs/12345678901',
      name: 'deploy',
    })
    expect(attributesOf(delegation[0])).toMatchObject({
      repository: 'acme/crm',
      workflow: 'deploy',
      ref: 'refs/heads/main',
      sha: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      run_id: '12345678901',
      run_attempt: '2',
      environment: 'production',
      actor: 'alice',
      job_workflow_ref: 'acme/crm/.github/workflows/deploy.yml@refs/heads/main',
    })
    expect(user).toMatchObject({ ...grounds, id: 'alice' })
    expect(workload).toHaveProperty('absent')
    expect(role).toEqual({
      assurance: 'verified',
      method: 'configuration',
      source: 'configuration',
      kind: 'role',
      id: 'deployer',
    })
    expect(ref).toMatchObject({ subject: 'repo:acme/crm:environment:production', audience: resource })
  })

  it('that is not believed names the run all the same, as claimed and with the reason', async () => {
    const claims = githubClaims(keys.issuerOf('github'), 'https://other.example', nowSeconds)
    const { delegation, role } = await recordOf(await keys.sign('github', claims))
    expect(delegation[0]).toMatchObject({
      kind: 'job',
      assurance: 'claimed',
      reason: 'wrong_audience: The token is for somebody else',
    })
    expect(role).toEqual({ absent: 'the configuration gives roles to verified tokens alone' })
  })
})

describe('the ID token of a GitLab job [ID-3]', () => {
  it('makes the job the initiator', async () => {
    const iss = keys.issuerOf('gitlab')
    const { delegation, user, role } = await recordOf(
      await keys.sign('gitlab', gitlabClaims(iss, resource, nowSeconds)),
    )
    expect(delegation[0]).toMatchObject({
      kind: 'job',
      id: 'acme/crm/-/jobs/302',
      name: 'pipeline 574',
      assurance: 'verified',
    })
    expect(attributesOf(delegation[0])).toMatchObject({
      project_path: 'acme/crm',
      pipeline_id: '574',
      job_id: '302',
      ref: 'main',
      environment: 'staging',
      user_login: 'bob',
    })
    expect(user).toMatchObject({ id: 'bob', assurance: 'verified' })
    expect(role).toMatchObject({ id: 'staging', source: 'claim environment', assurance: 'verified' })
  })
})

describe('the token of a Kubernetes service account [ID-4]', () => {
  it('makes the account the workload, with pod and node', async () => {
    const iss = keys.issuerOf('kubernetes')
    const { workload, user, delegation, role } = await recordOf(
      await keys.sign('kubernetes', kubernetesClaims(iss, resource, nowSeconds), { typ: undefined }),
    )
    expect(workload).toMatchObject({
      kind: 'workload',
      id: 'system:serviceaccount:crm:agent',
      assurance: 'verified',
      issuer: iss,
    })
    expect(attributesOf(workload)).toEqual({
      namespace: 'crm',
      serviceaccount: 'agent',
      serviceaccount_uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798',
      pod: 'agent-7c9f6b5d8-x2k4p',
      pod_uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3',
      node: 'node-1',
      node_uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1',
    })
    expect([user, delegation]).toEqual([{ absent: expect.any(String) }, []])
    expect(role).toMatchObject({ id: 'agent', source: 'claim kubernetes.io.serviceaccount.name' })
  })
})

describe('an access token [ID-2] [ID-5]', () => {
  it('names user, workload and role each alone, and is referred to by everything but itself', async () => {
    const token = await issuer.mint(resource, { roles: ['reader', 'writer'], preferred_username: 'Alice A.' })
    const { user, workload, role, token: ref } = await recordOf(token)
    expect(user).toMatchObject({ id: 'alice', name: 'Alice A.', assurance: 'verified' })
    expect(workload).toMatchObject({ id: 'agent', kind: 'workload', assurance: 'verified' })
    expect(role).toMatchObject({ id: 'reader writer', source: 'claim roles' })
    expect(ref).toEqual({
      assurance: 'verified',
      method: 'jwt',
      source: issuer.issuer,
      digest: digest(token),
      fingerprint: createHash('sha256').update(token).digest('base64'),
      issuer: issuer.issuer,
      subject: 'alice',
      audience: resource,
      clientId: 'agent',
      tokenId: 'j-1',
      expires: expect.stringMatching(/Z$/),
    })
  })

  it('is recorded though the configuration names it by more than a record takes [ID-5]', async () => {
    const long = `${resource}/${'x'.repeat(900)}`
    const { observer: own } = openObserver(
      [{ issuer: issuer.issuer, audiences: [long], role: { value: 'ü'.repeat(256) } }],
      issuer,
    )
    const { principals } = await own.observe(toRequest({ token: await issuer.mint(long) }))
    own.close()
    const { token, role } = parseIdentity(encodeIdentity({ agent: { absent: 'unnamed' }, ...principals }))
    expect([token, role]).toMatchObject([
      { audience: expect.stringMatching(/x…$/) },
      { id: expect.stringMatching(/ü…$/) },
    ])
  })

  it('is the same object in every call, and told once [ID-6]', async () => {
    const token = await issuer.mint(resource, { jti: 'once' })
    const [first, second] = [await observer.observe(toRequest({ token })), await observer.observe(toRequest({ token }))]
    expect(second.principals).toBe(first.principals)
    expect(first.events.map(({ detail }) => detail)).toEqual([
      { event: 'admitted', mode: 'observe', fingerprint: digest(token), expires: expect.any(String) },
    ])
    expect(second.events).toEqual([])
    const bad = await issuer.mint('https://other.example', { jti: 'twice' })
    const [refused, again] = [
      await observer.observe(toRequest({ token: bad })),
      await observer.observe(toRequest({ token: bad })),
    ]
    expect(again.principals).toBe(refused.principals)
    expect(refused.events.map(({ detail }) => detail)).toEqual([
      { event: 'refused', mode: 'observe', code: 'wrong_audience', fingerprint: digest(bad) },
    ])
    expect(again.events).toEqual([])
  })

  it('costs its signature check once in a minute, good or bad [ID-6]', async () => {
    const nowMs = Date.now()
    for (const audience of [resource, 'https://other.example']) {
      const token = await issuer.mint(audience, { jti: crypto.randomUUID() })
      await observer.observe(toRequest({ token }, nowMs))
      const { verify } = crypto.subtle
      let checks = 0
      crypto.subtle.verify = (...given: Parameters<typeof verify>) => {
        checks++
        return verify.apply(crypto.subtle, given)
      }
      try {
        for (let i = 0; i < 50; i++) await observer.observe(toRequest({ token }, nowMs + i * 1000))
        expect(checks).toBe(0)
        await observer.observe(toRequest({ token }, nowMs + 61_000))
        expect(checks).toBe(1)
      } finally {
        crypto.subtle.verify = verify
      }
    }
  })

  it('shared by many concurrent calls is verified once [ID-6]', async () => {
    const { verify } = crypto.subtle
    const token = await issuer.mint(resource, { jti: 'concurrent' })
    let checks = 0
    crypto.subtle.verify = (...given: Parameters<typeof verify>) => {
      checks++
      return verify.apply(crypto.subtle, given)
    }
    try {
      const all = await Promise.all(Array.from({ length: 20 }, () => observer.observe(toRequest({ token }))))
      expect(new Set(all.map(({ principals }) => principals)).size).toBe(1)
      expect(checks).toBe(1)
    } finally {
      crypto.subtle.verify = verify
    }
  })
})

describe('other credentials', () => {
  it('stay claimed with the reason, and no credential is no refusal [ID-1]', async () => {
    const basic = `Basic ${Buffer.from('alice:a-password-that-is-long-enough').toString('base64')}`
    const request = { ...toRequest({ token: '' }), headers: [['authorization', basic] as const] }
    const { principals, events } = await observer.observe(request)
    expect(principals.user).toMatchObject({
      id: 'alice',
      assurance: 'claimed',
      reason: expect.stringMatching(/^scheme_refused: /),
    })
    expect(principals.token).not.toHaveProperty('fingerprint')
    expect(events[0]?.detail).toMatchObject({ event: 'refused', mode: 'observe', code: 'scheme_refused' })
    const nobody = await observer.observe({ ...request, headers: [] })
    expect(nobody).toEqual({
      principals: expect.objectContaining({ token: { absent: 'the request has no Authorization header' } }),
      events: [],
    })
  })
})
