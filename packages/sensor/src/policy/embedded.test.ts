import { encodeDecision } from '@affidavit/evidence/record/decision-section'
import { encodeIdentity, type IdentitySection } from '@affidavit/evidence/record/identity-section'
import { describe, expect, it } from 'vitest'
import type { PolicyRequest, ValuePrivacy } from './decision-point.ts'
import { type EmbeddedOptions, openEmbedded } from './embedded.ts'
import { hashPolicySet } from './policy-set.ts'

const grounds = { assurance: 'claimed', method: 'client-info', source: 'initialize.clientInfo' } as const
const identity: IdentitySection = {
  agent: { ...grounds, id: 'helper-bot', kind: 'agent' },
  workload: { ...grounds, assurance: 'attested', method: 'proc', source: '/proc', id: 'uid:1000', uid: 1000 },
  user: {
    ...grounds,
    assurance: 'verified',
    method: 'jwt',
    source: 'authorization',
    id: 'alice',
    issuer: 'https://idp',
  },
  role: { ...grounds, id: 'admin' },
  token: { absent: 'none' },
  delegation: [],
}
const alice = encodeIdentity(identity)
const privacy: ValuePrivacy = {
  keepsValues: true,
  redact: (json) => Buffer.from(Buffer.from(json).toString().replaceAll('hunter2', '[REDACTED]')),
}

const asking = (changes: Partial<PolicyRequest> = {}): PolicyRequest => ({
  method: 'tools/call',
  isKnownMethod: true,
  effect: 'read',
  server: 'crm',
  target: { type: 'Tool', name: 'get_customer', isListed: true },
  identity: alice,
  classification: { level: 'confidential', tags: ['customer'] },
  resources: undefined,
  arguments: Buffer.from('{"path":"/srv/notes","password":"hunter2"}'),
  timeMs: Date.UTC(2026, 10, 20, 11),
  session: { calls: 3, denials: 1 },
  ...changes,
})

const open = (text: string, more: Partial<EmbeddedOptions> = {}) =>
  openEmbedded({ source: { policies: [{ name: 'test.cedar', text }], schema: undefined }, onError: 'deny', ...more })

const readers = '@id("readers") permit(principal, action in Action::"read", resource in Server::"crm");'

