import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Issuer, startIssuer } from '../authorization/harness/issuer.ts'
import { type Running, runCli } from '../gateway/harness/cli.ts'
import { filesHolding, makeFolder, startRun } from '../identity/harness/stdio.ts'
import { readSpool, toCalls } from '../middleware/harness/spooled.ts'
import { type Approving, drop, end, openApproving } from './harness/approving.ts'

const resource = 'https://gateway.example/approvals'

async function openTokens(): Promise<Approving & { issuer: Issuer; approve: ReturnType<typeof approver> }> {
  const issuer = await startIssuer()
  onTestFinished(() => issuer.stop())
  const approvals = `issuers: [{ issuer: "${issuer.issuer}", audiences: ["${resource}"] }]
    tokenApprovers:
      - { issuer: "${issuer.issuer}", subject: maria, alsoKnownAs: [maria-agent] }
      - { issuer: "${issuer.issuer}", role: approver }`
  const at = await openApproving({ approvals })
  return { ...at, issuer, approve: approver(at.folder, issuer) }
}

/** `affidavit approve` with a token of somebody, as these claims have it. */
function approver(folder: string, issuer: Issuer) {
  return async (gateway: Running, claims: object, ...words: string[]) => {
    const token = await issuer.mint(resource, { client_id: 'cli', ...claims })
    const file = join(folder, 'token')
    writeFileSync(file, `${token}\n`)
    const said = await runCli(['approve', ...words, '--gateway', gateway.base, '--token-file', file, '--yes'])
    return { ...said, token }
  }
}

