import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashLeaf } from './hash.ts'
import { consistencyProof, inclusionProof, readRange, readRoot } from './proof.ts'
import * as naive from './testdata/naive.ts'
import { base64, bytesOf, hex, readVectors, sha256, toText } from './testdata/shared.ts'
import { emptyLog, grow, read, source } from './testdata/tiled-log.ts'
import type { TileRef } from './tile.ts'
import { verifyConsistency, verifyInclusion } from './verify-proof.ts'

const log = emptyLog()
for (let i = 0; i < 1300; i++) grow(log, [bytesOf(`entry-${i}`)])
const leaves = log.entries.map((entry) => hashLeaf(sha256, entry))
const sizes = fc.integer({ min: 1, max: leaves.length })
const pair = sizes.chain((size) => fc.record({ size: fc.constant(size), at: fc.nat(size - 1) }))

interface Xmod {
  inclusion: { I: number; N: number; p: string[] }[]
  consistency: { M: number; N: number; p: string[] }[]
  inclusionDigests: Record<string, string>
  consistencyDigests: Record<string, string>
}

const digest = (proofs: Uint8Array[][]) =>
  hex(sha256(...proofs.flatMap((proof) => [Uint8Array.of(proof.length), ...proof])))

describe('proofs from tiles', () => {
  it('are those of golang.org/x/mod/sumdb/tlog, each of them for n ≤ 130 [L-8]', async (ctx) => {
    const vectors = JSON.parse(readVectors(ctx, 'tlog-xmod-generated.json')) as Xmod
    expect(vectors.inclusion).toHaveLength(63)
    expect(vectors.consistency).toHaveLength(50)
    for (const { I, N, p } of vectors.inclusion) {
      expect((await inclusionProof(source(log), I, N)).map(toText)).toEqual(p)
      const root = naive.root(leaves.slice(0, N))
      const leafHash = leaves[I] ?? new Uint8Array()
      verifyInclusion(sha256, { index: BigInt(I), size: BigInt(N), leafHash, proof: p.map(base64) }, root)
    }
    for (const { M, N, p } of vectors.consistency) {
      expect((await consistencyProof(source(log), M, N)).map(toText)).toEqual(p)
      const [oldRoot, root] = [naive.root(leaves.slice(0, M)), naive.root(leaves.slice(0, N))]
      verifyConsistency(sha256, { oldSize: BigInt(M), size: BigInt(N), oldRoot, root, proof: p.map(base64) })
    }
    for (let n = 1; n <= 130; n++) {
      const inclusion = Array.from({ length: n }, (_, i) => inclusionProof(source(log), i, n))
      const consistency = Array.from({ length: n }, (_, i) => consistencyProof(source(log), i + 1, n))
      expect(digest(await Promise.all(inclusion))).toBe(vectors.inclusionDigests[n])
      expect(digest(await Promise.all(consistency))).toBe(vectors.consistencyDigests[n])
    }
  })

  it('are those of the recursive definition, and verify [L-8] [L-9]', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ({ size, at }) => {
        const tree = leaves.slice(0, size)
        const root = naive.root(tree)
        const proof = await inclusionProof(source(log), at, size)
        expect(proof).toEqual(naive.path(at, tree))
        const leafHash = leaves[at] ?? new Uint8Array()
        verifyInclusion(sha256, { index: BigInt(at), size: BigInt(size), leafHash, proof }, root)
        const steps = await consistencyProof(source(log), at + 1, size)
        expect(steps).toEqual(naive.subproof(at + 1, tree))
        const oldRoot = naive.root(leaves.slice(0, at + 1))
        verifyConsistency(sha256, { oldSize: BigInt(at + 1), size: BigInt(size), oldRoot, root, proof: steps })
        expect(await readRoot(source(log), size)).toEqual(root)
      }),
      { numRuns: 60 },
    )
  })

  it('read at most two tiles per level, partial ones of their own tree, from a slow reader too [L-8]', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ({ size, at }) => {
        const reads: TileRef[] = []
        const readTile = async (ref: TileRef) => {
          reads.push(ref)
          await Promise.resolve()
          return read(log, ref)
        }
        await inclusionProof({ sha256, readTile }, at, size)
        for (const level of [0, 1]) expect(reads.filter((ref) => ref.level === level).length).toBeLessThanOrEqual(2)
      }),
      { numRuns: 60 },
    )
  })

  it('take the full tile where the partial one is gone [L-8]', async () => {
    const readTile = (ref: TileRef) => read(log, ref.index < 5 && ref.level === 0 ? { ...ref, width: 256 } : ref)
    expect(await inclusionProof({ sha256, readTile }, 3, 700)).toEqual(naive.path(3, leaves.slice(0, 700)))
  })

  it('resume an append from the tiles alone [L-2]', async () => {
    const again = emptyLog()
    again.range = await readRange(source(log), 1299)
    again.entries.push(...log.entries.slice(0, 1299))
    for (const [path, bytes] of log.files) again.files.set(path, bytes)
    expect(grow(again, log.entries.slice(1299)).root).toEqual(naive.root(leaves))
    expect(await readRange(source(log), 0)).toEqual({ size: 0, hashes: [] })
  })

  it('refuse places outside the tree, size 0 and tiles that are too short [L-3] [L-9]', async () => {
    await expect(inclusionProof(source(log), 5, 5)).rejects.toMatchObject({ code: 'bad_index' })
    await expect(inclusionProof(source(log), -1, 5)).rejects.toMatchObject({ code: 'bad_index' })
    await expect(inclusionProof(source(log), 0.5, 5)).rejects.toMatchObject({ code: 'bad_index' })
    await expect(inclusionProof(source(log), 0, 2 ** 53)).rejects.toMatchObject({ code: 'bad_index' })
    await expect(consistencyProof(source(log), 0, 5)).rejects.toMatchObject({ code: 'empty_tree' })
    await expect(consistencyProof(source(log), 6, 5)).rejects.toMatchObject({ code: 'bad_size' })
    const readTile = () => new Uint8Array(31)
    await expect(inclusionProof({ sha256, readTile }, 0, 5)).rejects.toMatchObject({ code: 'bad_tile' })
  })
})
