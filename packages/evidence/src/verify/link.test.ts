import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../log/testdata/shared.ts'
import { encodeEntry } from '../record/entry.ts'
import { encodeEnvelope } from '../record/envelope-bytes.ts'
import type { Header, RequestedHeader } from '../record/header.ts'
import { encodeHeader } from '../record/header-bytes.ts'
import { completedHeader, envelope, requestedHeader } from '../record/testdata/arbitrary.ts'
import { examineEntry } from './examine.ts'
import { createLinkReader, type LinkedEntry, linkEntry, toLink } from './link.ts'

/** What the strict parsers say, and nothing else. */
function judge(entry: Uint8Array): LinkedEntry | 'refused' {
  const examined = examineEntry(sha256, entry)
  return 'error' in examined ? 'refused' : { link: toLink(examined.header, examined.headerHash, examined.envelope) }
}

const plain = (entry: LinkedEntry | 'refused') => (entry === 'refused' || 'error' in entry ? 'refused' : entry)
const sameAsParser = (reader: ReturnType<typeof createLinkReader>, entry: Uint8Array) =>
  expect(plain(linkEntry(reader, entry))).toEqual(judge(entry))

const text = new TextDecoder()
const bytes = new TextEncoder()
const hash = `${'A'.repeat(43)}=`
const small = (value: number | undefined) => (value ?? 0) % 1_000_000
/** Mostly the usual: small numbers, not a stream's first record; so that most of these are learned. */
const usualRequested = requestedHeader.map(({ seq, prev = hash, ...header }) => ({
  ...header,
  seq: small(seq) + 1,
  prev,
  monotonicUs: small(header.monotonicUs),
  inputBytes: small(header.inputBytes),
}))
const usualCompleted = completedHeader.map(({ seq, prev = hash, ...header }) => ({
  ...header,
  seq: small(seq) + 1,
  prev,
  monotonicUs: small(header.monotonicUs),
  ...(header.responseBytes === undefined ? {} : { responseBytes: small(header.responseBytes) }),
  ...(header.latencyUs === undefined ? {} : { latencyUs: small(header.latencyUs) }),
}))
const usual = fc.oneof<fc.Arbitrary<Header>[]>(usualRequested, usualCompleted)
const exchange = fc.oneof(
  { weight: 4, arbitrary: usual },
  { weight: 1, arbitrary: requestedHeader },
  { weight: 1, arbitrary: completedHeader },
)
const entryOf = fc
  .tuple(exchange, envelope)
  .map(([header, line]) => encodeEntry(encodeHeader(header), encodeEnvelope(line)))

