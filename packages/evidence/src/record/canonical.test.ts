import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText, encodeCanonical, parseCanonical } from './canonical.ts'
import { RecordError, type RecordErrorCode } from './error.ts'

const vectors = join(import.meta.dirname, '../../../../../shared/data/vectors/jcs-rfc8785.json')
const utf8 = new TextEncoder()

/** The code a call fails with; anything but a RecordError is a failure of the test. */
function codeOf(run: () => unknown): RecordErrorCode | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof RecordError) return error.code
    throw error
  }
}
const anything = () => undefined

test('encodes the six published vectors of RFC 8785 [R-4]', (ctx) => {
  if (!existsSync(vectors)) {
    expect(process.env.CI, `${vectors} is missing`).not.toBe('true')
    console.warn(`skipped: ${vectors} is missing`)
    return ctx.skip()
  }
  const { cases }: { cases: { name: string; input: string; outputHex: string }[] } = JSON.parse(
    readFileSync(vectors, 'utf8'),
  )
  expect(cases).toHaveLength(6)
  for (const { name, input, outputHex } of cases)
    expect(Buffer.from(encodeCanonical(JSON.parse(input))).toString('hex'), name).toBe(outputHex)
})

test('formats numbers as RFC 8785 appendix B does [R-4]', () => {
  const samples: [bigint, string][] = [
    [0x0000000000000000n, '0'], [0x8000000000000000n, '0'], [0x0000000000000001n, '5e-324'],
    [0x8000000000000001n, '-5e-324'], [0x7fefffffffffffffn, '1.7976931348623157e+308'],
    [0x4340000000000000n, '9007199254740992'], [0xc340000000000000n, '-9007199254740992'],
    [0x4430000000000000n, '295147905179352830000'], [0x44b52d02c7e14af5n, '9.999999999999997e+22'],
    [0x44b52d02c7e14af6n, '1e+23'], [0x444b1ae4d6e2ef4en, '999999999999999700000'], [0x444b1ae4d6e2ef50n, '1e+21'],
    [0x3eb0c6f7a0b5ed8cn, '9.999999999999997e-7'], [0x3eb0c6f7a0b5ed8dn, '0.000001'],
    [0x41b3de4355555553n, '333333333.3333332'], [0x41b3de4355555555n, '333333333.3333333'],
    [0x43143ff3c1cb0959n, '1424953923781206.2'],
  ] // biome-ignore format: one list
  for (const [bits, text] of samples) {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, bits)
    expect(canonicalText(view.getFloat64(0))).toBe(text)
  }
})

test('refuses what JSON cannot say [R-4]', () => {
  for (const value of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '\ud800',
    'a\udc00b',
    { '\ud800': 1 },
    undefined,
    [undefined],
    1n,
  ])
    expect(
      codeOf(() => encodeCanonical(value)),
      String(value),
    ).toBe('bad_value')
  for (const value of [new Date(), new Map(), Symbol('s'), () => 1, { a: undefined }])
    expect(codeOf(() => encodeCanonical(value))).toBe('bad_value')
  let deep: unknown = 1
  for (let i = 0; i < 10_000; i++) deep = [deep]
  expect(codeOf(() => encodeCanonical(deep))).toBe('too_deep')
})

test('encoding reads back to the same value, and reading accepts only that text [R-4]', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const bytes = encodeCanonical(value)
      // Keys like "10" come first whatever the text says (ECMAScript's own order), so such objects are left out.
      fc.pre(!/"\d+":/.test(canonicalText(value)))
      expect(parseCanonical(bytes, bytes.length, anything)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 2_000 },
  )
})

test('refuses every other spelling of the same value [R-4]', () => {
  const spellings: Record<string, RecordErrorCode> = {
    '{"a":1,"b":2} ': 'not_canonical', ' {"a":1,"b":2}': 'not_canonical', '{"a": 1,"b":2}': 'not_canonical',
    '{"b":2,"a":1}': 'not_canonical', '{"a":1.0,"b":2}': 'not_canonical', '{"a":1e0,"b":2}': 'not_canonical',
    '{"\\u0061":1,"b":2}': 'not_canonical', '{"a":1,"a":1,"b":2}': 'duplicate_key', '{"a":1,"b":[{"c":1,"\\u0063":2}]}': 'duplicate_key',
    '{"a":"\\/"}': 'not_canonical', '{"a":"\\u000A"}': 'not_canonical', '{"a":-0}': 'not_canonical', '{"a":9007199254740993}': 'not_canonical',
    '{"a":1e400}': 'not_canonical', '\ufeff{}': 'not_json', '{"a":1': 'not_json', '': 'not_json', '{"a":"\u0001"}': 'not_json',
  } // biome-ignore format: one list
  for (const [text, code] of Object.entries(spellings))
    expect([text, codeOf(() => parseCanonical(utf8.encode(text), 1_000, anything))]).toEqual([text, code])
  expect(codeOf(() => parseCanonical(Uint8Array.of(0x22, 0xff, 0x22), 10, anything))).toBe('not_utf8')
  expect(codeOf(() => parseCanonical(utf8.encode('"12345678"'), 9, anything))).toBe('too_large')
})
