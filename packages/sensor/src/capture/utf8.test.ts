import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Utf8Mender } from './utf8.ts'

function mend(parts: readonly Uint8Array[]): { bytes: Buffer; mended: boolean } {
  const mender = new Utf8Mender()
  const out = parts.map((part) => mender.mend(part))
  return { bytes: Buffer.concat([...out, mender.end()]), mended: mender.mended }
}

it('mended text is UTF-8 of the same length, and equal where it was UTF-8 already [C-29]', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary' }).map((text) => new Uint8Array(Buffer.from(text))),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
      const whole = Buffer.concat(parts)
      const { bytes, mended } = mend(parts)
      expect(bytes.length).toBe(whole.length)
      expect(isUtf8(bytes)).toBe(true)
      expect(mended).toBe(!isUtf8(whole))
      if (!mended) expect(bytes.equals(whole)).toBe(true)
      expect(bytes.equals(mend([whole]).bytes)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})
