import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64 } from './base64.ts'
import { encodeCanonical } from './canonical.ts'
import { encodeEntry, entryBytesMax, splitEntry } from './entry.ts'
import { encodeEnvelope, envelopeBytesMax, parseEnvelope } from './envelope-bytes.ts'
import { RecordError, recordErrorCodes } from './error.ts'
import { hashHeader } from './hash.ts'
import type { Header, RequestedHeader } from './header.ts'
import { encodeHeader, headerBytesMax, parseHeader } from './header-bytes.ts'
import { completedHeader, envelope, header, requestedHeader } from './testdata/arbitrary.ts'
import { hostileTexts } from './testdata/hostile.ts'
import { sha256 } from './testdata/node-crypto.ts'

const utf8 = new TextEncoder()
const leafHash = (entry: Uint8Array) => sha256(Uint8Array.of(0), entry)

function errorOf(run: () => unknown): RecordError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof RecordError) return error
    throw error
  }
}

/** One valid requested header, always the same. */
const [sample] = fc.sample(
  requestedHeader.filter((each) => each.sessionSource === 'legacy-stdio' && each.seq > 0 && each.method !== undefined),
  { numRuns: 1, seed: 7 },
)

/** What parseHeader says of the sample with these members changed; undefined takes one away. */
function refusal(changes: Record<string, unknown>): string {
  const changed = Object.entries({ ...sample, ...changes }).filter(([, value]) => value !== undefined)
  const error = errorOf(() => parseHeader(encodeCanonical(Object.fromEntries(changed))))
  return error === undefined ? 'accepted' : `${error.code} at ${error.at}`
}

const refusals: [Record<string, unknown>, string][] = [
  [{}, 'accepted'],
  [{ v: 2 }, 'bad_version at v'],
  [{ kind: 'finding' }, 'unknown_kind at kind'],
  [{ kind: 'nonsense' }, 'unknown_kind at kind'],
  [{ stage: undefined }, 'missing_field at stage'],
  [{ stage: 'begun' }, 'bad_value at stage'],
  [{ extra: 1 }, 'unknown_field at extra'],
  [{ 'a\nb': 1 }, 'unknown_field at "a\\nb"'],
  [{ callId: undefined }, 'missing_field at callId'],
  [{ callId: '0190A000-0000-7000-8000-000000000000' }, 'bad_value at callId'],
  [{ callId: '0190a000-0000-4000-8000-000000000000' }, 'bad_value at callId'],
  [{ prev: undefined }, 'bad_value at prev'],
  [{ seq: 0 }, 'bad_value at prev'],
  [{ seq: -1 }, 'bad_value at seq'],
  [{ seq: 1.5 }, 'bad_value at seq'],
  [{ seq: 2 ** 53 }, 'bad_value at seq'],
  [{ seq: '1' }, 'bad_value at seq'],
  [{ seq: null }, 'bad_value at seq'],
  [{ tenant: 'Acme' }, 'bad_value at tenant'],
  [{ tenant: '../x' }, 'bad_value at tenant'],
  [{ time: '2026-02-29T00:00:00.000Z' }, 'bad_value at time'],
  [{ sections: [] }, 'bad_value at sections'],
  [{ sections: { enrichment: 'x' } }, 'unknown_field at sections.enrichment'],
  [{ sections: { input: 'x' } }, 'bad_value at sections.input'],
  [{ server: {} }, 'missing_field at server.name'],
  [{ server: { name: 'x'.repeat(256) } }, 'accepted'],
  [{ server: { name: 'x'.repeat(257) } }, 'bad_value at server.name'],
  [{ server: { name: 'a', version: 'é'.repeat(128) } }, 'accepted'],
  [{ server: { name: 'a', version: 'é'.repeat(129) } }, 'bad_value at server.version'],
  [{ classification: { level: 'x', tags: ['a', 1] } }, 'bad_value at classification.tags.1'],
  [{ classification: { level: 'x', tags: Array(17).fill('a') } }, 'too_large at classification.tags'],
  [{ sessionSource: 'absent' }, 'bad_value at sessionReason'],
  [{ sessionSource: 'absent', sessionReason: 'x' }, 'bad_value at sessionId'],
  [{ sessionSource: 'legacy-http' }, 'bad_value at sessionId'],
  [{ sessionSource: 'trace' }, 'bad_value at sessionId'],
  [{ sessionReason: 'none' }, 'bad_value at sessionReason'],
  [{ method: undefined }, 'bad_value at method'],
  [{ method: 'my secret is 1234' }, 'bad_value at method'],
  [{ tool: { name: 'a', definition: 'unlisted' } }, 'bad_value at tool.definition'],
  [{ tool: { name: 'a', nameDigest: 'b', definition: 'unlisted' } }, 'unknown_field at tool.name'],
  [{ traceId: '0'.repeat(32), spanId: undefined }, 'bad_value at traceId'],
  [{ traceId: undefined, spanId: '00f067aa0ba902b7' }, 'missing_field at traceId'],
  [{ decision: { disposition: 'granted', mode: 'Observe' } }, 'bad_value at decision.mode'],
]

