import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import { parseDecision } from '@affidavit/evidence/record/decision-section'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { parseEnvironment } from '@affidavit/evidence/record/environment-section'
import { RecordError } from '@affidavit/evidence/record/error'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { parseIdentity } from '@affidavit/evidence/record/identity-section'
import { parseOutput } from '@affidavit/evidence/record/output-section'
import { parsePurpose } from '@affidavit/evidence/record/purpose-section'
import { parseResources } from '@affidavit/evidence/record/resources-section'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as records from '../../packages/evidence/src/record/testdata/arbitrary.ts'
import * as sections from '../../packages/evidence/src/record/testdata/section-arbitrary.ts'

const folder = join(import.meta.dirname, '../../docs/schema')
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: false })
for (const file of readdirSync(folder)) ajv.addSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')))

interface Subject {
  schema: string
  values: Arbitrary<object>
  parse: (bytes: Uint8Array) => unknown
}

const subjects: Subject[] = [
  { schema: 'header', values: records.header, parse: parseHeader },
  { schema: 'envelope', values: records.envelope, parse: parseEnvelope },
  { schema: 'section:identity', values: sections.identity, parse: parseIdentity },
  { schema: 'section:output', values: sections.output, parse: parseOutput },
  { schema: 'section:resources', values: sections.resources, parse: parseResources },
  { schema: 'section:decision', values: sections.decision, parse: parseDecision },
  { schema: 'section:purpose', values: sections.purpose, parse: parsePurpose },
  { schema: 'section:environment', values: sections.environment, parse: parseEnvironment },
]

/** What takes the place of a member, or stands beside it. */
const replacement = fc.oneof(
  fc.constantFrom<unknown[]>(
    null, true, 0, 1, -1, 1.5, 2 ** 53, '', 'x', [], {}, 'x'.repeat(65), 'x'.repeat(257), 'x'.repeat(1_025), 'absent',
    'unlisted', 'opened', 'closed', 'call', 'stream', 'requested', 'completed', 99, 600, 65_536, [null], [{}], { absent: 'x' }, { absent: '' },
    { absent: 'x', id: 'y' }, '2026-02-30T00:00:00.000Z', '00000000-0000-4000-8000-000000000000', Array(1_001).fill('x'),
  ), // biome-ignore format: one list
  records.hash,
  records.digest,
  records.uuid,
  records.timestamp,
)

interface Mutation {
  place: number
  action: 'replace' | 'remove' | 'add' | 'rename' | 'duplicate'
  with: unknown
}
const mutation: Arbitrary<Mutation> = fc.record({
  place: fc.nat(),
  action: fc.constantFrom('replace', 'remove', 'add', 'rename', 'duplicate'),
  with: replacement,
})

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every member of the value, at any depth. */
function members(value: unknown): { holder: Record<string, unknown>; key: string }[] {
  if (Array.isArray(value)) return value.flatMap(members)
  if (!isObject(value)) return []
  return Object.keys(value).flatMap((key) => [{ holder: value, key }, ...members(value[key])])
}

function mutate(value: object, { place, action, with: other }: Mutation): unknown {
  const copy: unknown = structuredClone(value)
  const places = members(copy)
  const target = places[place % places.length]
  const source = places[(place * 7 + 3) % places.length]
  if (target === undefined || source === undefined) return other
  const { holder, key } = target
  if (action === 'replace') holder[key] = other
  if (action === 'add') holder.added = other
  if (action === 'duplicate') holder[key] = structuredClone(source.holder[source.key])
  if (action === 'rename') holder[source.key] = holder[key]
  if (action === 'remove' || action === 'rename') delete holder[key]
  return copy
}

function refusalOf({ parse }: Subject, bytes: Uint8Array): RecordError | undefined {
  try {
    parse(bytes)
    return undefined
  } catch (error) {
    if (error instanceof RecordError) return error
    throw error
  }
}

describe.each(subjects)('docs/schema: $schema', (subject) => {
  const validate = ajv.getSchema(`urn:affidavit:v1:${subject.schema}`)
  if (validate === undefined) throw new Error(`no schema for ${subject.schema}`)

  test('accepts what the parser accepts [R-13]', () => {
    fc.assert(
      fc.property(subject.values, (value) => {
        expect(refusalOf(subject, encodeCanonical(value))).toBeUndefined()
        expect([validate(value), validate.errors]).toEqual([true, null])
      }),
      { numRuns: 300 },
    )
  })

  test('judges altered values as the parser does [R-13]', () => {
    let refused = 0
    fc.assert(
      fc.property(subject.values, mutation, (value, change) => {
        const changed = mutate(value, change)
        const refusal = refusalOf(subject, encodeCanonical(changed))
        if (refusal !== undefined) refused++
        expect([validate(changed), refusal?.message, changed]).toEqual([
          refusal === undefined,
          refusal?.message,
          changed,
        ])
      }),
      { numRuns: 3_000 },
    )
    expect(refused).toBeGreaterThan(500)
  })
})
