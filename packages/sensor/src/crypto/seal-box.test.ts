import { generateKeyPairSync } from 'node:crypto'
import { RecordError } from '@affidavit/evidence/record/error'
import { describe, expect, it } from 'vitest'
import { openX25519, sealToX25519, toRawPublicKey } from './seal-box.ts'

const recipient = generateKeyPairSync('x25519').privateKey
const text = new TextEncoder().encode('the stream secret, 32 bytes long')

describe('seal-box', () => {
  it('only the recipient opens it; two seals of one text differ [W-16]', () => {
    const sealed = sealToX25519(toRawPublicKey(recipient), text)
    expect(openX25519(recipient, sealed)).toEqual(text)
    expect(sealed).not.toEqual(sealToX25519(toRawPublicKey(recipient), text))
    const stranger = generateKeyPairSync('x25519').privateKey
    expect(() => openX25519(stranger, sealed)).toThrow(RecordError)
  })
  it('refuses every flipped bit, cut text and keys nobody can agree with [W-16]', () => {
    const sealed = sealToX25519(toRawPublicKey(recipient), text)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      // RFC 7748 §5 has the top bit of a public key ignored; it is bound in by its bytes all the same.
      expect(() => openX25519(recipient, changed), `bit ${bit}`).toThrow(RecordError)
    }
    for (let length = 0; length < sealed.length; length++)
      expect(() => openX25519(recipient, sealed.subarray(0, length))).toThrow(RecordError)
    const lowOrder = sealed.slice()
    lowOrder.fill(0, 0, 32)
    expect(() => openX25519(recipient, lowOrder)).toThrow(RecordError)
  })
})
