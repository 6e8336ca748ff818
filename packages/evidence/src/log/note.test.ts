import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VerifyError } from './error.ts'
import { formatVerifierKey, isKeyName, keyTypes, parseSignerKey, parseVerifierKey, toVerifierKey } from './key.ts'
import { ed25519Verifier, encodeNote, mergeSignatures, parseNote, signNote, toNoteSigner, verifyNote } from './note.ts'
import {
  bytesOf,
  keyFromSeed,
  makeSigner,
  rawPublicKey,
  readVectors,
  sha256,
  textOf,
  verifyEd25519,
} from './testdata/shared.ts'

interface NoteCase {
  name: string
  note?: string
  noteBase64?: string
  repeat?: { text: string; line: string; n: number }
  keys: string[]
  verified?: string[]
  unverified?: string[]
}
interface NoteVectors {
  skey: Record<string, string>
  valid: NoteCase[]
  invalid: NoteCase[]
  badVkeys: string[]
}

const parseVectors = (text: string) => JSON.parse(text) as NoteVectors
const verifiers = (keys: string[]) => keys.map((key) => ed25519Verifier(verifyEd25519, parseVerifierKey(sha256, key)))
const open = async (bytes: Uint8Array, keys: string[]) => verifyNote(parseNote(bytes), verifiers(keys))

function bytesOfCase({ note, noteBase64, repeat }: NoteCase): Uint8Array {
  if (noteBase64 !== undefined) return Buffer.from(noteBase64, 'base64')
  return bytesOf(repeat === undefined ? (note ?? '') : repeat.text + repeat.line.repeat(repeat.n))
}

describe('golang.org/x/mod/sumdb/note vectors', () => {
  it('valid notes verify, with the keys they name [L-12]', async (ctx) => {
    const { valid } = parseVectors(readVectors(ctx, 'signed-note-xmod.json.gz'))
    expect(valid).toHaveLength(3)
    for (const example of valid) {
      const { verified, unknown } = await open(bytesOfCase(example), example.keys)
      expect(verified.map(({ name }) => name)).toEqual(example.verified)
      expect(unknown.map(({ name }) => name)).toEqual(example.unverified ?? [])
      expect(textOf(encodeNote(parseNote(bytesOfCase(example))))).toBe(example.note)
    }
  })

  it('invalid notes are refused [L-12]', async (ctx) => {
    const { invalid } = parseVectors(readVectors(ctx, 'signed-note-xmod.json.gz'))
    expect(invalid).toHaveLength(10)
    for (const example of invalid)
      await expect(open(bytesOfCase(example), example.keys), example.name).rejects.toThrow(VerifyError)
  })

  it('bad verifier keys are refused, good ones have one spelling [L-13]', (ctx) => {
    const { badVkeys, valid } = parseVectors(readVectors(ctx, 'signed-note-xmod.json.gz'))
    expect(badVkeys).toHaveLength(2)
    for (const key of badVkeys)
      expect(() => parseVerifierKey(sha256, key), key).toThrow(expect.objectContaining({ code: 'bad_key' }))
    for (const key of valid.flatMap(({ keys }) => keys))
      expect(formatVerifierKey(parseVerifierKey(sha256, key))).toBe(key)
  })

  it('the signer key makes the same signature, byte for byte [L-12] [L-13]', async (ctx) => {
    const { skey, valid } = parseVectors(readVectors(ctx, 'signed-note-xmod.json.gz'))
    const parsed = parseSignerKey(Object.values(skey)[0] ?? '')
    const key = keyFromSeed(parsed.seed)
    const sign = makeSigner(parsed.name, key).sign
    const signer = toNoteSigner(sha256, parsed, rawPublicKey(key), sign)
    const text = parseNote(bytesOfCase(valid[0] ?? { name: '', keys: [] })).text
    expect(textOf(await signNote({ text, signatures: [] }, [signer]))).toBe(valid[0]?.note)
    expect(() => toNoteSigner(sha256, { ...parsed, id: parsed.id ^ 1 }, rawPublicKey(key), sign)).toThrow(/match/)
  })
})

