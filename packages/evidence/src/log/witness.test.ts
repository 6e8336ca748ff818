import { describe, expect, it } from 'vitest'
import { encodeCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import {
  cosign,
  cosignatureVerifier,
  encodeCosignatureMessage,
  parseCosignature,
  verifyCosignatures,
} from './cosignature.ts'
import { formatVerifierKey, parseVerifierKey } from './key.ts'
import { ed25519Verifier, encodeNote, mergeSignatures, parseNote } from './note.ts'
import { inclusionProof } from './proof.ts'
import { encodeProofFile, parseProofFile, verifyProofFile } from './proof-file.ts'
import * as naive from './testdata/naive.ts'
import {
  bytesOf,
  makeSigner,
  makeWitness,
  readVectors,
  sha256,
  textOf,
  toText,
  verifyEd25519,
} from './testdata/shared.ts'
import { emptyLog, grow, source } from './testdata/tiled-log.ts'
import {
  encodeAddCheckpoint,
  encodeCosignatureLines,
  encodeTreeSize,
  parseAddCheckpoint,
  parseCosignatureLines,
  parseTreeSize,
} from './witness.ts'

interface LitewitnessCase {
  checkpoint: string
  logVkey: string
  cosignerVkey: string
  timestamp: number
}

const origin = 'example.com/acme/2026q4'
const signer = makeSigner(origin)
const log = { origin, verifiers: [ed25519Verifier(verifyEd25519, signer.key)] }
const root = sha256(bytesOf('root'))
const text = encodeCheckpoint({ origin, size: 12n, root })
const signed = await signCheckpoint(signer, { origin, size: 12n, root })
const witnesses = ['w1.example', 'w2.example', 'w3.example'].map(makeWitness)
const verifiers = witnesses.map(({ key }) => cosignatureVerifier(verifyEd25519, key))

describe('cosignatures', () => {
  it('of litewitness verify, and not with a byte changed [L-16]', async (ctx) => {
    const { cosignatureFromDebianLitewitness: cases } = JSON.parse(readVectors(ctx, 'signed-note-xmod.json.gz')) as {
      cosignatureFromDebianLitewitness: LitewitnessCase[]
    }
    expect(cases).toHaveLength(1)
    for (const { checkpoint, logVkey, cosignerVkey, timestamp } of cases) {
      const logKey = parseVerifierKey(sha256, logVkey)
      const theirs = { origin: logKey.name, verifiers: [ed25519Verifier(verifyEd25519, logKey)] }
      const witness = cosignatureVerifier(verifyEd25519, parseVerifierKey(sha256, cosignerVkey))
      expect(formatVerifierKey(witness.key)).toBe(cosignerVkey)
      const { note } = await verifyCheckpoint(bytesOf(checkpoint), theirs)
      const expected = [{ witness: witness.key.name, timestamp: BigInt(timestamp) }]
      expect(await verifyCosignatures(note, [witness])).toEqual(expected)
      const altered = note.signatures.map((line) =>
        line.name === witness.key.name ? { ...line, signature: line.signature.with(9, 1) } : line,
      )
      await expect(verifyCosignatures({ ...note, signatures: altered }, [witness])).rejects.toMatchObject({
        code: 'bad_signature',
      })
    }
  })

  it('count known witnesses only, each once [L-16]', async () => {
    const lines = await Promise.all(witnesses.map((witness, i) => cosign(witness, text, BigInt(1000 + i))))
    const note = parseNote(encodeNote({ text, signatures: mergeSignatures(parseNote(signed).signatures, lines) }))
    const two = verifiers.slice(0, 2)
    expect(await verifyCosignatures(note, two)).toEqual([
      { witness: 'w1.example', timestamp: 1000n },
      { witness: 'w2.example', timestamp: 1001n },
    ])
    expect(await verifyCosignatures(parseNote(signed), two)).toEqual([])
    const twin = { ...verifiers[0], key: { ...verifiers[0]?.key, name: 'w1-again.example' } } as (typeof verifiers)[0]
    await expect(verifyCosignatures(note, [...two, twin])).rejects.toMatchObject({ code: 'bad_key' })
  })

  it('sign the time: another time, another text, a plain signature do not pass [L-16]', async () => {
    const [witness, verifier] = [witnesses[0], verifiers[0]]
    if (witness === undefined || verifier === undefined) throw new Error('there are witnesses')
    expect(textOf(encodeCosignatureMessage('o\n1\nr\n', 1679315147n))).toBe(
      'cosignature/v1\ntime 1679315147\no\n1\nr\n',
    )
    const { signature } = await cosign(witness, text, 5n)
    expect(parseCosignature(signature).timestamp).toBe(5n)
    expect(await verifier.verify(text, signature)).toBe(true)
    expect(await verifier.verify(text, signature.with(7, 6))).toBe(false)
    expect(await verifier.verify(`${text}more\n`, signature)).toBe(false)
    expect(await verifier.verify(text, await witness.sign(bytesOf(text)))).toBe(false)
    expect(await verifier.verify(text, signature.subarray(1))).toBe(false)
    expect(() => parseCosignature(signature.with(0, 0x80))).toThrow(/2\^63/)
    await expect(cosign(witness, text, 2n ** 63n)).rejects.toMatchObject({ code: 'bad_cosignature' })
    await expect(cosign(signer, text, 5n)).rejects.toMatchObject({ code: 'bad_key' })
    expect(() => cosignatureVerifier(verifyEd25519, signer.key)).toThrow(/not a witness key/)
    expect(() => ed25519Verifier(verifyEd25519, witness.key)).toThrow(/not a key that signs notes/)
  })
})

describe('witness messages', () => {
  const proof = [sha256(bytesOf('a')), sha256(bytesOf('b'))]

  it('add-checkpoint: parse ∘ encode is the identity, in the specified form [L-17]', () => {
    const message = { oldSize: 2n ** 63n, proof, checkpoint: signed }
    expect(parseAddCheckpoint(encodeAddCheckpoint(message))).toEqual(message)
    const lines = textOf(encodeAddCheckpoint(message)).split('\n')
    expect(lines.slice(0, 5)).toEqual(['old 9223372036854775808', ...proof.map(toText), '', origin])
  })

  it.each([
    ['no old size', `12\n\n${textOf(signed)}`],
    ['leading zero', `old 01\n\n${textOf(signed)}`],
    ['proof from 0', `old 0\n${toText(root)}\n\n${textOf(signed)}`],
    ['64 hashes', `old 1\n${`${toText(root)}\n`.repeat(64)}\n${textOf(signed)}`],
    ['short hash', `old 1\nAAAA\n\n${textOf(signed)}`],
    ['no checkpoint', 'old 1\n\n'],
    ['no empty line', 'old 1\n'],
  ])('add-checkpoint with %s is refused [L-17]', (_, body) =>
    expect(() => parseAddCheckpoint(bytesOf(body))).toThrow(expect.objectContaining({ name: 'VerifyError' })),
  )

  it('answers: cosignature lines, and the size a witness has [L-17]', async () => {
    const lines = await Promise.all(witnesses.map((witness) => cosign(witness, text, 9n)))
    expect(parseCosignatureLines(encodeCosignatureLines(lines))).toEqual(lines)
    expect(parseTreeSize(encodeTreeSize(2n ** 64n - 1n))).toBe(2n ** 64n - 1n)
    for (const body of ['', '5', '05\n', '5\n\n', '-1\n']) expect(() => parseTreeSize(bytesOf(body))).toThrow()
    expect(() => parseCosignatureLines(bytesOf(''))).toThrow()
    expect(() => encodeAddCheckpoint({ oldSize: 0n, proof, checkpoint: signed })).toThrow(/size 0/)
  })
})

describe('proof files', () => {
  const tiled = emptyLog()
  const entries = Array.from({ length: 300 }, (_, i) => bytesOf(`entry-${i}`))
  const growth = grow(tiled, entries)
  const policy = { ...log, sha256 }
  const makeFile = async (index: number) => ({
    index: BigInt(index),
    proof: await inclusionProof(source(tiled), index, 300),
    checkpoint: await signCheckpoint(signer, { origin, size: 300n, root: growth.root }),
  })
  const leaf = (index: number) => naive.leaf(bytesOf(`entry-${index}`))

  it('parse ∘ encode is the identity, with and without extra bytes [L-18]', async () => {
    const file = await makeFile(257)
    expect(parseProofFile(encodeProofFile(file))).toEqual(file)
    expect(parseProofFile(encodeProofFile({ ...file, extra: bytesOf('more') }))).toEqual({
      ...file,
      extra: bytesOf('more'),
    })
    const lines = textOf(encodeProofFile(file)).split('\n')
    expect(lines.slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 257'])
  })

  it('verify offline for their entry and no other [L-18]', async () => {
    const file = parseProofFile(encodeProofFile(await makeFile(7)))
    expect((await verifyProofFile(policy, file, leaf(7))).size).toBe(300n)
    await expect(verifyProofFile(policy, file, leaf(8))).rejects.toMatchObject({ code: 'root_mismatch' })
    await expect(verifyProofFile(policy, { ...file, index: 8n }, leaf(7))).rejects.toMatchObject({
      code: 'root_mismatch',
    })
    await expect(verifyProofFile(policy, { ...file, index: 300n }, leaf(7))).rejects.toMatchObject({
      code: 'bad_index',
    })
    const stranger = { ...policy, verifiers: [ed25519Verifier(verifyEd25519, makeSigner(origin).key)] }
    await expect(verifyProofFile(stranger, file, leaf(7))).rejects.toMatchObject({ code: 'no_known_signature' })
  })

  it.each([
    ['another first line', 'c2sp.org/tlog-proof@v2\nindex 1\n\nx'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nx'],
    ['leading zero', 'c2sp.org/tlog-proof@v1\nindex 01\n\nx'],
    ['empty extra', 'c2sp.org/tlog-proof@v1\nextra \nindex 1\n\nx'],
    ['short hash', 'c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx'],
    ['65 hashes', `c2sp.org/tlog-proof@v1\nindex 1\n${`${toText(root)}\n`.repeat(65)}\nx`],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 1\n'],
    ['carriage returns', 'c2sp.org/tlog-proof@v1\r\nindex 1\r\n\r\nx'],
  ])('with %s are refused [L-18]', (_, file) =>
    expect(() => parseProofFile(bytesOf(file))).toThrow(expect.objectContaining({ name: 'VerifyError' })),
  )
})
