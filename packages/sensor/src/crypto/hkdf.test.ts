import { createHash, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sealing, sha256 } from './node.ts'

test('derives what RFC 5869 says, for every secret, purpose and length, the second time too [S-19]', () => {
  const secret = fc.uint8Array({ minLength: 0, maxLength: 80 })
  fc.assert(
    fc.property(secret, fc.string(), fc.constantFrom(16, 32, 33, 288), (bytes, purpose, length) => {
      const expected = new Uint8Array(hkdfSync('sha256', bytes, new Uint8Array(), purpose, length))
      expect(sealing.hkdf(bytes, purpose, length)).toEqual(expected)
      expect(sealing.hkdf(bytes, purpose, length)).toEqual(expected)
    }),
  )
})

test('hashes long and short inputs in any parts alike [S-19]', () => {
  const part = fc.uint8Array({ maxLength: 12_000 })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const expected = createHash('sha256').update(Buffer.concat(parts)).digest()
      expect(sha256(...parts)).toEqual(new Uint8Array(expected))
    }),
    { numRuns: 50 },
  )
})
