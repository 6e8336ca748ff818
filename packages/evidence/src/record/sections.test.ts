import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeDecision, parseDecision } from './decision-section.ts'
import { encodeEnvironment, parseEnvironment, redactionsMax } from './environment-section.ts'
import { RecordError, recordErrorCodes } from './error.ts'
import { encodeIdentity, parseIdentity } from './identity-section.ts'
import { type SectionName, sectionNames } from './kinds.ts'
import { encodeOutput, parseOutput } from './output-section.ts'
import { encodePurpose, parsePurpose } from './purpose-section.ts'
import { encodeResources, parseResources } from './resources-section.ts'
import {
  commitSection,
  decodeBody,
  deriveRecordKeys,
  deriveRecordSecret,
  encodeBody,
  type Sections,
} from './sections.ts'
import { hostileTexts } from './testdata/hostile.ts'
import { sealing, sha256 } from './testdata/node-crypto.ts'
import * as arbitrary from './testdata/section-arbitrary.ts'

const utf8 = new TextEncoder()
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })
const bodies: fc.Arbitrary<Sections> = fc.dictionary(
  fc.constantFrom(...sectionNames),
  fc.uint8Array({ maxLength: 300 }),
  {
    noNullPrototype: true,
  },
)

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof RecordError) return error.code
    throw error
  }
}

test('body: decode after encode is the identity, and only what encode writes is read [R-5]', () => {
  fc.assert(
    fc.property(bodies, (sections) => {
      const body = encodeBody(sections)
      expect(decodeBody(body)).toEqual(sections)
      for (let cut = 1; cut < body.length; cut++) {
        const read = codeOf(() => expect(encodeBody(decodeBody(body.subarray(0, cut)))).toEqual(body.subarray(0, cut)))
        expect([undefined, 'bad_body']).toContain(read)
      }
    }),
    { numRuns: 200 },
  )
  expect(codeOf(() => decodeBody(Uint8Array.of(99, 0, 0, 0, 0)))).toBe('bad_body')
  expect(codeOf(() => decodeBody(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0)))).toBe('bad_body')
  expect(codeOf(() => decodeBody(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))).toBe('bad_body')
  expect(codeOf(() => decodeBody(Uint8Array.of(0, 255, 255, 255, 255, 1)))).toBe('bad_body')
})

test('a section opens with its salt and bytes, and with nothing else [R-9]', () => {
  fc.assert(
    fc.property(secret, fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), (recordSecret, bytes, place) => {
      const { saltOf } = deriveRecordKeys(sealing, recordSecret)
      for (const name of sectionNames) {
        const commitment = commitSection(sha256, name, saltOf(name), bytes)
        expect(commitSection(sha256, name, saltOf(name), bytes)).toEqual(commitment)
        const changed = bytes.slice()
        changed[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ 1
        expect(commitSection(sha256, name, saltOf(name), changed)).not.toEqual(commitment)
        const other = sectionNames.find((each) => each !== name) ?? name
        expect(commitSection(sha256, other, saltOf(name), bytes)).not.toEqual(commitment)
        expect(commitSection(sha256, name, saltOf(other), bytes)).not.toEqual(commitment)
      }
    }),
    { numRuns: 100 },
  )
})