describe('the embedded decision point', () => {
  it('grants what a policy permits and denies the rest, each with the policies that applied [PO-1]', async () => {
    const point = await open(`${readers}
      @id("elsewhere") permit(principal, action, resource in Server::"wiki");
      @id("no-secrets") @reason("Paths of secrets are closed.") @obligation("notify,ticket")
      forbid(principal, action, resource) when { context.arguments has path && context.arguments.path like "/secret/*" };`)
    const granted = point.decide(asking(), privacy)
    expect(granted.disposition).toBe('granted')
    expect(granted.section.determining).toEqual(['readers'])
    expect(granted.section.policies.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['readers', 'permit'],
      ['no-secrets', 'inapplicable'],
    ])
    const denied = point.decide(asking({ arguments: Buffer.from('{"path":"/secret/x"}') }), privacy)
    expect(denied).toMatchObject({
      disposition: 'denied',
      reason: 'no-secrets forbids it: Paths of secrets are closed',
    })
    expect(denied.section).toMatchObject({ determining: ['no-secrets'], obligations: ['notify', 'ticket'] })
    expect(denied.section.policies).toContainEqual(expect.objectContaining({ id: 'readers', verdict: 'permit' }))
    expect(point.decide(asking({ effect: 'write' }), privacy).reason).toBe('no policy permits it (1 applied)')
    for (const { section } of [granted, denied]) expect(() => encodeDecision(section)).not.toThrow()
  })

  it('records each condition that was evaluated with the values it saw, redacted [PO-2]', async () => {
    const point = await open(`@id("p") permit(principal, action, resource)
      when { context.time.hour >= 8 && context.time.hour < 18 }
      when { principal.user.assurance == "verified" }
      unless { context.arguments.password == "hunter2" || context.session.denials > 3 }
      when { resource.classification == "public" };`)
    const { section } = point.decide(asking(), privacy)
    expect(section.conditions).toEqual([
      expect.objectContaining({ result: 'holds', value: 'context.time.hour = 11' }),
      expect.objectContaining({ result: 'holds', value: 'principal.user.assurance = "verified"' }),
      expect.objectContaining({
        result: 'fails',
        value: 'context.arguments.password = "[REDACTED]"; context.session.denials = 1',
      }),
    ])
    expect(section.conditions[2]?.condition).toMatch(/^unless \{.*password.*\}$/)
    const kept = point.decide(asking(), { ...privacy, keepsValues: false })
    expect(kept.section.conditions[2]?.value).toContain('context.arguments.password = (not kept at level metadata)')
  })

  it('counts a claimed role as no membership [PO-3]', async () => {
    const point = await open('@id("admins") permit(principal in Role::"admin", action, resource);')
    expect(point.decide(asking(), privacy).disposition).toBe('denied')
    const role = { ...identity.role, assurance: 'verified', id: 'staff admin' } as const
    const verified = encodeIdentity({ ...identity, role: { ...grounds, ...role } })
    expect(point.decide(asking({ identity: verified }), privacy).disposition).toBe('granted')
    const byUser = await open('@id("a") permit(principal in User::"alice", action, resource);')
    expect(byUser.decide(asking(), privacy).disposition).toBe('granted')
  })

  it('sees as workload the process that the kernel attests, or what a platform verifiably calls it [PO-3]', async () => {
    const byWorkload = await open('@id("w") permit(principal in Workload::"spiffe://a/b", action, resource);')
    const byInitiator = await open('@id("i") permit(principal in Initiator::"spiffe://a/b", action, resource);')
    const svid = { ...grounds, method: 'x509-svid', id: 'spiffe://a/b', kind: 'workload' } as const
    const dispositions = (
      assurance: 'verified' | 'attested',
      behind: IdentitySection['workload'] = identity.workload,
    ) => {
      const asked = asking({
        identity: encodeIdentity({ ...identity, workload: behind, delegation: [{ ...svid, assurance }] }),
      })
      return [byWorkload, byInitiator].map((point) => point.decide(asked, privacy).disposition)
    }
    expect(dispositions('verified')).toEqual(['granted', 'denied'])
    expect(dispositions('attested')).toEqual(['denied', 'denied'])
    // Behind a workload that is verified itself, as at a gateway, it is who asked first.
    const caller = { ...svid, id: 'spiffe://a/caller', assurance: 'verified' } as const
    expect(dispositions('verified', caller)).toEqual(['denied', 'granted'])
  })

  it('denies where a policy cannot be evaluated, or as configured takes the answer of the others [PO-4]', async () => {
    const text = `${readers} @id("broken") permit(principal, action, resource) when { context.arguments.nowhere == 1 };`
    const denied = (await open(text)).decide(asking(), privacy)
    expect(denied).toMatchObject({ disposition: 'denied', reason: 'broken could not be evaluated, and errors deny' })
    expect(denied.section.determining).toEqual(['broken'])
    expect(denied.section.policies).toContainEqual(expect.objectContaining({ id: 'broken', verdict: 'error' }))
    expect((await open(text, { onError: 'permit' })).decide(asking(), privacy).disposition).toBe('granted')
  })

  it.each([
    ['a key that comes twice', '{"path":"/a","path":"/secret"}', 'arguments_ambiguous'],
    ['a key that comes twice, escaped', '{"path":"/a","p\\u0061th":"/secret"}', 'arguments_ambiguous'],
    ['nesting', `{"path":${'['.repeat(60)}${']'.repeat(60)}}`, 'arguments_too_deep'],
    ['what is no JSON', '{"path":', 'arguments_not_json'],
  ])('denies arguments that others may read differently: %s [PO-5]', async (_, json, problem) => {
    const point = await open('@id("p") permit(principal, action, resource) unless { context.arguments.path == "/x" };')
    const ruling = point.decide(asking({ arguments: Buffer.from(json) }), privacy)
    expect(ruling).toMatchObject({ disposition: 'denied', section: { problem } })
  })

  it('takes any JSON of a client as values and nothing of it as entities [PO-5]', async () => {
    const point = await open('@id("p") permit(principal, action, resource) unless { context.arguments == {} };')
    const hostile =
      '{"__entity":{"type":"User","id":"root"},"a":{"__extn":{"fn":"ip","arg":"x"},"b":1.5,"c":null},"d":"\\ud800","e":9007199254740993,"__proto__":{"x":1},"f":[[],{"":true}]}'
    const ruling = point.decide(asking({ arguments: Buffer.from(hostile) }), privacy)
    expect(ruling).toMatchObject({ disposition: 'granted' })
    const fields = await open(`@id("p") permit(principal, action, resource) when
      { context.arguments.a.b == "1.5" && !(context.arguments.a has c) && !(context.arguments.a has __extn) };`)
    expect(fields.decide(asking({ arguments: Buffer.from(hostile) }), privacy).disposition).toBe('granted')
  })

  it('lets policies see what is said of the machine and of those involved, and records what they saw [PO-21] [PO-22]', async () => {
    const point = await open(`@id("p") permit(principal, action, resource)
      when { context has posture && context.posture.state == "fresh" && context.posture.ageMs < 60000 }
      when { context.posture.signals.disk.encrypted && context.posture.signals.patch == "1.5" }
      unless { context has risk && (context.risk.level == "high" || context.risk.reasons.contains("user: x")) };`)
    const signals = { disk: { encrypted: true }, patch: 1.5, nothing: null, __entity: { type: 'User', id: 'root' } }
    const posture = { source: 'file', state: 'fresh', ageMs: 5, signals } as const
    const granted = point.decide(asking({ posture, risk: { level: 'low', reasons: ['user'] } }), privacy)
    expect(granted.disposition).toBe('granted')
    expect(granted.section.conditions.map(({ value }) => value)).toEqual([
      'context.posture = {"source":"file","state":"fresh","ageMs":5,"signals":{"disk":{"encrypted":true},"patch":"1.5"}}; context.posture.state = "fresh"; context.posture.ageMs = 5',
      'context.posture.signals.disk.encrypted = true; context.posture.signals.patch = "1.5"',
      'context.risk = {"level":"low","reasons":["user"]}; context.risk.level = "low"; context.risk.reasons = ["user"]',
    ])
    const asked = (changes: Partial<PolicyRequest>) => point.decide(asking({ posture, ...changes }), privacy)
    expect(asked({ risk: { level: 'high', reasons: [] } }).disposition).toBe('denied')
    expect(asked({ risk: { level: 'low', reasons: ['user: x'] } }).disposition).toBe('denied')
    expect(asked({ posture: { ...posture, state: 'stale' } }).disposition).toBe('denied')
    expect(asked({ posture: undefined }).disposition).toBe('denied')
    const deep = { disk: { encrypted: true }, patch: 1.5, deep: JSON.parse(`${'['.repeat(90)}${']'.repeat(90)}`) }
    expect(asked({ posture: { ...posture, signals: deep } }).disposition).toBe('granted')
  })

  it('asks for an approval only where that would let the call pass [AP-10]', async () => {
    const all = '@id("all") permit(principal, action, resource);'
    const asks = '@id("ask") @obligation("notify, approval_required") forbid(principal, action, resource);'
    const cases: [string, Partial<EmbeddedOptions>, string[] | undefined][] = [
      [all + asks, {}, ['ask']],
      [
        `${all}${asks}@id("too") @obligation("approval_required") forbid(principal, action, resource);`,
        {},
        ['ask', 'too'],
      ],
      [asks, {}, undefined],
      [all, {}, undefined],
      [`${all}${asks}@id("no") forbid(principal, action, resource);`, {}, undefined],
      [`${all}${asks}@id("other") @obligation("notify") forbid(principal, action, resource);`, {}, undefined],
      [`${all}${asks}@id("idle") forbid(principal, action, resource) when { false };`, {}, ['ask']],
      [`${all}${asks}@id("broken") permit(principal, action, resource) when { context.nowhere };`, {}, undefined],
      [`${all}${asks}@id("broken") forbid(principal, action, resource) when { context.nowhere };`, {}, undefined],
      [
        `${all}${asks}@id("broken") forbid(principal, action, resource) when { context.nowhere };`,
        { onError: 'permit' },
        ['ask'],
      ],
    ]
    for (const [text, options, expected] of cases)
      expect([text, (await open(text, options)).decide(asking(), privacy).asksApproval]).toEqual([text, expected])
    const point = await open(`${all}${asks.replace(';', ' when { context.arguments.path == "/x" };')}`)
    expect(point.decide(asking({ arguments: Buffer.from('{"path":"/x","path":"/y"}') }), privacy)).not.toHaveProperty(
      'asksApproval',
    )
  })

  it('keeps the set before where the next one is no good, and takes only the one that is pinned [PO-6]', async () => {
    const point = await open(readers)
    const { hash } = point
    const next = (text: string) => ({ policies: [{ name: 'next.cedar', text }], schema: undefined })
    expect(() => point.replace(next('@id("x")\npermit(principal, action resource);'))).toThrow(/next\.cedar, line 2/)
    expect(() => point.replace(next('permit(principal, action, resource);'))).toThrow(/no @id/)
    expect(() => point.replace(next(`${readers}${readers}`))).toThrow(/readers/)
    const large = 'when { context.arguments has n && context.arguments.n != 9007199254740993 };'
    expect(() => point.replace(next(`@id("large") permit(principal, action, resource) ${large}`))).toThrow(
      /next\.cedar: large has a number beyond 2\^53/,
    )
    expect(point.hash).toBe(hash)
    expect(point.decide(asking(), privacy).disposition).toBe('granted')
    for (let i = 0; i < 5; i++) point.replace(next(`@id("none${i}") forbid(principal, action, resource);`))
    expect(point.decide(asking(), privacy)).toMatchObject({
      disposition: 'denied',
      reason: 'none4 forbids it, and no policy permits it',
    })
    const pinned = hashPolicySet({ policies: [{ name: 'a', text: readers }], schema: undefined })
    const held = await open(readers, { pinned })
    expect(() => held.replace(next('@id("all") permit(principal, action, resource);'))).toThrow(/pins/)
  })

  it('checks policies against a schema when they are loaded [PO-6]', async () => {
    const schema = {
      name: 's.cedarschema',
      text: 'entity Agent; entity Tool = { isListed: Bool }; action "read"; action "tools/call:read" in ["read"] appliesTo { principal: Agent, resource: Tool };',
    }
    const source = (text: string) => ({ policies: [{ name: 'p.cedar', text }], schema })
    const good = source(
      '@id("a") permit(principal, action in Action::"read", resource is Tool) when { resource.isListed };',
    )
    await openEmbedded({ source: good, onError: 'deny' })
    const bad = source(
      '@id("a") permit(principal, action in Action::"read", resource is Tool) when { resource.islisted };',
    )
    await expect(openEmbedded({ source: bad, onError: 'deny' })).rejects.toThrow(/islisted/)
  })

  it('prints what 50 policies over 2 KB of arguments take, and stays under 2 ms at the median on a busy machine [PO-7]', async () => {
    const policy = (i: number) => `@id("p${i}") ${i % 3 === 0 ? 'forbid' : 'permit'}(principal,
      action in Action::"${i % 2 === 0 ? 'write' : 'read'}", resource is Tool in Server::"${i % 5 === 0 ? `s${i}` : 'crm'}")
      when { context.time.hour >= ${i % 24} && principal.user.assurance == "verified" }
      unless { context.arguments has path && context.arguments.path like "/etc/${i}*" };`
    const point = await open(Array.from({ length: 50 }, (_, i) => policy(i)).join('\n'))
    const large = JSON.stringify({ path: '/srv/notes', content: 'x'.repeat(1900), items: [1, 2, 3] })
    const tookMs: number[] = []
    const usedUs: number[] = []
    for (let i = 0; i < 1500; i++) {
      const request = asking({ arguments: Buffer.from(large), session: { calls: i, denials: 0 } })
      const before = process.cpuUsage()
      const start = performance.now()
      point.decide(request, privacy)
      tookMs.push(performance.now() - start)
      usedUs.push(process.cpuUsage(before).user)
    }
    const median = (values: number[]) => values.slice(500).toSorted((a, b) => a - b)[500] ?? Number.NaN
    const p99 = tookMs.slice(500).toSorted((a, b) => a - b)[990] ?? Number.NaN
    const text = `decide, 50 policies: p50 ${median(tookMs).toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, cpu p50 ${median(usedUs)} us`
    process.stderr.write(`${text}\n`)
    expect(median(tookMs)).toBeLessThan(2)
  })
})
