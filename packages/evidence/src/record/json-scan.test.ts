import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonProblem, JsonScanner, type JsonScanOptions, type JsonToken } from './json-scan.ts'

const utf8 = new TextEncoder()
const text = new TextDecoder()

interface Scanned {
  tokens: { type: string; start: number; end: number; depth: number; raw: string | undefined }[]
  problem: JsonProblem | undefined
}

/** Raw bytes as latin1, so that cut or wrong UTF-8 compares too. */
function scan(chunks: Uint8Array[], options?: JsonScanOptions): Scanned {
  const tokens: Scanned['tokens'] = []
  const scanner = new JsonScanner((token) => tokens.push({ ...token, raw: latin1(token) }), options)
  for (const chunk of chunks) scanner.push(chunk)
  return { tokens, problem: scanner.end() }
}

function latin1(token: JsonToken): string | undefined {
  return token.raw === undefined ? undefined : Array.from(token.raw, (byte) => String.fromCharCode(byte)).join('')
}

const good = [
  '{"a":1}', ' [ ] ', '{}', '"x"', '0', '-0', '-0.5e-10', '1E+2', 'true', 'false', 'null', '[1,[2,[3,{"k":[]}]]]',
  '"\\u0000\\ud800\\n\\"\\\\\\/\\b\\f\\r\\t"', '{"a":1,"a":2}', '"é€😂\u{10ffff}"', '\t\r\n [\n"é",\r2 ,\t{"" : null}]\n', '{"__proto__":{"x":[true,false]}}',
  '1e400', '9007199254740993', '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
] // biome-ignore format: one list

const bad = [
  '', ' ', '{', '[', '"', '"\\', '"\\u', '"\\u12', '}', ']', '[}', '{]', '[1,]', '[,1]', '[1 2]', '{"a"}', '{"a":}',
  '{"a":1,}', '{,}', '{1:2}', '{"a" 1}', '{"a":1 "b":2}', '1 2', '1,', '{}{}', '[]]', '01', '-', '-01', '1.', '.5',
  '1e', '1e+', '+1', '1.e5', '0x1', '1_000', 'tru', 'truee', 'nul', 'nulll', 'NaN', 'Infinity', 'undefined', 'True',
  '"\\x41"', '"\\u00g0"', '"\t"', '"\n"', '"\u0000"', "'a'", '{a:1}', '[1,2', '{"a":[}', '/* */1', '1//', '\ufeff1',
  '\u00a01', '[1\u000b]', '[\f]', 'a', '"a"b', '--1', '-a', '1-', '1e1.5', '1.5.5', ':', ',', '[:]', '{"a"::1}', 'é', '[\u2028]',
] // biome-ignore format: one list

/** Byte sequences that are no UTF-8: stray, cut, overlong, surrogate, too high. */
const notUtf8 = [
  [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe2, 0x82],
  [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe],
] // biome-ignore format: one list

