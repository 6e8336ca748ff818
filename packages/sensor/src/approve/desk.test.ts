import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import {
  type ApprovalStatement,
  encodeApprovalStatement,
  parseApprovalRequest,
  toApprovalMessage,
} from '@affidavit/evidence/wire/approval'
import { encodeSignedLine } from '@affidavit/evidence/wire/signed-line'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDigester } from '../crypto/digester.ts'
import type { ApprovalQuestion } from '../policy/approval.ts'
import type { PolicyRequest } from '../policy/decision-point.ts'
import { openApprovalFiles } from './approval-files.ts'
import { openDesk } from './desk.ts'

const digest = createDigester(Buffer.alloc(32, 7))
const grounds = { assurance: 'claimed', method: 'client-info', source: 'test' } as const
const none = { absent: 'none' }
const identityOf = (agent: string) =>
  encodeIdentity({
    agent: { ...grounds, id: agent },
    workload: none,
    user: { ...grounds, assurance: 'verified', id: 'alice', issuer: 'https://idp' },
    role: none,
    token: none,
    delegation: [],
  })
const request = (changes: Partial<PolicyRequest> = {}): PolicyRequest => ({
  method: 'tools/call',
  isKnownMethod: true,
  effect: 'destructive',
  server: 'crm',
  target: { type: 'Tool', name: 'delete_customer', isListed: true },
  identity: identityOf('bot'),
  classification: { level: 'internal', tags: [] },
  resources: undefined,
  arguments: Buffer.from('{"id":17,"password":"hunter2"}'),
  timeMs: Date.now(),
  session: undefined,
  ...changes,
})
const asking = (changes: Partial<PolicyRequest> = {}, keepsValues = true): ApprovalQuestion => ({
  request: request(changes),
  callId: '019aa0f5-999b-7001-8a2b-3c4d5e6f7081',
  policies: ['two-people'],
  privacy: {
    keepsValues,
    redact: (json) => Buffer.from(Buffer.from(json).toString().replaceAll('hunter2', '[REDACTED]')),
  },
  digest,
})

const keyOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
const maria = generateKeyPairSync('ed25519')
const mallory = generateKeyPairSync('ed25519')

function open(terms = { openSeconds: 600, windowSeconds: 600, uses: 1 }, alsoKnownAs: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-approvals-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const said: string[] = []
  const anew = () =>
    openDesk({
      files: openApprovalFiles(folder),
      terms,
      approvers: [{ id: 'maria', key: keyOf(maria.publicKey), alsoKnownAs }],
      diagnose: (code) => said.push(code),
    })
  return { folder, said, anew, desk: anew() }
}

interface Forgery {
  key?: typeof maria
  named?: typeof maria
  change?: (statement: ApprovalStatement) => ApprovalStatement
}

/** What `affidavit approve` writes; or what somebody forges. */
function decide(
  folder: string,
  id: string | undefined,
  { key = maria, named = key, change = (statement) => statement }: Forgery = {},
): void {
  const asked = parseApprovalRequest(readFileSync(join(folder, `${id}.request`)))
  const at = new Date()
  const until = new Date(at.getTime() + asked.windowSeconds * 1000)
  const line = encodeApprovalStatement(
    change({
      v: 1,
      verdict: 'approved',
      at: at.toISOString(),
      until: until.toISOString(),
      key: keyOf(named.publicKey),
      request: asked,
    }),
  )
  const signature = sign(null, toApprovalMessage(line), key.privateKey)
  writeFileSync(join(folder, `${id}.verdict`), encodeSignedLine({ line, signature }))
}

const ids = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.request'))