test('opening one section reveals nothing of another: keys and salts are distinct outputs of HKDF [R-9]', () => {
  fc.assert(
    fc.property(secret, fc.nat(1_000), (streamSecret, seq) => {
      const recordSecret = deriveRecordSecret(sealing, streamSecret, seq)
      const nextSecret = deriveRecordSecret(sealing, streamSecret, seq + 1)
      const first = deriveRecordKeys(sealing, recordSecret)
      const second = deriveRecordKeys(sealing, nextSecret)
      const outputs = [first, second].flatMap(({ bodyKey, saltOf }) => [bodyKey, ...sectionNames.map(saltOf)])
      const all = [streamSecret, recordSecret, nextSecret, ...outputs].map((each) => Buffer.from(each).toString('hex'))
      expect(outputs).toHaveLength(2 * (sectionNames.length + 1))
      expect(new Set(all).size).toBe(all.length)
      expect(outputs.every((each) => each.length === 32)).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('equal sections of two records have different commitments, so no one can tell that they are equal [R-9]', () => {
  const streamSecret = new Uint8Array(32).fill(7)
  const bytes = utf8.encode('{"password":"[REDACTED:password]"}')
  const commitments = [0, 1, 2].map((seq) => {
    const { saltOf } = deriveRecordKeys(sealing, deriveRecordSecret(sealing, streamSecret, seq))
    return Buffer.from(commitSection(sha256, 'input', saltOf('input'), bytes)).toString('hex')
  })
  expect(new Set(commitments).size).toBe(3)
})

test('a later section name would leave today’s keys and salts as they are [R-10]', () => {
  const recordSecret = new Uint8Array(32).fill(1)
  const { bodyKey, saltOf } = deriveRecordKeys(sealing, recordSecret)
  const longer = sealing.hkdf(recordSecret, 'affidavit/v1 sections', 32 * (sectionNames.length + 5))
  expect(longer.subarray(0, 32)).toEqual(bodyKey)
  for (const [i, name] of sectionNames.entries())
    expect(longer.subarray(32 * (i + 1), 32 * (i + 2))).toEqual(saltOf(name))
  expect(sectionNames.slice(0, 8)).toEqual([
    'input', 'output', 'identity', 'resources', 'decision', 'purpose', 'environment', 'enrichment',
  ]) // biome-ignore format: one list
})

test('a sealed body opens to its sections, and not at all where a bit changed [R-9]', () => {
  const { bodyKey } = deriveRecordKeys(sealing, new Uint8Array(32).fill(3))
  fc.assert(
    fc.property(bodies, fc.nat(), (sections, place) => {
      const sealed = sealing.seal(bodyKey, encodeBody(sections))
      expect(decodeBody(Uint8Array.from(sealing.open(bodyKey, sealed)))).toEqual(sections)
      const changed = Uint8Array.from(sealed)
      changed[place % sealed.length] = (sealed[place % sealed.length] ?? 0) ^ 0x10
      expect(codeOf(() => sealing.open(bodyKey, changed))).toBe('sealed_corrupt')
    }),
    { numRuns: 100 },
  )
})

/** Every JSON section with a fixed shape: its generator and both directions. */
function identityOf<V>(
  values: fc.Arbitrary<V>,
  encode: (value: V) => Uint8Array,
  parse: (bytes: Uint8Array) => V,
): void {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = encode(value)
      expect(parse(bytes)).toEqual(value)
      expect(encode(parse(bytes))).toEqual(bytes)
    }),
    { numRuns: 300 },
  )
}

test('parse after encode is the identity for every section with a fixed shape [R-5]', () => {
  identityOf(arbitrary.identity, encodeIdentity, parseIdentity)
  identityOf(arbitrary.output, encodeOutput, parseOutput)
  identityOf(arbitrary.resources, encodeResources, parseResources)
  identityOf(arbitrary.decision, encodeDecision, parseDecision)
  identityOf(arbitrary.purpose, encodePurpose, parsePurpose)
  identityOf(arbitrary.environment, encodeEnvironment, parseEnvironment)
})

const parsers: Partial<Record<SectionName, (bytes: Uint8Array) => unknown>> = {
  identity: parseIdentity,
  output: parseOutput,
  resources: parseResources,
  decision: parseDecision,
  purpose: parsePurpose,
  environment: parseEnvironment,
}

test('hostile sections end in a RecordError and nothing else [R-3]', () => {
  for (const parse of Object.values(parsers))
    for (const [name, text] of Object.entries(hostileTexts))
      expect(recordErrorCodes, name).toContain(codeOf(() => parse(utf8.encode(text))))
})

test('lists have limits, and the rest is counted [R-8]', () => {
  const [environment] = fc.sample(arbitrary.environment, { numRuns: 1, seed: 1 })
  if (environment === undefined) throw new Error('no sample')
  const removal = { path: '/a', rule: 'password', bytes: 8 }
  const full = { ...environment, redactions: Array(redactionsMax).fill(removal), redactionsOmitted: 3 }
  expect(parseEnvironment(encodeEnvironment(full))).toEqual(full)
  expect(codeOf(() => encodeEnvironment({ ...full, redactions: [...full.redactions, removal] }))).toBe('too_large')
})
