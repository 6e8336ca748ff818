import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCedarRequest } from './cedar-request.ts'
import type { PolicyRequest } from './decision-point.ts'
import { openEmbedded } from './embedded.ts'

const scope = {
  principal: [
    'principal',
    'principal == Agent::"a"',
    'principal in Role::"r"',
    'principal is Agent in User::"u"',
    'principal in User::"x"',
  ],
  action: [
    'action',
    'action in Action::"read"',
    'action == Action::"tools/call:write"',
    'action in [Action::"write", Action::"other"]',
  ],
  resource: [
    'resource',
    'resource in Server::"s"',
    'resource == Tool::"s/t"',
    'resource is Prompt',
    'resource is Tool in Server::"other"',
  ],
}
/** Some of them cannot be evaluated for some requests, and some for none. */
const conditions = [
  'context.time.hour >= 12',
  'principal has user && principal.user.assurance == "verified"',
  'principal.user.assurance == "verified"',
  'context.arguments has path && context.arguments.path like "/a*"',
  'context.arguments.n > 3',
  'context.arguments.n * 9007199254740991 * 1024 > 0',
  'context.arguments.path.contains("x")',
  'ip(context.arguments.path).isLoopback()',
  'context.arguments.nowhere == 1',
  'context.arguments == {"n": "x"}',
  '(if context.time.hour >= 12 then context else {"arguments": {"n": 9}}).arguments.n > 3',
  'principal in Role::"r"',
  'principal in [User::"u", Role::"q"]',
  'principal.roles.contains(Role::"r")',
  'principal.user in Role::"r" || principal is User',
  'principal has user.name && principal.user.name == "x"',
  'resource.isListed',
  'resource in Server::"s" && resource.tags.contains("pii")',
  'resource.tags.contains("pii") || action in Action::"read"',
  'if context has session then context.session.calls < 2 else true',
  'context has posture && context.posture.signals.disk.encrypted',
  'context.posture.state == "fresh"',
  'context has risk && ["high", "critical"].contains(context.risk.level)',
  'context.risk.reasons.containsAll(["user"])',
  'true',
  'context.nowhere',
]
const clause = fc
  .tuple(fc.constantFrom('when', 'unless'), fc.constantFrom(...conditions))
  .map(([kind, condition]) => `${kind} { ${condition} }`)
const policy = fc.record({
  effect: fc.constantFrom('permit', 'forbid'),
  principal: fc.constantFrom(...scope.principal),
  action: fc.constantFrom(...scope.action),
  resource: fc.constantFrom(...scope.resource),
  clauses: fc.array(clause, { maxLength: 3 }),
})
const grounds = { assurance: 'verified', method: 'jwt', source: 'test' } as const
const none = { absent: 'none' }
const identities = [
  { agent: none, workload: none, user: none, role: none, token: none, delegation: [] },
  {
    agent: { ...grounds, id: 'a' },
    workload: none,
    user: { ...grounds, id: 'u' },
    role: { ...grounds, id: 'r q' },
    token: none,
    delegation: [],
  },
  {
    agent: { ...grounds, id: 'b' },
    workload: none,
    user: { ...grounds, id: 'u', assurance: 'claimed' as const },
    role: none,
    token: none,
    delegation: [],
  },
].map(encodeIdentity)
const request: fc.Arbitrary<PolicyRequest> = fc.record({
  method: fc.constant('tools/call'),
  isKnownMethod: fc.boolean(),
  effect: fc.constantFrom('read', 'write', 'destructive', 'unknown'),
  server: fc.constantFrom('s', 'other'),
  target: fc.constantFrom(
    { type: 'Tool' as const, name: 't', isListed: true },
    { type: 'Prompt' as const, name: 'p', isListed: false },
    undefined,
  ),
  identity: fc.constantFrom(...identities),
  classification: fc.constantFrom({ level: 'public', tags: [] }, { level: 'internal', tags: ['pii'] }),
  resources: fc.constant(undefined),
  arguments: fc
    .constantFrom('{"path":"/a/b","n":5}', '{"n":"x"}', '{}', '{"path":1,"n":2}')
    .map((json) => Buffer.from(json)),
  timeMs: fc.constantFrom(Date.UTC(2026, 1, 1, 9), Date.UTC(2026, 1, 1, 15)),
  session: fc.constantFrom(undefined, { calls: 1, denials: 0 }, { calls: 5, denials: 2 }),
  posture: fc.constantFrom(
    undefined,
    { source: 'file', state: 'fresh' as const, ageMs: 1, signals: { disk: { encrypted: true } } },
    { source: 'file', state: 'stale' as const, ageMs: 1, signals: { disk: 'no' } },
  ),
  risk: fc.constantFrom(
    undefined,
    { level: 'high' as const, reasons: ['user'] },
    { level: 'low' as const, reasons: [] },
  ),
})

describe('clauses evaluated one by one', () => {
  it('come to the decision, the reasons and the errors that Cedar itself comes to over the whole set, and errors deny where they should [PO-4] [PO-17]', async () => {
    const counts = { errors: 0, granted: 0, denied: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(policy, { minLength: 1, maxLength: 8 }),
        fc.array(request, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('deny' as const, 'permit' as const),
        async (set, requests, onError) => {
          const texts = set.map(
            (each, i) =>
              `@id("p${i}") ${each.effect}(${each.principal}, ${each.action}, ${each.resource}) ${each.clauses.join(' ')};`,
          )
          const point = await openEmbedded({
            source: { policies: [{ name: 'x', text: texts.join('\n') }], schema: undefined },
            onError,
          })
          for (const each of requests) {
            const built = toCedarRequest(each, 'all')
            if ('problem' in built) throw new Error(built.problem)
            const staticPolicies = Object.fromEntries(texts.map((text, i) => [`p${i}`, text]))
            const whole = isAuthorized({ ...built.request, policies: { staticPolicies } })
            if (whole.type === 'failure') throw new Error(JSON.stringify(whole.errors))
            const { section, disposition } = point.decide(each, { keepsValues: true, redact: (json) => json })
            // Cedar leaves out what it cannot evaluate; where errors deny, one is enough.
            const isDenied = onError === 'deny' && whole.response.diagnostics.errors.length > 0
            expect(disposition).toBe(whole.response.decision === 'allow' && !isDenied ? 'granted' : 'denied')
            counts.errors += Math.min(1, whole.response.diagnostics.errors.length)
            counts[disposition === 'granted' ? 'granted' : 'denied']++
            const broken = whole.response.diagnostics.errors.map(({ policyId }) => policyId)
            // Where an error denies what Cedar allows, what failed made the decision.
            const reason = whole.response.decision === 'allow' && isDenied ? broken : whole.response.diagnostics.reason
            expect(section.determining).toEqual(reason.toSorted())
            const errors = section.policies.filter(({ verdict }) => verdict === 'error').map(({ id }) => id)
            expect(errors.toSorted()).toEqual(broken.toSorted())
          }
        },
      ),
      { numRuns: 300 },
    )
    // None of them was left untried.
    expect(Math.min(counts.errors, counts.granted, counts.denied)).toBeGreaterThan(5)
  })
})
