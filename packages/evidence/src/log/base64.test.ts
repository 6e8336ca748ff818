import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from './base64.ts'

describe('base64', () => {
  it('is what Node writes, and reads back to the same bytes [L-11]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(toBase64(bytes))).toEqual(bytes)
      }),
    )
  })

  it('has one spelling per value: whatever decodes encodes to the same text [L-11]', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: fc.constantFrom(...'AQgw/+=Z \n-_é') }), (text) => {
        let bytes: Uint8Array | undefined
        try {
          bytes = fromBase64(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_base64' })
        }
        if (bytes !== undefined) expect(toBase64(bytes)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it.each(['A', 'AA', 'AAA', 'AB==', 'AAB=', 'A===', '====', 'AA==AA==', 'AAA\n', ' AAA', 'AA-_'])(
    'refuses %j [L-11]',
    (text) => expect(() => fromBase64(text)).toThrow(/base64/),
  )
})
