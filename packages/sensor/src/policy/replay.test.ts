import { encodeIdentity } from '@affidavit/evidence/record/identity-section'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyRequest } from './decision-point.ts'
import { openEmbedded } from './embedded.ts'
import { openReplay, type RecordedQuestion } from './replay.ts'

const grounds = { assurance: 'verified', method: 'jwt', source: 'test' } as const
const none = { absent: 'none' }
const identity = encodeIdentity({
  agent: { ...grounds, id: 'a' },
  workload: none,
  user: none,
  role: none,
  token: none,
  delegation: [],
})
const clauses = [
  'when { context.arguments has path && context.arguments.path like "/a*" }',
  'when { context.arguments.n > 3 }',
  'unless { context.arguments.path == "/b" }',
  'when { context has session && context.session.calls > 2 }',
  'unless { context.session.denials == 0 }',
  'when { context has risk && context.risk.level == "high" }',
  'when { resource.classification == "internal" }',
  'when { context.time.hour >= 12 }',
  'unless { context.arguments == {} }',
]
const policy = fc.record({
  effect: fc.constantFrom('permit', 'forbid'),
  scope: fc.constantFrom('principal, action, resource', 'principal, action in Action::"read", resource'),
  asks: fc.constantFrom('', '@obligation("approval_required")'),
  clauses: fc.array(fc.constantFrom(...clauses), { maxLength: 3 }),
})
/** What a call really had. */
const truth = fc.record({
  effect: fc.constantFrom('read', 'write'),
  arguments: fc.constantFrom(
    '{"path":"/a/b","n":5}',
    '{"path":"/b","n":1}',
    '{"n":"x"}',
    '{}',
    '{"path":"/a","path":"/b"}',
  ),
  level: fc.constantFrom('internal', 'public'),
  hour: fc.constantFrom(9, 15),
  session: fc.constantFrom(undefined, { calls: 1, denials: 0 }, { calls: 5, denials: 2 }),
  risk: fc.constantFrom(undefined, { level: 'high' as const, reasons: [] }, { level: 'low' as const, reasons: [] }),
})
type Truth = typeof truth extends fc.Arbitrary<infer T> ? T : never

const toRequest = (had: Truth): PolicyRequest => ({
  method: 'tools/call',
  isKnownMethod: true,
  effect: had.effect,
  server: 's',
  target: { type: 'Tool', name: 't', isListed: true },
  identity,
  classification: { level: had.level, tags: [] },
  resources: undefined,
  arguments: Buffer.from(had.arguments),
  timeMs: Date.UTC(2026, 1, 1, had.hour),
  session: had.session,
  risk: had.risk,
})

/** What is left of it, and what is said to be missing. */
function toRecorded(had: Truth, hidden: readonly string[]): RecordedQuestion {
  const is = (name: string) => hidden.includes(name)
  const shown = toRequest(had)
  const missing: RecordedQuestion['missing'][number][] = []
  if (is('session')) missing.push(['context', 'session'])
  if (is('risk')) missing.push(['context', 'risk'])
  if (is('arguments')) missing.push(['context', 'arguments'])
  if (is('path')) missing.push(['context', 'arguments', 'path'])
  const redacted = had.arguments.replaceAll(/"\/[ab/]+"/g, '"[REDACTED:x]"')
  return {
    request: {
      ...shown,
      session: is('session') ? undefined : shown.session,
      risk: is('risk') ? undefined : shown.risk,
      arguments: is('arguments') ? undefined : is('path') ? Buffer.from(redacted) : shown.arguments,
    },
    missing,
    recorded: undefined,
  }
}

const textOf = (set: readonly (typeof policy extends fc.Arbitrary<infer T> ? T : never)[]) =>
  set.map((each, i) => `@id("p${i}") ${each.asks} ${each.effect}(${each.scope}) ${each.clauses.join(' ')};`).join('\n')
const privacy = { keepsValues: true, redact: (json: Uint8Array) => json }

describe('a recorded call that is decided again', () => {
  it('is decided as it would have been, or is said to be undecidable, whatever the record lacks [PO-24]', async () => {
    const counts = { decided: 0, undecidable: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(policy, { minLength: 1, maxLength: 6 }),
        fc.array(policy, { minLength: 1, maxLength: 6 }),
        fc.array(truth, { minLength: 1, maxLength: 5 }),
        fc.subarray(['session', 'risk', 'arguments', 'path']),
        fc.constantFrom('deny' as const, 'permit' as const),
        async (before, after, calls, hidden, onError) => {
          const source = (text: string) => ({ policies: [{ name: 'x', text }], schema: undefined })
          const then = await openEmbedded({ source: source(textOf(before)), onError })
          const now = await openEmbedded({ source: source(textOf(after)), onError })
          const replay = await openReplay(source(textOf(after)), onError)
          for (const had of calls) {
            const ruling = now.decide(toRequest(had), privacy)
            const expected = ruling.asksApproval === undefined ? ruling.disposition : 'approval_required'
            const recorded = toRecorded(had, hidden)
            const { section } = then.decide(toRequest(had), privacy)
            for (const question of [recorded, { ...recorded, recorded: section }]) {
              const { decision, policies } = replay.replay(question)
              counts[decision === 'undecidable' ? 'undecidable' : 'decided']++
              expect(decision).toBeOneOf(['undecidable', expected])
              if (hidden.length === 0) expect(decision).toBe(expected)
              if (decision !== 'undecidable' && decision !== 'denied')
                expect(ruling.section.determining).toEqual(expect.arrayContaining(policies))
            }
          }
        },
      ),
      { numRuns: 100 },
    )
    expect(counts.decided).toBeGreaterThan(counts.undecidable / 10)
    expect(counts.undecidable).toBeGreaterThan(0)
  })
})
