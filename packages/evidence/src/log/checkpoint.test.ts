import { describe, expect, it } from 'vitest'
import { encodeCheckpoint, parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { parseVerifierKey } from './key.ts'
import { ed25519Verifier, parseNote, signNote } from './note.ts'
import { bytesOf, makeSigner, readVectors, sha256, textOf, toText, verifyEd25519 } from './testdata/shared.ts'

const origin = 'example.com/acme/2026q4'
const signer = makeSigner(origin)
const log = { origin, verifiers: [ed25519Verifier(verifyEd25519, signer.key)] }
const root = sha256(bytesOf('root'))

describe('checkpoints', () => {
  it('of Tessera’s test log verify under its key, at every size, and have our form [L-14]', async (ctx) => {
    const vectors = JSON.parse(readVectors(ctx, 'tessera-testlog.json')) as {
      vkey: string
      checkpoints: Record<string, string>
    }
    const key = parseVerifierKey(sha256, vectors.vkey)
    const tessera = { origin: key.name, verifiers: [ed25519Verifier(verifyEd25519, key)] }
    expect(Object.keys(vectors.checkpoints)).toHaveLength(17)
    for (const [name, text] of Object.entries(vectors.checkpoints)) {
      const checkpoint = await verifyCheckpoint(bytesOf(text), tessera)
      expect(String(checkpoint.size)).toBe(name.split('.')[1] ?? '15')
      expect(encodeCheckpoint(checkpoint)).toBe(checkpoint.note.text)
      await expect(verifyCheckpoint(bytesOf(text.replace(/\n(\d)/, '\n9$1')), tessera)).rejects.toThrow()
    }
  })

  it('hold sizes up to 2^64 − 1 [L-10] [L-14]', async () => {
    const size = 2n ** 64n - 1n
    const bytes = await signCheckpoint(signer, { origin, size, root })
    expect(await verifyCheckpoint(bytes, log)).toMatchObject({ origin, size, root })
    expect(textOf(bytes).split('\n').slice(0, 3)).toEqual([origin, '18446744073709551615', toText(root)])
    expect(() => encodeCheckpoint({ origin, size: size + 1n, root })).toThrow(/out of range/)
  })

  it.each([
    ['two lines', `${origin}\n1\n`],
    ['empty origin', `\n1\n${toText(root)}\n`],
    ['leading zero', `${origin}\n01\n${toText(root)}\n`],
    ['sign', `${origin}\n+1\n${toText(root)}\n`],
    ['too large', `${origin}\n18446744073709551616\n${toText(root)}\n`],
    ['short root', `${origin}\n1\n${toText(root.subarray(1))}\n`],
    ['long root', `${origin}\n1\n${toText(Uint8Array.of(...root, 0))}\n`],
    ['no base64', `${origin}\n1\n${toText(root).replace('=', '')}\n`],
    ['empty line', `${origin}\n1\n${toText(root)}\n\nextension\n`],
    ['no newline', `${origin}\n1\n${toText(root)}`],
  ])('with %s are refused in either form [L-14]', (_, text) => {
    for (const form of ['own', 'foreign'] as const)
      expect(() => parseCheckpoint(text, form)).toThrow(expect.objectContaining({ code: 'bad_checkpoint' }))
  })

  it('with extension lines are foreign at best [L-14]', async () => {
    const text = `${encodeCheckpoint({ origin, size: 1n, root })}extension\n`
    expect(parseCheckpoint(text, 'foreign').size).toBe(1n)
    const bytes = await signNote({ text, signatures: [] }, [signer])
    await expect(verifyCheckpoint(bytes, log)).rejects.toMatchObject({ code: 'bad_checkpoint' })
    expect((await verifyCheckpoint(bytes, log, 'foreign')).size).toBe(1n)
  })

  it('compare origins literally [L-15]', async () => {
    const bytes = await signCheckpoint(signer, { origin, size: 1n, root })
    for (const other of [`${origin}/`, origin.toUpperCase(), `https://${origin}`, origin.slice(0, -1)]) {
      const elsewhere = { ...log, origin: other }
      await expect(verifyCheckpoint(bytes, elsewhere, 'foreign')).rejects.toMatchObject({ code: 'origin_mismatch' })
      await expect(verifyCheckpoint(bytes, elsewhere)).rejects.toMatchObject({ code: 'no_known_signature' })
    }
  })

  it('are signed by a key of the log’s name, old or new [L-15]', async () => {
    const renamed = makeSigner('example.com/other')
    await expect(signCheckpoint(renamed, { origin, size: 1n, root })).rejects.toThrow(/not the origin/)
    const text = encodeCheckpoint({ origin, size: 1n, root })
    const foreign = await signNote({ text, signatures: [] }, [renamed])
    const both = { origin, verifiers: [...log.verifiers, ed25519Verifier(verifyEd25519, renamed.key)] }
    await expect(verifyCheckpoint(foreign, both)).rejects.toMatchObject({ code: 'no_known_signature' })
    const rotated = makeSigner(origin)
    const newer = await signCheckpoint(rotated, { origin, size: 2n, root })
    const keys = { origin, verifiers: [...log.verifiers, ed25519Verifier(verifyEd25519, rotated.key)] }
    expect((await verifyCheckpoint(newer, keys)).size).toBe(2n)
    expect(parseNote(newer).signatures).toHaveLength(1)
  })
})