describe('a call that somebody has to approve', () => {
  it('waits under one id, goes on once when it is approved, and then waits again [AP-1] [AP-2]', async () => {
    const { folder, desk } = open()
    const first = await desk.settle(asking())
    expect(first).toEqual({ state: 'required', id: expect.any(String) })
    expect(await desk.settle(asking())).toEqual(first)
    decide(folder, first.id)
    const both = await Promise.all([desk.settle(asking()), desk.settle(asking())])
    expect(both[0]).toEqual({
      state: 'granted',
      id: first.id,
      approver: { id: 'maria', assurance: 'verified', method: 'ed25519' },
    })
    expect(both[1]).toEqual({
      state: 'required',
      id: expect.not.stringMatching(first.id ?? ''),
      problem: 'already_used',
    })
  })

  it('is let through once by two processes, and by one whose claims were taken away [AP-2]', async () => {
    const { folder, desk, anew } = open()
    const { id } = await desk.settle(asking())
    decide(folder, id)
    const answers = await Promise.all([desk, anew(), anew()].map((each) => each.settle(asking())))
    expect(answers.filter(({ state }) => state === 'granted')).toHaveLength(1)
    const user = open()
    const asked = await user.desk.settle(asking())
    decide(user.folder, asked.id)
    expect((await user.desk.settle(asking())).state).toBe('granted')
    rmSync(join(user.folder, `${asked.id}.use-1`))
    expect(await user.desk.settle(asking())).toMatchObject({ state: 'required', problem: 'already_used' })
  })

  it('goes on as often as is configured [AP-2]', async () => {
    const { folder, desk } = open({ openSeconds: 600, windowSeconds: 600, uses: 2 })
    decide(folder, (await desk.settle(asking())).id)
    const states = []
    for (let i = 0; i < 3; i++) states.push((await desk.settle(asking())).state)
    expect(states).toEqual(['granted', 'granted', 'required'])
  })

  it.each<[string, Partial<PolicyRequest>, string | undefined]>([
    ['other arguments', { arguments: Buffer.from('{"id":18,"password":"hunter2"}') }, 'arguments_differ'],
    ['the same in other bytes', { arguments: Buffer.from('{"password":"hunter2","id":17}') }, 'arguments_differ'],
    [
      'another secret, which nobody is shown',
      { arguments: Buffer.from('{"id":17,"password":"other"}') },
      'arguments_differ',
    ],
    ['another tool', { target: { type: 'Tool', name: 'drop_all', isListed: true } }, undefined],
    ['another server', { server: 'erp' }, undefined],
    ['another agent', { identity: identityOf('other') }, undefined],
    ['another effect by now', { effect: 'external-send' }, 'request_differs'],
  ])('is not let through by an approval of %s [AP-3]', async (_, changes, problem) => {
    const { folder, desk } = open()
    const { id } = await desk.settle(asking())
    decide(folder, id)
    const other = await desk.settle(asking(changes))
    expect(other).toEqual({ state: 'required', id: expect.any(String), ...(problem === undefined ? {} : { problem }) })
    expect(other.id).not.toBe(id)
    expect((await desk.settle(asking())).state).toBe('granted')
  })

  it.each<[string, Forgery, string]>([
    ['signed by a key that nobody registered', { key: mallory }, 'not_an_approver'],
    ['signed by another key than the one it names', { key: mallory, named: maria }, 'bad_signature'],
    [
      'whose window was made longer',
      { change: (each) => ({ ...each, until: new Date(Date.now() + 3_600_000).toISOString() }) },
      'expired',
    ],
    ['that is over', { change: (each) => ({ ...each, until: new Date(Date.now() - 1).toISOString() }) }, 'expired'],
    [
      'of the time to come',
      {
        change: (each) => ({
          ...each,
          at: new Date(Date.now() + 120_000).toISOString(),
          until: new Date(Date.now() + 240_000).toISOString(),
        }),
      },
      'expired',
    ],
    [
      'of something else that was shown',
      { change: (each) => ({ ...each, request: { ...each.request, arguments: '{"id":1}' } }) },
      'request_differs',
    ],
    ['for more calls', { change: (each) => ({ ...each, request: { ...each.request, uses: 50 } }) }, 'request_differs'],
  ])('is not let through by a statement %s [AP-4]', async (_, forgery, problem) => {
    const { folder, desk } = open()
    const { id } = await desk.settle(asking())
    decide(folder, id, forgery)
    expect(await desk.settle(asking())).toEqual({ state: 'required', id: expect.any(String), problem })
  })

  it('is not let through by files that the approver was not asked about [AP-4]', async () => {
    const { folder, desk } = open()
    const { id } = await desk.settle(asking())
    // He is shown harmless arguments, under the digest of others.
    const path = join(folder, `${id}.request`)
    writeFileSync(path, readFileSync(path, 'utf8').replace('\\"id\\":17', '\\"id\\":1'))
    decide(folder, id)
    expect(await desk.settle(asking())).toMatchObject({ state: 'required', problem: 'request_differs' })
    // A good statement, under another id.
    const next = open()
    const { id: good } = await next.desk.settle(asking())
    decide(next.folder, good)
    expect((await next.desk.settle(asking())).state).toBe('granted')
    const { id: fresh } = await next.desk.settle(asking())
    writeFileSync(join(next.folder, `${fresh}.verdict`), readFileSync(join(next.folder, `${good}.verdict`)))
    expect(await next.desk.settle(asking())).toMatchObject({ state: 'required', problem: 'request_differs' })
    for (const junk of ['', 'x', '{}\nAAAA\n']) {
      const { id: waiting } = await next.desk.settle(asking())
      writeFileSync(join(next.folder, `${waiting}.verdict`), junk)
      expect(await next.desk.settle(asking())).toMatchObject({ state: 'required', problem: 'bad_signature' })
    }
    expect(next.said).toEqual([])
  })

  it.each([
    ['the user', ['alice']],
    ['the agent, by its own word', ['bot']],
  ])('is not approved by %s who asks [AP-5]', async (_, alsoKnownAs) => {
    const { folder, desk } = open(undefined, alsoKnownAs)
    const { id } = await desk.settle(asking())
    decide(folder, id)
    expect(await desk.settle(asking())).toMatchObject({ state: 'required', problem: 'same_person' })
  })

  it('stays refused where somebody said no [AP-6]', async () => {
    const { folder, desk, anew } = open()
    const { id } = await desk.settle(asking())
    decide(folder, id, { change: (each) => ({ ...each, verdict: 'denied' }) })
    for (const each of [desk, anew()])
      expect(await each.settle(asking())).toMatchObject({ state: 'denied', id, approver: { id: 'maria' } })
  })
})

