import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../gateway/harness/cli.ts'
import { ask, call } from '../gateway/harness/gatewayed.ts'
import { startRun } from '../identity/harness/stdio.ts'
import { readSpool, toCalls } from '../middleware/harness/spooled.ts'
import { drop, end, makeKey, openApproving, twoPeople } from './harness/approving.ts'

const required = (problem?: string) => ({
  error: {
    code: -31004,
    data: {
      code: 'AFD_POLICY_DENIED',
      cause: 'approval_required',
      retry: false,
      executed: false,
      policies: ['two-people'],
      approvalId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...(problem === undefined ? {} : { problem }),
    },
  },
})

describe('a call through a gateway that somebody else has to approve', () => {
  it('is refused with an id, goes on once when it is approved by key, and all of it is on record [AP-1] [AP-2] [AP-8]', async () => {
    const at = await openApproving()
    const gateway = await at.start()
    const approve = (...words: string[]) => runCli(['approve', ...words, '--home', at.home])
    const refused = await drop(gateway)
    expect(refused).toMatchObject(required())
    const { approvalId: id, callId } = refused.error.data
    expect(refused.error.message).toContain(`affidavit approve ${id}`)
    expect((await approve()).out).toContain(`${id}  `)
    expect(await approve(id)).toMatchObject({
      code: 2,
      out: expect.stringMatching(/tools\/call drop on one[\s\S]*\{"table":"logs"\}[\s\S]*agent bot \(claimed\)/),
      err: expect.stringContaining('--key FILE'),
    })
    expect(await drop(gateway)).toMatchObject({ error: { data: { approvalId: id } } })
    const legacy = await ask(`${gateway.base}/mcp/one`, { body: call(1, 'drop') })
    expect(legacy.status).toBe(200)
    expect(JSON.parse(legacy.body.toString())).toMatchObject(required())

    const approved = await approve(id, '--key', at.maria.file, '--yes')
    expect(approved).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Approved and recorded.') })
    expect(await drop(gateway, { table: 'users' })).toMatchObject(required('arguments_differ'))
    expect(at.served).toEqual([])
    expect(await drop(gateway)).toHaveProperty('result')
    expect(await drop(gateway)).toMatchObject(required('already_used'))
    expect(at.served).toEqual(['drop'])
    expect((await approve(id, '--key', at.maria.file, '--yes')).err).toContain('AFD_APPROVAL_DECIDED')
    await end(gateway)

    const records = await readSpool(at.home, 'closed')
    const [decided] = records.filter(({ header }) => header.kind === 'approval')
    expect(decided?.header).toMatchObject({
      server: { name: 'one' },
      detail: { verdict: 'approved', approvalId: id, callId, method: 'ed25519', uses: 1 },
    })
    expect(decided?.sections.identity.user).toMatchObject({ id: `ed25519:${at.maria.key}`, assurance: 'verified' })
    expect(decided?.sections.input).toMatchObject({
      statement: { verdict: 'approved', request: { id, target: { name: 'drop' }, arguments: '{"table":"logs"}' } },
      signature: expect.any(String),
    })
    const decisions = toCalls(records).map(({ requested, sections }) => [
      requested.decision.disposition,
      sections.decision,
    ])
    expect(decisions[0]).toMatchObject(['denied', { approval: { state: 'required', id } }])
    expect(decisions.find(([disposition]) => disposition === 'granted')?.[1]).toMatchObject({
      approval: { state: 'granted', id, approver: { id: 'maria', assurance: 'verified', method: 'ed25519' } },
      rationale: expect.stringContaining(`maria approved it (verified, ed25519; ${id})`),
    })
  }, 60_000)

  it('is not approved by a stranger, nor by whoever asks, nor by what a peer of the same user forges [AP-4] [AP-5]', async () => {
    const at = await openApproving()
    const gateway = await at.start()
    const { approvalId: id } = (await drop(gateway)).error.data
    const mallory = makeKey(at.folder, 'mallory')
    const approve = (of: string, file: string) => runCli(['approve', of, '--key', file, '--yes', '--home', at.home])
    expect(await approve(id, mallory.file)).toMatchObject({
      code: 2,
      err: expect.stringContaining('AFD_APPROVAL_NOT_APPROVER'),
    })
    // He may write here as we do: then he puts himself among those who may.
    const path = join(at.home, 'approvals', `${id}.approvers`)
    writeFileSync(path, JSON.stringify([{ id: 'maria', key: mallory.key, alsoKnownAs: [] }]))
    expect((await approve(id, mallory.file)).code).toBe(0)
    expect(await drop(gateway)).toMatchObject(required('not_an_approver'))
    const own = (await drop(gateway, {}, 'maria-agent')).error.data.approvalId
    expect(await approve(own, at.maria.file)).toMatchObject({
      code: 2,
      err: expect.stringContaining('AFD_APPROVAL_SAME_PERSON'),
    })
    expect((await runCli(['approve', '019aa0f5-999b-7001-8a2b-3c4d5e6f7081', '--home', at.home])).err).toContain(
      'AFD_APPROVAL_UNKNOWN',
    )
    expect(at.served).toEqual([])
  }, 60_000)

  it('stays refused where somebody says no, and is over when its time is [AP-3] [AP-6]', async () => {
    const at = await openApproving({ terms: 'windowSeconds: 1' })
    const gateway = await at.start()
    const { approvalId: id } = (await drop(gateway)).error.data
    const words = ['--key', at.maria.file, '--yes', '--home', at.home]
    expect((await runCli(['approve', id, '--deny', ...words])).out).toContain('Denied and recorded.')
    expect(await drop(gateway)).toMatchObject({ error: { data: { approvalId: id, problem: 'denied' } } })
    const { approvalId: late } = (await drop(gateway, { table: 'old' })).error.data
    await runCli(['approve', late, ...words])
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await drop(gateway, { table: 'old' })).toMatchObject(required('expired'))
    expect(at.served).toEqual([])
  }, 60_000)

  it('is let through once where two gateways share a home [AP-2]', async () => {
    const at = await openApproving()
    const gateways = [await at.start(), await at.start()] as const
    const { approvalId: id } = (await drop(gateways[0])).error.data
    await runCli(['approve', id, '--key', at.maria.file, '--yes', '--home', at.home])
    const answers = await Promise.all([...gateways, ...gateways].map((each) => drop(each)))
    expect(answers.filter((answer) => 'result' in answer)).toHaveLength(1)
    expect(at.served).toEqual(['drop'])
  }, 60_000)

  it('goes on under observation, and the record says what would have been asked [AP-9]', async () => {
    const at = await openApproving({ mode: 'observe' })
    const gateway = await at.start()
    expect(await drop(gateway)).toHaveProperty('result')
    await end(gateway)
    const [only] = toCalls(await readSpool(at.home, 'closed'))
    expect(only?.requested.decision).toEqual({ disposition: 'denied', mode: 'observe' })
    expect(only?.sections.decision.approval).toEqual({ state: 'would_be_required' })
    expect(readdirSync(at.home)).not.toContain('approvals')
  }, 60_000)
})

describe('a call through affidavit run that somebody else has to approve', () => {
  it('goes on once when it is approved by key [AP-1] [AP-2]', async () => {
    const at = await openApproving()
    const policy = `policy: { mode: enforce, files: [${join(at.folder, 'p.cedar')}], approvals: { approvers: [{ id: maria, key: ${at.maria.key} }] } }\n`
    expect(readFileSync(join(at.folder, 'p.cedar'), 'utf8')).toBe(twoPeople)
    const session = startRun({ home: at.home, config: policy })
    const send = () => session.ask('tools/call', { name: 'drop', arguments: { table: 'logs' } })
    const refused = await send()
    expect(refused).toMatchObject(required())
    const { out } = await runCli(['approve', '--json', '--home', at.home])
    const [{ id, actors }] = JSON.parse(out)
    expect(refused).toMatchObject({ error: { data: { approvalId: id } } })
    expect(actors).toContainEqual(expect.objectContaining({ as: 'user', assurance: 'attested' }))
    await runCli(['approve', id, '--key', at.maria.file, '--yes', '--home', at.home])
    expect(await send()).toHaveProperty('result')
    expect(await send()).toMatchObject(required('already_used'))
    await session.end()
  }, 60_000)
})
