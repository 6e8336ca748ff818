import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText } from './canonical.ts'
import { decisionShape } from './decision-section.ts'
import { environmentShape } from './environment-section.ts'
import { headerShape } from './header-shape.ts'
import { identityShape } from './identity-section.ts'
import { outputShape } from './output-section.ts'
import type { Check } from './shape.ts'
import { completedHeader, header, requestedHeader } from './testdata/arbitrary.ts'
import { decision, environment, identity, output } from './testdata/section-arbitrary.ts'

const shaped: fc.Arbitrary<[Check, unknown]> = fc.oneof(
  header.map((value): [Check, unknown] => [headerShape, value]),
  identity.map((value): [Check, unknown] => [identityShape, value]),
  environment.map((value): [Check, unknown] => [environmentShape, value]),
  decision.map((value): [Check, unknown] => [decisionShape, value]),
  output.map((value): [Check, unknown] => [outputShape, value]),
)

/** What the short way writes is canonical text of a valid value. */
function expectTrue(check: Check, value: unknown): void {
  const text = check.text?.(value)
  if (text === undefined) return
  expect(check(value)).toBeUndefined()
  expect(text).toBe(canonicalText(value))
}

class Odd {
  absent = 'a class instance'
}
const odd = [
  undefined, null, true, '', 'x', '"', 'é', '\\', '\n', '\ud800', 0, -0, -1, 1.5, 2 ** 53, Number.NaN, [], [undefined],
  {}, { a: 1 }, { absent: 'x' }, new Odd(), new Date(0), Object.create({ absent: 'inherited' }),
] // biome-ignore format: one list

/** Every place in a value, as a function that puts something else there. */
function places(value: unknown): ((other: unknown) => void)[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.keys(value).flatMap((key) => [
    (other: unknown) => void Reflect.set(value, key, other),
    () => void Reflect.deleteProperty(value, key),
    ...places(Reflect.get(value, key)),
  ])
  return [...own, (other) => void Reflect.set(value, 'zz', other), (other) => void Reflect.set(value, 'absent', other)]
}

test('the short way writes the bytes of the long way [R-15]', () => {
  fc.assert(
    fc.property(shaped, ([check, value]) => expectTrue(check, value)),
    { numRuns: 2_000 },
  )
})

test('the short way writes nothing that the long way refuses [R-15]', () => {
  fc.assert(
    fc.property(shaped, fc.nat(), fc.constantFrom(...odd), ([check, value], at, other) => {
      const changed = structuredClone(value)
      const put = places(changed)
      put[at % put.length]?.(other)
      expectTrue(check, changed)
    }),
    { numRuns: 5_000 },
  )
})

test('the records of usual calls are written the short way [R-15]', () => {
  const place = { bootId: '01932c4e-0000-4000-8000-000000000000', seq: 3, monotonicUs: 81_262_563_702 }
  const server = { name: 'echo', reportedName: 'echo', version: '1.0.0' }
  fc.assert(
    fc.property(requestedHeader, completedHeader, (requested, completed) => {
      const { sessionReason: _, ...rest } = requested
      const call = {
        ...rest,
        ...place,
        prev: completed.requestedHash,
        sessionSource: 'legacy-stdio',
        sessionId: requested.callId,
        server,
        tool: { name: 'echo', definition: completed.requestedHash },
        classification: { level: 'unclassified', tags: [] },
      }
      expect(headerShape.text?.(call)).toBe(canonicalText(call))
    }),
    { numRuns: 300 },
  )
})
