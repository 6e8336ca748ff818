import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashLeaf, hashNode } from './hash.ts'
import * as naive from './testdata/naive.ts'
import { base64, bytesOf, hex, readVectors, sha256, toText } from './testdata/shared.ts'
import { emptyLog, grow } from './testdata/tiled-log.ts'
import { appendLeaves, emptyRange, rootOfRange, toRange } from './tree.ts'

const leaves = Array.from({ length: 1200 }, (_, i) => hashLeaf(sha256, bytesOf(`entry-${i}`)))

describe('tree', () => {
  it('hashes leaves, nodes and the empty tree as RFC 6962 [L-1]', (ctx) => {
    const vectors = JSON.parse(readVectors(ctx, 'rfc6962-merkle-probes.json')) as {
      leafInputsHex: string[]
      rootsHex: string[]
      hasher: { desc: string; hex: string }[]
    }
    expect(vectors.hasher.map(({ hex }) => hex)).toEqual([
      hex(rootOfRange(sha256, emptyRange)),
      hex(hashLeaf(sha256, bytesOf(''))),
      hex(hashLeaf(sha256, bytesOf('L123456'))),
      hex(hashNode(sha256, bytesOf('N123'), bytesOf('N456'))),
    ])
    const inputs = vectors.leafInputsHex.map((text) => hashLeaf(sha256, Buffer.from(text, 'hex')))
    const roots = vectors.rootsHex.map((_, size) => hex(appendLeaves(sha256, emptyRange, inputs.slice(0, size)).root))
    expect(roots).toEqual(vectors.rootsHex)
  })

  it('has the 1,025 roots that golang.org/x/mod/sumdb/tlog has [L-1] [L-2]', (ctx) => {
    const { roots } = JSON.parse(readVectors(ctx, 'tlog-xmod-generated.json')) as { roots: string[] }
    let range = emptyRange
    const ours = roots.map((_, i) => {
      const growth = appendLeaves(sha256, range, leaves.slice(i, i + 1))
      range = growth.range
      return toText(growth.root)
    })
    expect(ours).toHaveLength(1025)
    expect(ours).toEqual(roots)
  })

  it('reaches the same range, root and tile hashes however the leaves arrive [L-2]', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 6 }), (steps) => {
        let range = emptyRange
        const levels: Uint8Array[][] = []
        for (const step of steps) {
          const growth = appendLeaves(sha256, range, leaves.slice(range.size, range.size + step))
          for (const [level, hashes] of growth.levels.entries()) levels[level] = [...(levels[level] ?? []), ...hashes]
          range = growth.range
        }
        const expected = naive.root(leaves.slice(0, range.size))
        expect(hex(rootOfRange(sha256, range))).toBe(hex(expected))
        const tileHashes = Array.from({ length: Math.floor(range.size / 256) }, (_, i) =>
          naive.root(leaves.slice(i * 256, (i + 1) * 256)),
        )
        expect(levels[0] ?? []).toEqual(leaves.slice(0, range.size))
        expect(levels[1] ?? []).toEqual(tileHashes)
      }),
      { numRuns: 40 },
    )
  })

  it('completes a hash of the second tile level after 65,536 leaves [L-2]', () => {
    const same = hashLeaf(sha256, bytesOf('x'))
    const { levels } = appendLeaves(sha256, emptyRange, new Array<Uint8Array>(65_536).fill(same))
    let expected = same
    for (let height = 0; height < 16; height++) expected = hashNode(sha256, expected, expected)
    expect(levels.map((hashes) => hashes.length)).toEqual([65_536, 256, 1])
    expect(levels[2]?.[0]).toEqual(expected)
  })

  it('refuses hashes that are not 32 bytes and ranges that cannot be [L-3]', () => {
    expect(() => appendLeaves(sha256, emptyRange, [new Uint8Array(31)])).toThrow(/31 bytes/)
    expect(() => appendLeaves(sha256, { size: 1, hashes: [] }, leaves.slice(0, 1))).toThrow(/lacks hashes/)
    expect(() => toRange(3, leaves.slice(0, 1))).toThrow(/has 2 hashes/)
    expect(() => toRange(1, [new Uint8Array(33)])).toThrow(/33 bytes/)
    expect(() => toRange(2 ** 53, [])).toThrow(/no tree size/)
    expect(toRange(3, leaves.slice(0, 2)).size).toBe(3)
  })
})

describe('a whole log', () => {
  it('is rebuilt byte for byte as Tessera wrote it, at every size [L-4]', (ctx) => {
    const vectors = JSON.parse(readVectors(ctx, 'tessera-testlog.json')) as {
      leaves: string[]
      tiles: Record<string, string>
      checkpoints: Record<string, string>
    }
    const log = emptyLog()
    for (const [i, entry] of vectors.leaves.entries()) {
      const { root } = grow(log, [bytesOf(entry)])
      const [, size, rootText] = (vectors.checkpoints[`checkpoint.${i + 1}`] ?? '').split('\n')
      expect([size, rootText]).toEqual([String(i + 1), toText(root)])
    }
    expect(new Map([...log.files].map(([path, bytes]) => [path, toText(bytes)]))).toEqual(
      new Map(Object.entries(vectors.tiles)),
    )
    expect(Object.values(vectors.tiles).every((text) => toText(base64(text)) === text)).toBe(true)
  })
})