describe('a call that somebody approves by a token', () => {
  it('goes on once; the gateway verified the token, which is written nowhere [AP-2] [AP-8] [AP-11]', async () => {
    const { start, issuer, approve, home, served } = await openTokens()
    const gateway = await start()
    const { approvalId: id } = (await drop(gateway)).error.data
    expect((await approve(gateway, { sub: 'maria' })).out).toContain(id)
    const { code, out, err, token } = await approve(gateway, { sub: 'maria' }, id)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/tools\/call drop on one[\s\S]*Approved and recorded\./)
    expect((await approve(gateway, { sub: 'maria' }, id)).err).toContain('AFD_APPROVAL_DECIDED')
    expect(await drop(gateway)).toHaveProperty('result')
    expect(await drop(gateway)).toMatchObject({ error: { data: { problem: 'already_used' } } })
    expect(served).toEqual(['drop'])
    await end(gateway)

    const records = await readSpool(home, 'closed')
    const [decided] = records.filter(({ header }) => header.kind === 'approval')
    expect(decided?.header).toMatchObject({ detail: { verdict: 'approved', approvalId: id, method: 'token' } })
    expect(decided?.sections.identity).toMatchObject({
      user: { id: 'maria', assurance: 'verified', method: 'jwt', issuer: issuer.issuer },
      token: { assurance: 'verified', digest: expect.any(String) },
    })
    const granted = toCalls(records).find(({ requested }) => requested.decision.disposition === 'granted')
    expect(granted?.sections.decision.approval).toEqual({
      state: 'granted',
      id,
      approver: { id: 'maria', assurance: 'verified', method: 'jwt', issuer: issuer.issuer },
    })
    expect(filesHolding(home, [token, token.split('.')[2] ?? ''])).toEqual([])
  }, 60_000)

  it('is decided by nobody who is not proven to be another person that may [AP-5] [AP-11]', async () => {
    const { start, approve, served, issuer, home } = await openTokens()
    const gateway = await start()
    const { approvalId: id } = (await drop(gateway)).error.data
    const attempts: [object, string][] = [
      [{ sub: 'bob' }, 'AFD_APPROVAL_NOT_APPROVER'],
      [{ sub: 'bob', roles: ['writer'] }, 'AFD_APPROVAL_NOT_APPROVER'],
      [{ sub: 'cli', roles: ['approver'] }, 'AFD_APPROVAL_NOT_APPROVER'],
      [{ sub: 'maria', exp: 1000 }, 'AFD_APPROVAL_TOKEN_REFUSED'],
      [{ sub: 'maria', aud: 'https://elsewhere.example' }, 'AFD_APPROVAL_TOKEN_REFUSED'],
      [{ sub: 'maria', iss: 'https://elsewhere.example' }, 'AFD_APPROVAL_TOKEN_REFUSED'],
    ]
    for (const [claims, code] of attempts) {
      const { err, code: exit } = await approve(gateway, claims, id)
      expect([claims, exit, err]).toEqual([claims, 2, expect.stringContaining(code)])
    }
    for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: 'Basic eDp5' }])
      expect((await fetch(`${gateway.base}/approvals/${id}`, { method: 'POST', headers })).status).toBe(401)
    const own = (await drop(gateway, {}, 'maria-agent')).error.data.approvalId
    expect((await approve(gateway, { sub: 'maria' }, own)).err).toContain('AFD_APPROVAL_SAME_PERSON')
    const bearer = await issuer.mint(resource, { sub: 'maria', client_id: 'cli' })
    const post = (body: string) =>
      fetch(`${gateway.base}/approvals/${id}`, { method: 'POST', headers: { authorization: `Bearer ${bearer}` }, body })
    for (const body of ['', '{}', `{"verdict":"approved","request":"AAAA"}`, 'x'.repeat(5000)])
      expect([body.slice(0, 9), (await post(body)).status]).toEqual([body.slice(0, 9), 409])
    expect(await drop(gateway)).toMatchObject({ error: { data: { approvalId: id } } })
    expect((await approve(gateway, { sub: 'bob', roles: ['approver'] }, id)).code).toBe(0)
    expect(await drop(gateway)).toHaveProperty('result')
    expect(served).toEqual(['drop'])
    await end(gateway)
    const refused = (await readSpool(home, 'closed')).filter(({ header }) => header.kind === 'auth')
    expect(refused.map(({ header }) => 'detail' in header && header.detail)).toContainEqual({
      event: 'refused',
      code: 'token_expired',
    })
  }, 60_000)

  it('counts in the gateway that verified it, while a denial outlives it [AP-6] [AP-11]', async () => {
    const { start, approve, served } = await openTokens()
    const first = await start()
    const { approvalId: id } = (await drop(first)).error.data
    const { approvalId: other } = (await drop(first, { table: 'users' })).error.data
    expect((await approve(first, { sub: 'maria' }, id)).code).toBe(0)
    expect((await approve(first, { sub: 'maria' }, other, '--deny')).out).toContain('Denied and recorded.')
    expect(await drop(first, { table: 'users' })).toMatchObject({ error: { data: { problem: 'denied' } } })
    await end(first)
    const second = await start()
    expect(await drop(second)).toMatchObject({ error: { data: { approvalId: id } } })
    expect(await drop(second, { table: 'users' })).toMatchObject({ error: { data: { problem: 'denied' } } })
    expect(served).toEqual([])
    const codes = new Set<number>()
    for (let i = 0; i < 130; i++) codes.add((await fetch(`${second.base}/approvals`)).status)
    expect([...codes]).toEqual([401, 429])
  }, 60_000)

  it('is not offered where nobody could present one: a run says so before it starts its server [AP-11]', async () => {
    const issuers =
      'issuers: [{ issuer: https://idp.example, audiences: [x] }], tokenApprovers: [{ issuer: https://idp.example, subject: a }]'
    const session = startRun({
      home: join(makeFolder(), 'home'),
      config: `policy: { files: [p.cedar], approvals: { ${issuers} } }\n`,
    })
    await new Promise((resolve) => session.process.on('close', resolve))
    expect(session.errors()).toMatch(/policy\.approvals\.issuers: stdio has no place.*\[AFD_CONFIG_INVALID\]/)
  }, 60_000)
})