describe('JsonScanner', () => {
  test('reads every well-formed text [R-1]', () => {
    for (const each of good) expect([each, scan([utf8.encode(each)]).problem]).toEqual([each, undefined])
  })

  test('refuses every malformed text, as JSON.parse does [R-1]', () => {
    for (const each of bad) {
      expect(() => JSON.parse(each), each).toThrow()
      expect(scan([utf8.encode(each)]).problem, each).toMatchObject({ code: 'not_json' })
    }
  })

  test('refuses what is not UTF-8, in strings and elsewhere, whole and cut [R-1]', () => {
    for (const bytes of notUtf8) {
      const inString = Uint8Array.from([0x22, ...bytes, 0x22])
      for (let cut = 0; cut <= inString.length; cut++)
        expect(scan([inString.subarray(0, cut), inString.subarray(cut)]).problem, `${bytes}`).toMatchObject({
          code: 'not_utf8',
        })
    }
    expect(scan([Uint8Array.from([0x5b, 0x80, 0x5d])]).problem).toEqual({ code: 'not_utf8', offset: 1 })
    expect(scan([Uint8Array.from([0x22, 0xe2, 0x82])]).problem).toEqual({ code: 'not_utf8', offset: 3 })
  })

  test('agrees with a fatal TextDecoder on any bytes in a string [R-1]', () => {
    const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const lead = fc.constantFrom(0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0x41)
    const follow = fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0)
    fc.assert(
      fc.property(fc.array(fc.oneof(lead, follow), { maxLength: 8 }), fc.nat(9), (bytes, cut) => {
        const all = Uint8Array.from([0x22, ...bytes, 0x22])
        const { problem } = scan([all.subarray(0, cut), all.subarray(cut)])
        expect(problem?.code).toBe(isWellFormed(fatal, Uint8Array.from(bytes)) ? undefined : 'not_utf8')
      }),
      { numRuns: 3_000 },
    )
  })

  test('gives the same tokens wherever the text is split [R-2]', () => {
    for (const bytes of [...good, ...bad].map((each) => utf8.encode(each))) {
      const whole = scan([bytes])
      for (let i = 0; i <= bytes.length; i++)
        for (let j = i; j <= bytes.length; j++)
          expect(scan([bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)])).toEqual(whole)
      expect(scan(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
    }
  })

  test('agrees with JSON.parse on generated values and on damaged ones [R-1]', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (json, place, byte) => {
        const bytes = utf8.encode(json)
        bytes[place % bytes.length] = byte
        for (const each of [utf8.encode(json), bytes])
          expect(scan([each]).problem === undefined, text.decode(each)).toBe(isJson(each))
      }),
      { numRuns: 3_000 },
    )
  })

  test('tokens rebuild the value that JSON.parse reads [R-2]', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.integer({ min: 1, max: 7 }), (json, step) => {
        const bytes = utf8.encode(json)
        const chunks: Uint8Array[] = []
        for (let i = 0; i < bytes.length; i += step) chunks.push(bytes.subarray(i, i + step))
        expect(rebuild(scan(chunks).tokens)).toEqual(JSON.parse(json))
      }),
      { numRuns: 2_000 },
    )
  })

  test('names offset and depth of every token', () => {
    const { tokens } = scan([utf8.encode('{"a":[1]}')])
    expect(tokens.map(({ type, start, end, depth }) => [type, start, end, depth])).toEqual([
      ['beginObject', 0, 1, 0],
      ['key', 1, 4, 1],
      ['beginArray', 5, 6, 1],
      ['number', 6, 7, 2],
      ['endArray', 7, 8, 1],
      ['endObject', 8, 9, 0],
    ])
  })

  test('a problem names the first byte that cannot continue and silences what follows', () => {
    expect(scan([utf8.encode('[1, x]'), utf8.encode('[2]')])).toMatchObject({
      tokens: [{ type: 'beginArray' }, { type: 'number' }],
      problem: { code: 'not_json', offset: 4 },
    })
    expect(scan([utf8.encode('[1')]).problem).toEqual({ code: 'not_json', offset: 2 })
  })

  test('10,000 levels are a problem, and readable where asked for [R-3]', () => {
    const deep = utf8.encode('['.repeat(10_000) + ']'.repeat(10_000))
    expect(scan([deep]).problem).toEqual({ code: 'too_deep', offset: 512 })
    expect(scan([deep], { depthMax: 10_000 }).problem).toBeUndefined()
    expect(scan([utf8.encode('['.repeat(512) + ']'.repeat(512))]).problem).toBeUndefined()
  })

  test('keeps no token longer than tokenBytesMax, however it arrives [R-3]', () => {
    const long = utf8.encode(`["${'x'.repeat(100)}","y",${'1'.repeat(100)}]`)
    for (const chunks of [[long], Array.from(long, (byte) => Uint8Array.of(byte))]) {
      const { tokens, problem } = scan(chunks, { tokenBytesMax: 20 })
      expect(problem).toBeUndefined()
      expect(tokens.map(({ type, raw, start, end }) => [type, raw, end - start])).toEqual([
        ['beginArray', '[', 1],
        ['string', undefined, 102],
        ['string', '"y"', 3],
        ['number', undefined, 100],
        ['endArray', ']', 1],
      ])
    }
  })
})

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(text.decode(bytes))
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

function isWellFormed(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** Re-assembles the text from tokens with separators of our own, and lets JSON.parse judge it. */
function rebuild(tokens: Scanned['tokens']): unknown {
  let out = ''
  let last = ''
  for (const { type, raw } of tokens) {
    const opens = last === '' || last === 'beginObject' || last === 'beginArray' || last === 'key'
    if (!opens && type !== 'endObject' && type !== 'endArray') out += ','
    out += raw
    if (type === 'key') out += ':'
    last = type
  }
  return JSON.parse(text.decode(Uint8Array.from(out, (char) => char.charCodeAt(0))))
}
