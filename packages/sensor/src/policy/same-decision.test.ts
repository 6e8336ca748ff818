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
const clauses = [
  'when { context.time.hour >= 12 }',
  'unless { principal has user && principal.user.assurance == "verified" }',
  'when { context.arguments has path && context.arguments.path like "/a*" }',
  'when { context.arguments.n > 3 }',
  'unless { principal in Role::"r" }',
  'when { resource.tags.contains("pii") || action in Action::"read" }',
  'when { if context has session then context.session.calls < 2 else true }',
  'unless { context.arguments.nowhere == 1 }',
]
const policy = fc.record({
  effect: fc.constantFrom('permit', 'forbid'),
  principal: fc.constantFrom(...scope.principal),
  action: fc.constantFrom(...scope.action),
  resource: fc.constantFrom(...scope.resource),
  clauses: fc.array(fc.constantFrom(...clauses), { maxLength: 3 }),
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
})

describe('clauses evaluated one by one', () => {
  it('come to the decision, the reasons and the errors that Cedar itself comes to over the whole set [PO-17]', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(policy, { minLength: 1, maxLength: 8 }),
        fc.array(request, { minLength: 1, maxLength: 6 }),
        async (set, requests) => {
          const texts = set.map(
            (each, i) =>
              `@id("p${i}") ${each.effect}(${each.principal}, ${each.action}, ${each.resource}) ${each.clauses.join(' ')};`,
          )
          const point = await openEmbedded({
            source: { policies: [{ name: 'x', text: texts.join('\n') }], schema: undefined },
            onError: 'permit',
          })
          for (const each of requests) {
            const built = toCedarRequest(each, 'all')
            if ('problem' in built) throw new Error(built.problem)
            const staticPolicies = Object.fromEntries(texts.map((text, i) => [`p${i}`, text]))
            const whole = isAuthorized({ ...built.request, policies: { staticPolicies } })
            if (whole.type === 'failure') throw new Error(JSON.stringify(whole.errors))
            const { section, disposition } = point.decide(each, { keepsValues: true, redact: (json) => json })
            expect(disposition).toBe(whole.response.decision === 'allow' ? 'granted' : 'denied')
            expect(section.determining).toEqual(whole.response.diagnostics.reason.toSorted())
            const errors = section.policies.filter(({ verdict }) => verdict === 'error').map(({ id }) => id)
            expect(errors.toSorted()).toEqual(
              whole.response.diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
