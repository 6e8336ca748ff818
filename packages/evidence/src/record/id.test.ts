import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64, toBase64 } from './base64.ts'
import { digestValue, formatHash, formatKeyedDigest, parseHash, parseKeyedDigest, toCorrelationKey } from './digest.ts'
import { RecordError } from './error.ts'
import { formatUuidV7, isUuidV7, timeOfUuidV7 } from './id.ts'
import { hmac, sha256 } from './testdata/node-crypto.ts'
import { clipText, isKeptName } from './text.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'

test('UUIDs of version 7 carry the time, the version and the variant [R-12]', () => {
  // The example of RFC 9562, appendix A.6.
  const random = Uint8Array.from([0, 0, 0, 0, 0, 0, 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f])
  expect(formatUuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  fc.assert(
    fc.property(fc.nat(2 ** 48 - 1), fc.uint8Array({ minLength: 16, maxLength: 16 }), (time, bytes) => {
      const id = formatUuidV7(time, bytes)
      expect([isUuidV7(id), timeOfUuidV7(id)]).toEqual([true, time])
    }),
  )
  for (const time of [-1, 0.5, 2 ** 48, Number.NaN]) expect(() => formatUuidV7(time, random)).toThrow(RecordError)
  expect(() => formatUuidV7(0, new Uint8Array(15))).toThrow(RecordError)
  for (const wrong of ['', '017F22E2-79B0-7CC3-98C4-DC0C0C07398F', '017f22e2-79b0-4cc3-98c4-dc0c0c07398f', 1, null])
    expect(isUuidV7(wrong)).toBe(false)
})

test('times are RFC 3339 in UTC with milliseconds, on days that exist [R-12]', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (time) => {
      expect(parseTimestamp(formatTimestamp(time))).toBe(time)
    }),
  )
  const wrong = [
    '2026-11-20T11:03:40Z', '2026-11-20T11:03:40.1234Z', '2026-11-20 11:03:40.123Z', '2026-11-20T11:03:40.123+00:00',
    '2026-11-20t11:03:40.123z', '2026-02-29T00:00:00.000Z', '2100-02-29T00:00:00.000Z', '2026-04-31T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z', '2026-00-01T00:00:00.000Z', '2026-01-00T00:00:00.000Z', '2026-01-01T24:00:00.000Z',
    '2026-06-30T23:59:60.000Z', '12026-01-01T00:00:00.000Z', ' 2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z\n',
  ] // biome-ignore format: one list
  for (const each of wrong) expect(() => parseTimestamp(each), each).toThrow(RecordError)
  expect(parseTimestamp('2000-02-29T00:00:00.000Z')).toBe(Date.UTC(2000, 1, 29))
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800_000])
    expect(() => formatTimestamp(time)).toThrow(RecordError)
})

test('every day between 1996 and 2005 is judged as the calendar does [R-12]', () => {
  for (let year = 1996; year <= 2005; year++)
    for (let month = 1; month <= 12; month++)
      for (let day = 1; day <= 31; day++) {
        const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T00:00:00.000Z`
        const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
        if (exists) expect(parseTimestamp(text)).toBe(Date.UTC(year, month - 1, day))
        else expect(() => parseTimestamp(text), text).toThrow(RecordError)
      }
})

test('base64 has one spelling per value [R-12]', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      expect(fromBase64(toBase64(bytes), 'here')).toEqual(bytes)
    }),
  )
  for (const wrong of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA==AA==', 'AA-_', ' AA=', 'A===', '====', 'AAA\u0100'])
    expect(() => fromBase64(wrong, 'here'), wrong).toThrow(RecordError)
})

test('keyed digests name their key, meet for equal values and part for different ones [R-12]', () => {
  const key = toCorrelationKey(sha256, new Uint8Array(32).fill(1))
  expect(key.id).toBe(Buffer.from(sha256(key.key)).toString('hex').slice(0, 8))
  const digest = digestValue(hmac, key, 'pässword')
  expect(digest).toBe(digestValue(hmac, key, new TextEncoder().encode('pässword')))
  expect(digest).not.toBe(digestValue(hmac, key, 'password'))
  expect(digest).not.toBe(digestValue(hmac, toCorrelationKey(sha256, new Uint8Array(32).fill(2)), 'pässword'))
  const { keyId, mac } = parseKeyedDigest(digest)
  expect(formatKeyedDigest(keyId, mac)).toBe(digest)
  for (const wrong of ['', digest.slice(1), `${digest}A`, digest.toUpperCase(), digest.replace(/.=$/, 'B=')])
    expect(() => parseKeyedDigest(wrong), wrong).toThrow(RecordError)
  expect(() => formatKeyedDigest(keyId, mac.subarray(1))).toThrow(RecordError)
  expect(parseHash(formatHash(mac))).toEqual(mac)
  expect(() => parseHash(`${'A'.repeat(42)}B=`)).toThrow(RecordError)
})

test('names are kept exactly or not at all; other text is clipped between characters [R-12]', () => {
  expect([isKeptName(''), isKeptName('é'.repeat(128)), isKeptName('é'.repeat(129)), isKeptName('a\ud800')]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(clipText('short')).toBe('short')
  expect(clipText('\ud800x')).toBe('\ufffdx')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 4, max: 40 }), (value, bytesMax) => {
      const clipped = clipText(value, bytesMax)
      const size = Buffer.byteLength(clipped)
      expect(size).toBeLessThanOrEqual(bytesMax)
      expect(isKeptName(clipped)).toBe(true)
      if (Buffer.byteLength(value) <= bytesMax) expect(clipped).toBe(value)
      else {
        expect(clipped.endsWith('…')).toBe(true)
        expect(value.startsWith(clipped.slice(0, -1))).toBe(true)
        expect(size).toBeGreaterThan(bytesMax - 4)
      }
    }),
  )
})
