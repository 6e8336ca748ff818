import { createPrivateKey } from 'node:crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hmacSha256, sealing, sha256, signEd25519, verifyEd25519 } from './node.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const ascii = (text: string) => new TextEncoder().encode(text)

describe('hashes and keys', () => {
  it('SHA-256 of the FIPS 180-4 examples, in one part or several [W-21]', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    expect(hex(sha256(ascii('abc')))).toBe(expected)
    expect(hex(sha256(ascii('a'), ascii(''), ascii('bc')))).toBe(expected)
  })
  it('HMAC-SHA-256 of RFC 4231, case 2 [W-21]', () => {
    expect(hex(hmacSha256(ascii('Jefe'), ascii('what do ya want '), ascii('for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })
  it('HKDF of RFC 5869, case 3: empty salt, empty info [W-21]', () => {
    expect(hex(sealing.hkdf(new Uint8Array(22).fill(0x0b), '', 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })
})

describe('sealing', () => {
  it('AES-256-GCM of the GCM specification, case 14, tag appended [W-21]', () => {
    expect(hex(sealing.seal(new Uint8Array(32), new Uint8Array(16)))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    )
  })
  it('open is the inverse of seal, and any changed bit is refused', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(),
        (key, text, at) => {
          const sealed = sealing.seal(key, text)
          expect(sealing.open(key, sealed)).toEqual(text)
          const bit = at % (sealed.length * 8)
          sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          expect(() => sealing.open(key, sealed)).toThrow(RecordError)
        },
      ),
    )
  })
  it('refuses text without a whole tag', () => {
    expect(() => sealing.open(new Uint8Array(32), new Uint8Array(15))).toThrow(RecordError)
  })
})

describe('Ed25519', () => {
  // RFC 8032 §7.1, test 2.
  const secret = bytes('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
  const publicKey = bytes('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
  const signature =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  const der = Buffer.concat([bytes('302e020100300506032b657004220420'), secret])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const text = bytes('72')

  it('signs and verifies the RFC 8032 vector [W-21]', () => {
    expect(hex(signEd25519(privateKey, text))).toBe(signature)
    expect(verifyEd25519(publicKey, text, bytes(signature))).toBe(true)
  })
  it('is false, and never throws, for other messages, keys, signatures and lengths', () => {
    expect(verifyEd25519(publicKey, bytes('73'), bytes(signature))).toBe(false)
    expect(verifyEd25519(publicKey.subarray(1), text, bytes(signature))).toBe(false)
    expect(verifyEd25519(publicKey, text, bytes(signature).subarray(1))).toBe(false)
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (key, signed) => verifyEd25519(key, text, signed) === false,
      ),
    )
  })
})