describe('requests', () => {
  it('hold nothing that redaction matched, and no value at level metadata [AP-7]', async () => {
    const { folder, desk } = open()
    await desk.settle(asking())
    const kept = ids(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    expect(kept.join()).toContain('{\\"id\\":17,\\"password\\":\\"[REDACTED]\\"}')
    expect(kept.join()).not.toContain('hunter2')
    const bare = open()
    await bare.desk.settle(asking({ target: { type: 'Resource', name: 'file:///srv/17', isListed: false } }, false))
    const reduced = ids(bare.folder).map((name) => readFileSync(join(bare.folder, name), 'utf8'))
    expect(reduced).toHaveLength(1)
    expect(reduced.join()).not.toMatch(/17"|srv|password/)
  })

  it('are bounded, and those that are over are removed [AP-7]', async () => {
    const { folder, desk } = open()
    const flood = (i: number) => asking({ arguments: Buffer.from(`{"id":${i}}`) })
    for (let i = 0; i < 32; i++) expect((await desk.settle(flood(i))).id).toBeDefined()
    expect(await desk.settle(flood(32))).toEqual({ state: 'required', problem: 'too_many_pending' })
    expect((await desk.settle(asking({ identity: identityOf('other') }))).id).toBeDefined()
    const over = open({ openSeconds: -10, windowSeconds: 1, uses: 1 })
    await over.desk.settle(asking())
    await over.desk.settle(asking())
    expect(ids(over.folder)).toHaveLength(1)
    expect(ids(folder)).toHaveLength(33)
  })

  it('are for calls that can be bound, and a folder that fails refuses [AP-7]', async () => {
    const { folder, desk, said } = open()
    const target = { type: 'Tool', name: '', isListed: false } as const
    for (const changes of [{ target: undefined }, { target }, { argumentsMissing: 'too_large' as const }])
      expect(await desk.settle(asking(changes))).toEqual({ state: 'required', problem: 'not_bindable' })
    const hostile = { ...target, name: `\ud800${'x'.repeat(5000)}` }
    const json = Buffer.from(
      `{"a":"\\ud800","a":${'['.repeat(5000)}${']'.repeat(5000)},"b":"${'\u00e9'.repeat(20_000)}"}`,
    )
    const policies = Array.from({ length: 100 }, (_, i) => `p${i}`)
    const question = { ...asking({ target: hostile, arguments: json }), policies }
    const { id } = await desk.settle(question)
    expect(id).toBeDefined()
    decide(folder, id)
    expect((await desk.settle(question)).state).toBe('granted')
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'a file')
    expect(await desk.settle(asking())).toEqual({ state: 'required', problem: 'store_failed' })
    expect(said).toEqual(['AFD_APPROVALS_UNUSABLE'])
  })
})
