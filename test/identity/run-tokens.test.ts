import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCalls, readSpool } from '../middleware/harness/spooled.ts'
import { issuer, keys } from './harness/issuers.ts'
import { gitlabClaims, kubernetesClaims } from './harness/key-server.ts'
import { hello, makeFolder, type RunningServer, startRun } from './harness/stdio.ts'
import { opaqueResource, trustedIssuers } from './harness/trust.ts'

const resource = 'https://gateway.example/mcp/crm'

/** A server wrapped with the trust that the gateway of these tests has, and a token. */
async function runWith(token: object, env: Record<string, string> = {}, changes: object = {}) {
  const home = join(makeFolder(), 'home')
  const config = JSON.stringify({ identity: { token, issuers: trustedIssuers(issuer, keys, changes) } })
  const running = startRun({ home, config, env: { CRM_CLIENT_SECRET: issuer.secret, ...env } })
  await running.ask('initialize', hello)
  const codes = async () =>
    (await readSpool(home)).flatMap(({ header }) => {
      if (header.kind !== 'auth') return []
      const { event, code } = header.detail
      return [code ?? event]
    })
  const judged = (...expected: string[]) => expect.poll(codes, { timeout: 15_000 }).toEqual(expected)
  return { home, running, judged }
}

async function lastIdentity(home: string, running: RunningServer) {
  await running.ask('tools/call', { name: 'echo' })
  return (await readCalls(home)).at(-1)?.sections.identity
}

const seconds = () => Math.floor(Date.now() / 1000)

describe('on stdio a token means what it means at the gateway', () => {
  it('of a GitLab job: its run is the initiator, who started it the user, and the kernel names the workload [AT-6] [ID-3]', async () => {
    const token = await keys.sign('gitlab', gitlabClaims(keys.issuerOf('gitlab'), resource, seconds()))
    const { home, running, judged } = await runWith({ env: 'CI_TOKEN' }, { CI_TOKEN: token })
    await judged('admitted')
    const identity = await lastIdentity(home, running)
    await running.end()
    const source = 'environment variable CI_TOKEN'
    expect(identity).toMatchObject({
      user: { id: 'bob', assurance: 'verified', source },
      delegation: [{ kind: 'job', id: 'acme/crm/-/jobs/302', name: 'pipeline 574', assurance: 'verified', source }],
      workload: { assurance: 'attested' },
    })
  }, 60_000)

  it('of a Kubernetes account: it stands in the chain, and displaces nobody whom the kernel attests [AT-6] [ID-4]', async () => {
    const file = join(makeFolder(), 'token')
    writeFileSync(
      file,
      await keys.sign('kubernetes', kubernetesClaims(keys.issuerOf('kubernetes'), resource, seconds())),
    )
    const { home, running, judged } = await runWith({ file })
    await judged('admitted')
    const identity = await lastIdentity(home, running)
    await running.end()
    expect(identity).toMatchObject({
      user: { assurance: 'attested', method: 'os-user' },
      workload: { assurance: 'attested', method: 'parent-process' },
      delegation: [{ kind: 'workload', id: 'system:serviceaccount:crm:agent', assurance: 'verified' }],
      role: { id: 'agent', assurance: 'verified' },
    })
  }, 60_000)

  it('that is opaque is asked about again and again, and counts no more when it is revoked [AT-6] [AT-7] [ID-8]', async () => {
    const token = await issuer.grant(opaqueResource)
    const { home, running, judged } = await runWith({ env: 'CI_TOKEN' }, { CI_TOKEN: token }, { cacheSeconds: 1 })
    await judged('admitted')
    expect(await lastIdentity(home, running)).toMatchObject({
      token: { assurance: 'verified', method: 'introspection', clientId: 'batch-job' },
    })
    await issuer.revoke(token)
    await judged('admitted', 'token_inactive')
    expect(await lastIdentity(home, running)).toMatchObject({
      token: { assurance: 'claimed', reason: expect.stringMatching(/^token_inactive: /) },
    })
    await running.end()
    expect(running.errors()).toBe('')
  }, 60_000)

  it('that is bound to a key proves nothing without it [AT-6] [ID-9]', async () => {
    const token = await issuer.mint(resource, { cnf: { jkt: 'a'.repeat(43) } })
    const { home, running, judged } = await runWith({ env: 'CI_TOKEN' }, { CI_TOKEN: token })
    await judged('dpop_missing')
    const identity = await lastIdentity(home, running)
    await running.end()
    expect(identity?.delegation).toMatchObject([
      { id: 'alice', assurance: 'claimed', reason: expect.stringMatching(/^dpop_missing: /) },
      { id: 'agent', assurance: 'claimed' },
    ])
  }, 60_000)

  it('whose issuer is silent is a claim from the first call on, which waits for nobody [AT-6]', async () => {
    const token = await keys.sign('gitlab', gitlabClaims('http://127.0.0.1:9/gitlab', resource, seconds()))
    const home = join(makeFolder(), 'home')
    const silent = { issuer: 'http://127.0.0.1:9/gitlab', kind: 'gitlab-ci', audiences: [resource] }
    const config = JSON.stringify({ identity: { token: { env: 'CI_TOKEN' }, issuers: [silent] } })
    const running = startRun({ home, config, env: { CI_TOKEN: token } })
    await running.ask('initialize', hello)
    const identity = await lastIdentity(home, running)
    await running.end()
    expect(identity?.delegation).toMatchObject([
      { kind: 'job', id: 'acme/crm/-/jobs/302', assurance: 'claimed' },
      { id: 'bob', assurance: 'claimed' },
    ])
  }, 60_000)

  it('whose trust cannot be read is told before the server starts [ID-11]', async () => {
    const config = JSON.stringify({ identity: { token: { env: 'T' }, issuers: trustedIssuers(issuer, keys) } })
    const running = startRun({ home: join(makeFolder(), 'home'), config })
    expect(await running.end()).toBe(2)
    expect(running.errors()).toMatch(/CRM_CLIENT_SECRET is not set.*\[AFD_SECRET_UNREADABLE\]/s)
  }, 60_000)
})
