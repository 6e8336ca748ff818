import { assurances } from '@affidavit/evidence/record/kinds'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { highest, judgeOutcome, judgeRequest, type RequestFacts, rankOf } from './priority.ts'

/** Each from the least to the most; `public` and `internal` count alike, and so do `unclassified` and `confidential`. */
const scales = {
  sensitivity: ['public', 'internal', 'unclassified', 'confidential', 'restricted'],
  effect: ['read', 'write', 'unknown', 'external-send', 'destructive'],
  bound: ['bounded', 'unbounded'],
  assurance: assurances,
  posture: ['good', 'doubtful'],
  decision: ['none', 'refused', 'went on'],
} as const
type Scale = keyof typeof scales
type Places = Record<Scale, number>

const places = fc.record({
  sensitivity: fc.nat(4), effect: fc.nat(4), bound: fc.nat(1), assurance: fc.nat(2), posture: fc.nat(1), decision: fc.nat(2),
}) // biome-ignore format: short
const at = <T>(scale: readonly [T, ...T[]], place: number): T => scale[place] ?? scale[0]

function toFacts(found: Places): RequestFacts {
  return {
    access: { sensitivity: at(scales.sensitivity, found.sensitivity), effect: at(scales.effect, found.effect) },
    bound: at(scales.bound, found.bound),
    assurance: at(scales.assurance, found.assurance),
    posture: at(scales.posture, found.posture),
    decision: at(scales.decision, found.decision),
  }
}

it('whatever is graver or less certain never lowers the priority [PR-1]', () => {
  fc.assert(
    fc.property(places, places, (one, other) => {
      const names = Object.keys(one) as Scale[]
      const worse = Object.fromEntries(names.map((name) => [name, Math.max(one[name], other[name])])) as Places
      expect(rankOf(judgeRequest(toFacts(worse)).priority)).toBeGreaterThanOrEqual(
        rankOf(judgeRequest(toFacts(one)).priority),
      )
    }),
    { numRuns: 2_000 },
  )
})

it('more tags and more records never lower it [PR-1]', () => {
  const tag = fc.constantFrom(
    'seen:instructions',
    'seen:credential',
    'seen:health',
    'seen:customer',
    'toString',
    'contact',
  )
  const outcome = fc.constantFrom('success', 'withheld', 'unknown', 'denied' as const)
  const level = fc.constantFrom('public', 'restricted')
  fc.assert(
    fc.property(fc.array(tag), fc.array(tag), outcome, level, (some, more, outcome, level) => {
      const judge = (tags: string[]) => judgeOutcome({ outcome, classification: { level, tags } })
      const [fewer, all] = [judge(some), judge([...some, ...more])]
      expect(rankOf(all.priority)).toBeGreaterThanOrEqual(rankOf(fewer.priority))
      expect(highest([fewer, all]).priority).toBe(all.priority)
    }),
  )
})

it.each([
  [{}, 'low', []],
  [{ access: { sensitivity: 'confidential', effect: 'read' } }, 'low', []],
  [{ access: { sensitivity: 'confidential', effect: 'read' }, bound: 'unbounded' }, 'medium', ['confidential data, read', 'a statement without bound']],
  [{ access: { sensitivity: 'restricted', effect: 'read' }, assurance: 'claimed' }, 'high', ['restricted data, read', 'nobody vouches for who asked']],
  [{ access: { sensitivity: 'restricted', effect: 'external-send' } }, 'critical', ['restricted data, external-send']],
  [{ access: { sensitivity: 'unclassified', effect: 'unknown' } }, 'medium', ['unclassified data, effect unknown']],
  [{ access: { sensitivity: 'internal', effect: 'write' }, assurance: 'claimed', posture: 'doubtful' }, 'low', []],
  [{ decision: 'went on' }, 'high', ['it went on although policies deny it']],
] satisfies [Partial<RequestFacts>, string, string[]][])('%j is %s [PR-1]', (facts, priority, reasons) => {
  const usual: RequestFacts = { access: undefined, bound: 'bounded', assurance: 'attested', posture: 'good', decision: 'none' }
  expect(judgeRequest({ ...usual, ...facts })).toEqual({ priority, reasons })
}) // biome-ignore format: a table
