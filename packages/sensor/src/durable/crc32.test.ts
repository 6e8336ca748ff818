import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32, crc32ByTable } from './crc32.ts'

it('is the CRC-32 of its check value, natively and by table', () => {
  const check = new TextEncoder().encode('123456789')
  expect(crc32(check)).toBe(0xcbf43926)
  expect(crc32ByTable(check)).toBe(0xcbf43926)
  fc.assert(fc.property(fc.uint8Array(), (bytes) => crc32(bytes) === crc32ByTable(bytes)))
})
