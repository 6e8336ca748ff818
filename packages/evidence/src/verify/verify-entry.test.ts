import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inclusionProof } from '../log/proof.ts'
import { encodeProofFile } from '../log/proof-file.ts'
import { makeSigner, sha256, toText } from '../log/testdata/shared.ts'
import { source } from '../log/testdata/tiled-log.ts'
import type { SealingCrypto } from '../record/crypto.ts'
import { RecordError } from '../record/error.ts'
import type { SectionName } from '../record/kinds.ts'
import { commitSection, deriveRecordKeys, encodeBody, type Sections } from '../record/sections.ts'
import {
  append,
  appendCall,
  createLog,
  crypto,
  encode,
  makeSensor,
  openStream,
  origin,
  policy,
  publish,
  requested,
} from './testdata/log-builder.ts'
import { verifyEntry } from './verify-entry.ts'
import { verifyBody } from './verify-sections.ts'

const sealing: SealingCrypto = {
  hkdf: (secret, purpose, length) => new Uint8Array(hkdfSync('sha256', secret, '', purpose, length)),
  seal: (key, plaintext) => {
    const cipher = createCipheriv('aes-256-gcm', key, new Uint8Array(12))
    return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]))
  },
  open: (key, sealed) => {
    const decipher = createDecipheriv('aes-256-gcm', key, new Uint8Array(12)).setAuthTag(sealed.slice(-16))
    const plain = decipher.update(sealed.slice(0, -16))
    try {
      decipher.final()
    } catch (error) {
      throw new RecordError('sealed_corrupt', 'sealed', String(error))
    }
    return new Uint8Array(plain)
  },
}

const utf8 = new TextEncoder()
const secret = new Uint8Array(32).fill(7)
const { bodyKey, saltOf } = deriveRecordKeys(sealing, secret)
const sections: Sections = { input: utf8.encode('{"path":"/etc/passwd"}'), identity: utf8.encode('{}') }
const commit = (name: SectionName) =>
  toText(commitSection(sha256, name, saltOf(name), sections[name] ?? new Uint8Array()))
const commitments = { input: commit('input'), identity: commit('identity') }

/** A log of 300 calls with one record that has sections, and everything somebody would hand over about it. */
async function build(cosigners = 0) {
  const built = createLog()
  const stream = openStream(built, makeSensor())
  for (let i = 0; i < 150; i++) appendCall(built, stream)
  const index = built.tiled.range.size
  const { header, signature } = encode(stream, requested(), { sections: commitments })
  append(built, [header], [signature])
  for (let i = 0; i < 20; i++) appendCall(built, stream)
  const checkpoint = await publish(built, cosigners)
  const proof = await inclusionProof(source(built.tiled), index, built.tiled.range.size)
  const proofFile = encodeProofFile({ index: BigInt(index), proof, checkpoint })
  return { index, entry: built.tiled.entries[index] ?? new Uint8Array(), proofFile }
}

const open = (name: SectionName) => ({ name, salt: saltOf(name), bytes: sections[name] ?? new Uint8Array() })

describe('one entry', () => {
  it('verifies offline: place, checkpoint, the disclosed section; the withheld one stays closed [V-15]', async () => {
    const { index, entry, proofFile } = await build()
    const verified = await verifyEntry(crypto, policy, { entry, proofFile, sections: [open('input')] })
    expect(verified).toMatchObject({
      index: BigInt(index),
      header: { kind: 'call', stage: 'requested' },
      sections: { input: sections.input },
      withheld: ['identity'],
      checkpoint: { origin, size: 343n },
      integrity: 'SIGNED',
    })
    const none = await verifyEntry(crypto, policy, { entry, proofFile, sections: [] })
    expect(none.withheld).toEqual(['input', 'identity'])
  })

  it('is WITNESSED only with enough cosignatures of the verifier’s own witnesses [V-15]', async () => {
    const { entry, proofFile } = await build(2)
    const evidence = { entry, proofFile, sections: [] }
    expect(await verifyEntry(crypto, policy, evidence)).toMatchObject({
      integrity: 'WITNESSED',
      cosignatures: [{}, {}],
    })
    expect((await verifyEntry(crypto, { ...policy, witnesses: [] }, evidence)).integrity).toBe('SIGNED')
  })

  it('with any bit of entry or proof changed does not [V-15]', async () => {
    const { entry, proofFile } = await build()
    const flip = (bytes: Uint8Array, at: number, bit: number) =>
      bytes.map((byte, i) => (i === at % bytes.length ? byte ^ (1 << bit) : byte))
    await fc.assert(
      fc.asyncProperty(fc.nat(5000), fc.nat(7), async (at, bit) => {
        for (const altered of [
          { entry: flip(entry, at, bit), proofFile },
          { entry, proofFile: flip(proofFile, at, bit) },
        ])
          await expect(verifyEntry(crypto, policy, { ...altered, sections: [] })).rejects.toMatchObject({
            retry: false,
          })
      }),
    )
  })

  it('under another key, or with a section that is not the one committed to, does not [V-15]', async () => {
    const { entry, proofFile } = await build()
    const stranger = { ...policy, logKeys: [makeSigner(origin).key] }
    await expect(verifyEntry(crypto, stranger, { entry, proofFile, sections: [] })).rejects.toMatchObject({
      code: 'no_known_signature',
    })
    const input = open('input')
    const wrong = [
      [{ ...input, bytes: utf8.encode('{"path":"/tmp"}') }],
      [{ ...input, salt: saltOf('identity') }],
      [{ ...input, name: 'identity' as const }],
      [{ ...input, name: 'purpose' as const }],
      [input, input],
    ]
    for (const disclosed of wrong)
      await expect(verifyEntry(crypto, policy, { entry, proofFile, sections: disclosed })).rejects.toMatchObject({
        code: 'commitment_mismatch',
      })
  })
})

describe('a stored body', () => {
  const header = { sections: commitments } as Parameters<typeof verifyBody>[1]
  const crypto = { sha256, sealing }
  const seal = (plain: Sections) => ({ secret, body: sealing.seal(bodyKey, encodeBody(plain)) })

  it('opens to exactly the sections of its header [V-16]', () => {
    expect(verifyBody(crypto, header, seal(sections))).toEqual(sections)
  })

  it('altered, short of a section, or with one more is refused [V-16]', () => {
    const { body } = seal(sections)
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const altered = body.map((byte, i) => (i === at ? byte ^ mask : byte))
        expect(() => verifyBody(crypto, header, { secret, body: altered })).toThrow(RecordError)
      }),
    )
    const { input, ...rest } = sections
    expect(() => verifyBody(crypto, header, seal(rest))).toThrow(/lacks a section/)
    expect(() => verifyBody(crypto, header, seal({ ...sections, purpose: utf8.encode('{}') }))).toThrow(
      /no such section/,
    )
    expect(() => verifyBody(crypto, header, seal({ ...sections, input: utf8.encode('{}') }))).toThrow(/not the one/)
    expect(input).toBeDefined()
  })
})