describe('links read by form', () => {
  it('are the usual case: a second record like the first is not parsed [V-17]', () => {
    fc.assert(
      fc.property(usual, envelope, (header, line) => {
        const reader = createLinkReader(sha256)
        const entry = encodeEntry(encodeHeader(header), encodeEnvelope(line))
        linkEntry(reader, entry)
        const escaped =
          'tool' in header &&
          header.tool !== undefined &&
          'name' in header.tool &&
          !/^[ !#-[\]-~]*$/.test(header.tool.name)
        expect(reader.headers).toHaveLength(escaped ? 0 : 1)
      }),
    )
  })

  it('are those of the parsers, for records alike and unlike, in any order [V-17]', () => {
    fc.assert(
      fc.property(fc.array(entryOf, { minLength: 1, maxLength: 12 }), (entries) => {
        const reader = createLinkReader(sha256)
        for (const entry of [...entries, ...entries]) sameAsParser(reader, entry)
      }),
      { numRuns: 150 },
    )
  })

  it('any changed byte of a line that was learned gets the parsers’ judgement [V-17]', () => {
    const change = fc.record({
      at: fc.nat(),
      to: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...bytes.encode('0129afzAZ=+/-":,.{}TZ '))),
    })
    fc.assert(
      fc.property(entryOf, fc.array(change, { minLength: 40, maxLength: 40 }), (entry, changes) => {
        const reader = createLinkReader(sha256)
        linkEntry(reader, entry)
        for (const { at, to } of changes) {
          const altered = entry.slice()
          altered[at % entry.length] = to
          sameAsParser(reader, altered)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('any other value in a place that differs from record to record does too [V-17]', () => {
    const values = [
      '0', '00', '-1', '1e3', '1.5', '999999999999999', '9007199254740991', '9007199254740993', '01', '12345678901234567',
      '"24:00:00.000"', 'null', '""', '"\\u0041"', '"é"', '"a b"', '"x"', `"${'n'.repeat(256)}"`, `"${'n'.repeat(257)}"`,
      '"2026-11-20T24:00:00.000Z"', '"2026-11-20T23:59:60.000Z"', '"2026-11-20T19:59:59.999Z"', '"2026-02-30T10:00:00.000Z"',
      '"01990000-0000-7000-8000-000000000001"', '"01990000-0000-4000-8000-000000000001"', '"01990000-0000-7000-c000-000000000001"',
      '"01990000-0000-7000-8000-00000000000A"', `"${'A'.repeat(43)}="`, `"${'A'.repeat(42)}B="`, `"${'_'.repeat(43)}="`,
      `"0123abcd:${'A'.repeat(43)}="`, '"unlisted"',
    ] // biome-ignore format: one list
    fc.assert(
      fc.property(entryOf, fc.nat(), fc.constantFrom(...values), (entry, pick, value) => {
        const reader = createLinkReader(sha256)
        linkEntry(reader, entry)
        const line = text.decode(entry)
        const places = [...line.matchAll(/(?<=:)(?:"(?:[^"\\]|\\.)*"|-?\d+)/g)]
        const place = places[pick % places.length]
        if (place === undefined) return
        const altered = line.slice(0, place.index) + value + line.slice(place.index + place[0].length)
        sameAsParser(reader, bytes.encode(altered))
      }),
      { numRuns: 2000 },
    )
  })

  it('a name, a time or a number beyond the form leaves the choice to the parsers [V-17]', () => {
    const [first] = fc.sample(usualRequested, { numRuns: 1, seed: 1 })
    const [last] = fc.sample(usualCompleted, { numRuns: 1, seed: 1 })
    if (first === undefined || last === undefined) throw new Error('there are headers')
    const tool = (name: string): RequestedHeader => ({ ...first, tool: { name, definition: hash } })
    const reader = createLinkReader(sha256)
    const line = encodeEnvelope({ v: 1, observedTime: '2026-11-20T11:03:40.123Z' })
    const names = ['read', 'a"b', 'back\\slash', 'tab\t', '', 'naïve', '工具', 'x'.repeat(256)]
    for (const name of [...names, ...names]) sameAsParser(reader, encodeEntry(encodeHeader(tool(name)), line))
    expect(reader.headers.length).toBeGreaterThan(0)
    for (const seq of [1, 2 ** 53 - 1, 999_999_999_999_999, 7])
      sameAsParser(reader, encodeEntry(encodeHeader({ ...last, seq }), line))
  })

  it('each edge of each place is where the parsers have it [V-17]', () => {
    const [sample] = fc.sample(usualRequested, { numRuns: 1, seed: 1 })
    if (sample === undefined) throw new Error('there is a header')
    const tool = { name: 'read', definition: hash }
    const line = encodeEnvelope({ v: 1, observedTime: '2026-11-20T11:03:40.123Z', subject: `s_${'0'.repeat(16)}` })
    const entry = text.decode(
      encodeEntry(encodeHeader({ ...sample, seq: 5, time: '2026-11-20T11:03:40.123Z', tool }), line),
    )
    const times = [
      '23:59:59.999',
      '24:00:00.000',
      '29:00:00.000',
      '20:60:00.000',
      '1a:00:00.000',
      '19:00:60.000',
      '30:00:00.000',
    ]
    const changes: [RegExp, string][] = [
      ...['0', '1', '01', '999999999999999', '1000000000000000', '9007199254740992', '-1', '5.0', '5e0'].map(
        (seq): [RegExp, string] => [/"seq":5/, `"seq":${seq}`],
      ),
      ...['0', '00', '-0', '-1'].map((us): [RegExp, string] => [/"monotonicUs":\d+/, `"monotonicUs":${us}`]),
      ...times.map((time): [RegExp, string] => [/(?<="time":"2026-11-20T).{12}/, time]),
      ...times.map((time): [RegExp, string] => [/(?<="observedTime":"2026-11-20T).{12}/, time]),
      ...[256, 257].map((length): [RegExp, string] => [/"name":"read"/, `"name":"${'n'.repeat(length)}"`]),
      ...['s_000000000000000g', 's_00000000000000000', 'c_0000000000000000', 's_000000000000000F'].map(
        (subject): [RegExp, string] => [/s_0{16}/, subject],
      ),
    ]
    const reader = createLinkReader(sha256)
    linkEntry(reader, bytes.encode(entry))
    for (const [pattern, replacement] of changes) {
      const altered = entry.replace(pattern, replacement)
      expect([pattern, altered === entry]).toEqual([pattern, false])
      sameAsParser(reader, bytes.encode(altered))
    }
  })
})
