import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText, parseCanonical } from './canonical.ts'
import { envelopeBytesMax, envelopeShape, parseEnvelope } from './envelope-bytes.ts'
import { RecordError } from './error.ts'
import { encodeHeader, headerBytesMax } from './header-bytes.ts'
import { headerShape, usualHeaders } from './header-shape.ts'
import { completedHeader, envelope, requestedHeader } from './testdata/arbitrary.ts'
import { parseUsual } from './usual.ts'

const utf8 = new TextEncoder()
const exchange = fc.oneof(requestedHeader, completedHeader)

function verdict(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RecordError) return `${error.code} at ${error.at}`
    throw error
  }
}

function expectAgreement(text: string): void {
  const bytes = utf8.encode(text)
  const usual = parseUsual(bytes, usualHeaders)
  if (usual !== undefined)
    expect([text, verdict(() => parseCanonical(bytes, headerBytesMax, headerShape))]).toEqual([text, usual])
}

/** Names as most servers choose them; anything else takes the long way. */
const usualName = fc.stringMatching(/^[a-zA-Z0-9 _./-]{1,40}$/)

test('the headers of usual calls are read the short way [R-15]', () => {
  fc.assert(
    fc.property(requestedHeader, completedHeader, usualName, (requested, completed, name) => {
      const small = {
        seq: 3,
        prev: completed.requestedHash,
        monotonicUs: 81_262_563_702,
        classification: { level: name, tags: [] },
      }
      const tool = { name, definition: completed.requestedHash }
      const { sessionReason: _, ...named } = requested
      const session = { sessionSource: 'legacy-stdio' as const, sessionId: requested.callId }
      const server = { name, reportedName: name, version: '1.0.0' }
      for (const header of [
        { ...named, ...small, ...session, tool, server, inputBytes: 12 },
        { ...completed, ...small, server, responseBytes: 5, latencyUs: 900, rpcCode: -32_000 },
      ])
        expect(parseUsual(encodeHeader(header), usualHeaders)).toEqual(header)
    }),
    { numRuns: 300 },
  )
})

test('the short way accepts nothing the long way refuses, and reads the same [R-15]', () => {
  const pieces = [
    '', '"', '\\', ',', '{', '}', '[', ']', ':', ' ', '0', '01', '-0', '-1', '1.0', '1e3', '9007199254740993', 'null',
    '\\u0041', '\n', 'é', '\u0000', '"a":1,', ',"zz":1', '""', '[]', '{}', '"seq":1,', '"v":1,', ',"v":1', '__proto__',
  ] // biome-ignore format: one list
  fc.assert(
    fc.property(exchange, fc.nat(), fc.nat(60), fc.constantFrom(...pieces), (header, place, length, piece) => {
      const text = canonicalText(header)
      expectAgreement(text)
      const at = place % text.length
      expectAgreement(text.slice(0, at) + piece + text.slice(at))
      expectAgreement(text.slice(0, at) + piece + text.slice(at + 1))
      expectAgreement(text.slice(0, at) + piece + text.slice(at + length))
    }),
    { numRuns: 5_000 },
  )
})

test('envelopes are read the short way, and to the same verdict [R-15]', () => {
  const pieces = ['', '"', ',', '}', '0', 'A', '=', '"v":1,', ',"v":1', ' ', '\\u0041']
  fc.assert(
    fc.property(envelope, fc.nat(), fc.nat(40), fc.constantFrom(...pieces), (value, place, length, piece) => {
      const text = canonicalText(value)
      const at = place % text.length
      for (const each of [
        text,
        text.slice(0, at) + piece + text.slice(at),
        text.slice(0, at) + piece + text.slice(at + length),
      ]) {
        const bytes = utf8.encode(each)
        expect([each, verdict(() => parseEnvelope(bytes))]).toEqual([
          each,
          verdict(() => parseCanonical(bytes, envelopeBytesMax, envelopeShape)),
        ])
      }
    }),
    { numRuns: 3_000 },
  )
})

test('members moved, doubled or taken out never pass the short way unseen [R-15]', () => {
  fc.assert(
    fc.property(exchange, fc.nat(), fc.nat(), (header, from, to) => {
      const members = canonicalText(header)
        .slice(1, -1)
        .split(/,(?=")/)
      const one = members[from % members.length] ?? ''
      const without = members.filter((_, i) => i !== from % members.length)
      expectAgreement(`{${without.join(',')}}`)
      expectAgreement(
        `{${[...members.slice(0, to % members.length), one, ...members.slice(to % members.length)].join(',')}}`,
      )
      expectAgreement(
        `{${[...without.slice(0, to % members.length), one, ...without.slice(to % members.length)].join(',')}}`,
      )
    }),
    { numRuns: 3_000 },
  )
})

test('a text made to be backtracked over takes no longer than any other [R-15]', () => {
  const [header] = fc.sample(requestedHeader, { numRuns: 1, seed: 5 })
  const text = canonicalText(header)
  const hostile = [
    text.replace(/"v":1}$/, '"v":2}'),
    text.replace(
      /"tags":\[[^\]]*\]/,
      `"tags":[${Array(60)
        .fill(`"${' '.repeat(50)}"`)
        .join(',')}]`,
    ),
    `${text.slice(0, -1)}${',"v":1'.repeat(400)}`,
    `{"bootId":"${'0'.repeat(4_000)}`,
  ]
  const startMs = performance.now()
  for (let i = 0; i < 200; i++) for (const each of hostile) parseUsual(utf8.encode(each), usualHeaders)
  expect((performance.now() - startMs) / 800).toBeLessThan(1)
})