describe('keys', () => {
  const key = makeSigner('example.com/log').key
  const vkey = formatVerifierKey(key)

  it('are refused with any character changed [L-13]', () => {
    fc.assert(
      fc.property(fc.nat(vkey.length - 1), fc.constantFrom(...'A0+ =é'), (at, character) => {
        const altered = vkey.slice(0, at) + character + vkey.slice(at + 1)
        if (altered !== vkey) expect(() => parseVerifierKey(sha256, altered)).toThrow(VerifyError)
      }),
    )
  })

  it('have names without spaces of any alphabet, plus signs and controls [L-13]', () => {
    for (const name of ['a', 'example.com/log', '例え.jp/ログ', 'a-b_c', '\ufeff'])
      expect(isKeyName(name), JSON.stringify(name)).toBe(true)
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u2003', '\u3000', 'a\nb', 'a\u0085', 'a\u0000', '\ud800'])
      expect(isKeyName(name), JSON.stringify(name)).toBe(false)
    expect(() => toVerifierKey(sha256, 'a b', keyTypes.ed25519, key.publicKey)).toThrow(/space/)
    expect(() => toVerifierKey(sha256, 'a', keyTypes.ed25519, new Uint8Array(31))).toThrow(/31 bytes/)
  })

  it('private ones never show up in an error [L-13]', () => {
    const secret = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
    for (const text of [
      secret.slice(0, -4),
      secret.slice(0, -1),
      secret.replace('+AYE', '+BBB'),
      secret.replace('c74f20a3', 'zz'),
      `x${secret}`,
    ])
      expect(() => parseSignerKey(text)).toThrow(
        expect.toSatisfy((error: VerifyError) => {
          return !JSON.stringify([error.message, error.evidence]).includes('EKFALV')
        }),
      )
  })
})

describe('notes', () => {
  const text = 'example.com/log\n1\nsecond\n\nlast line\n'
  const signer = makeSigner('example.com/log')
  const other = makeSigner('example.com/other')
  const verifier = ed25519Verifier(verifyEd25519, signer.key)

  it('verify after signing, with empty lines in the text, and not with a byte changed [L-12]', async () => {
    const bytes = await signNote({ text, signatures: [] }, [signer])
    expect((await verifyNote(parseNote(bytes), [verifier])).text).toBe(text)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const altered = bytes.map((byte, i) => (i === at ? byte ^ mask : byte))
        await expect((async () => verifyNote(parseNote(altered), [verifier]))()).rejects.toThrow(VerifyError)
      }),
    )
  })

  it('repeated signatures count once, of unknown keys too; the first one of a known key decides [L-12]', async () => {
    const note = parseNote(await signNote({ text, signatures: [] }, [signer, other]))
    const [mine, theirs] = note.signatures
    if (mine === undefined || theirs === undefined) throw new Error('two signatures were made')
    const wrong = { ...mine, signature: mine.signature.map((byte) => byte ^ 1) }
    const repeated = { text, signatures: [mine, theirs, wrong, theirs, mine] }
    expect(await verifyNote(repeated, [verifier])).toEqual({ text, verified: [mine], unknown: [theirs] })
    await expect(verifyNote({ text, signatures: [wrong, mine] }, [verifier])).rejects.toMatchObject({
      code: 'bad_signature',
    })
    await expect(verifyNote({ text, signatures: [theirs] }, [verifier])).rejects.toMatchObject({
      code: 'no_known_signature',
    })
    await expect(verifyNote(note, [verifier, verifier])).rejects.toMatchObject({ code: 'bad_key' })
  })

  it('signatures of unknown length and algorithm are skipped [L-12]', async () => {
    const strange = { name: 'example.com/pq', id: 7, signature: new Uint8Array(2420) }
    const bytes = await signNote({ text, signatures: [strange] }, [signer])
    expect((await verifyNote(parseNote(bytes), [verifier])).unknown).toEqual([strange])
  })

  it('a known name under another id is an unknown key [L-12]', async () => {
    const impostor = makeSigner('example.com/log')
    const bytes = await signNote({ text, signatures: [] }, [impostor])
    await expect(verifyNote(parseNote(bytes), [verifier])).rejects.toMatchObject({ code: 'no_known_signature' })
  })

  it('signing again replaces the signature of the same key and keeps the others [L-12]', async () => {
    const both = parseNote(await signNote({ text, signatures: [] }, [signer, other]))
    const again = parseNote(await signNote(both, [signer]))
    expect(again.signatures.map(({ name }) => name)).toEqual(['example.com/other', 'example.com/log'])
    expect(mergeSignatures(both.signatures, [])).toEqual(both.signatures)
  })

  it('what cannot be read back is not written [L-12]', async () => {
    for (const bad of ['no newline', 'control\u0007\n', 'lone \ud800\n', 'a\r\n'])
      await expect(signNote({ text: bad, signatures: [] }, [signer]), bad).rejects.toMatchObject({ code: 'bad_note' })
    expect(() => encodeNote({ text, signatures: [] })).toThrow(/malformed note/)
    const many = Array.from({ length: 101 }, (_, id) => ({ name: 'a', id, signature: new Uint8Array(64) }))
    expect(() => encodeNote({ text, signatures: many })).toThrow(/more than 100/)
    expect(encodeNote({ text, signatures: many.slice(1) }).length).toBeGreaterThan(9000)
    expect(() => parseNote(new Uint8Array(1_000_001))).toThrow(/at most/)
  })
})