describe('header', () => {
  test('parse after encode is the identity, on values and on bytes [R-5]', () => {
    fc.assert(
      fc.property(header, (value) => {
        const bytes = encodeHeader(value)
        expect(parseHeader(bytes)).toEqual(value)
        expect(encodeHeader(parseHeader(bytes))).toEqual(bytes)
        expect(bytes.length).toBeLessThanOrEqual(headerBytesMax)
        expect(bytes.includes(0x0a)).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })

  test('any changed byte changes the header hash and the leaf hash, and reads differently or not at all [R-6]', () => {
    fc.assert(
      fc.property(header, envelope, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, cover, place, flip) => {
        const bytes = encodeHeader(value)
        const entry = encodeEntry(bytes, encodeEnvelope(cover))
        const changed = entry.slice()
        const at = place % entry.length
        changed[at] = (entry[at] ?? 0) ^ flip
        expect(leafHash(changed)).not.toEqual(leafHash(entry))
        if (at >= bytes.length) return
        const line = changed.subarray(0, bytes.length)
        expect(hashHeader(sha256, line)).not.toEqual(hashHeader(sha256, bytes))
        const read: { header?: Header } = {}
        const error = errorOf(() => {
          read.header = parseHeader(line)
        })
        if (error === undefined) expect(read.header).not.toEqual(value)
      }),
      { numRuns: 2_000 },
    )
  })

  test('entries hold exactly what was put in [R-5]', () => {
    fc.assert(
      fc.property(header, envelope, (value, cover) => {
        const { header: first, envelope: second } = splitEntry(encodeEntry(encodeHeader(value), encodeEnvelope(cover)))
        expect([parseHeader(first), parseEnvelope(second)]).toEqual([value, cover])
      }),
    )
    expect(errorOf(() => encodeEntry(new Uint8Array(entryBytesMax), new Uint8Array(0)))?.code).toBe('too_large')
    for (const text of ['', 'a', 'a\nb\nc', '\n\n'])
      expect(errorOf(() => splitEntry(utf8.encode(text)))?.code).toBe('bad_entry')
  })

  test('a header with common names stays under 1.4 KB [R-7]', () => {
    // Rounds of one call, calls within calls, reports and both trace ids together are rare; each alone fits.
    const isRare = ({ callGroupId, parentCallId, reported }: RequestedHeader) =>
      [callGroupId, parentCallId, reported].some((member) => member !== undefined)
    const [usual] = fc.sample(
      requestedHeader.filter((each) => !isRare(each) && each.effectClass === 'read'),
      { numRuns: 1, seed: 7 },
    )
    const zeros = toBase64(new Uint8Array(32))
    const names = ['decision', 'environment', 'identity', 'input', 'purpose', 'resources']
    const bytes = encodeHeader({
      ...usual,
      kind: 'call',
      method: 'tools/call',
      sections: Object.fromEntries(names.map((name) => [name, zeros])),
      server: {
        name: 'filesystem',
        reportedName: 'secure-filesystem-server',
        version: '0.2.0',
        protocolVersion: '2025-11-25',
      },
      tool: { name: 'read_text_file', definition: zeros },
      classification: { level: 'confidential', tags: ['customer', 'finance'] },
      tenant: 'default',
      epoch: '2026q4',
    } as RequestedHeader)
    expect(bytes.length).toBeLessThan(1_400)
  })

  test('hostile bytes end in a RecordError and nothing else [R-3]', () => {
    for (const [name, text] of Object.entries(hostileTexts)) {
      for (const parse of [parseHeader, parseEnvelope]) {
        const error = errorOf(() => parse(utf8.encode(text)))
        expect(recordErrorCodes, name).toContain(error?.code)
      }
    }
  })

  test('any bytes end in a header or a RecordError [R-3]', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void errorOf(() => parseHeader(bytes))))
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom('v', 'kind', '__proto__', 'stage', 'detail') }), (value) => {
        errorOf(() => parseHeader(utf8.encode(JSON.stringify({ ...value, v: 1 }))))
      }),
    )
  })

  test('names what is wrong and where [R-8]', () => {
    for (const [changes, expected] of refusals) expect([changes, refusal(changes)]).toEqual([changes, expected])
  })

  test('the encoder refuses what the parser would refuse [R-8]', () => {
    expect(errorOf(() => encodeHeader({ ...sample, inputBytes: -1 } as RequestedHeader))).toMatchObject({
      code: 'bad_value',
      at: 'inputBytes',
      retry: false,
    })
    expect(errorOf(() => encodeHeader({ ...sample, spanId: undefined } as unknown as RequestedHeader))?.code).toBe(
      'bad_value',
    )
    expect(errorOf(() => encodeEnvelope({ v: 1, observedTime: 'now' }))?.at).toBe('observedTime')
  })

  test('only rpcCode may be negative [R-8]', () => {
    fc.assert(
      fc.property(completedHeader, fc.integer({ max: -1 }), (value, rpcCode) => {
        expect(parseHeader(encodeHeader({ ...value, rpcCode }))).toMatchObject({ rpcCode })
        expect(errorOf(() => encodeHeader({ ...value, latencyUs: rpcCode }))?.at).toBe('latencyUs')
      }),
      { numRuns: 50 },
    )
  })
})

describe('envelope', () => {
  test('parse after encode is the identity [R-5]', () => {
    fc.assert(
      fc.property(envelope, (value) => {
        const bytes = encodeEnvelope(value)
        expect(parseEnvelope(bytes)).toEqual(value)
        expect(bytes.length).toBeLessThanOrEqual(envelopeBytesMax)
      }),
    )
  })

  test('names what is wrong and where [R-8]', () => {
    const place = (text: string) => errorOf(() => parseEnvelope(utf8.encode(text)))
    expect(place('{"observedTime":"2026-11-20T11:03:40.123Z","v":2}')).toMatchObject({ code: 'bad_version', at: 'v' })
    expect(place('{"v":1}')).toMatchObject({ code: 'missing_field', at: 'observedTime' })
    expect(place('{"observedTime":"2026-11-20T11:03:40.123Z","subject":"bob","v":1}')).toMatchObject({ at: 'subject' })
    expect(place('{"observedTime":"2026-11-20T11:03:40.123Z","v":1,"x":1}')).toMatchObject({ code: 'unknown_field' })
  })
})
