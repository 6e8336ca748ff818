import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundleEntryBytesMax, decodeBundle, encodeBundle } from './bundle.ts'
import { hashLeaf } from './hash.ts'
import * as naive from './testdata/naive.ts'
import { bytesOf, sha256 } from './testdata/shared.ts'
import { emptyLog, grow, read } from './testdata/tiled-log.ts'
import { decodeTile, edgeTiles, parseTilePath, type TileLevel, tilePath, tilesToWrite, widthInTree } from './tile.ts'

const level: fc.Arbitrary<TileLevel> = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }))
const ref = fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) })

describe('tile paths', () => {
  it('are those of tlog-tiles [L-5]', () => {
    expect(tilePath({ level: 3, index: 1234067, width: 256 })).toBe('tile/3/x001/x234/067')
    expect(tilePath({ level: 0, index: 0, width: 5 })).toBe('tile/0/000.p/5')
    expect(tilePath({ level: 'entries', index: 1000, width: 255 })).toBe('tile/entries/x001/000.p/255')
    expect(tilePath({ level: 0, index: 999, width: 256 })).toBe('tile/0/999')
  })

  it('parse to what they were written from [L-5]', () => {
    fc.assert(
      fc.property(ref, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile)
      }),
    )
  })

  it.each([
    'tile/0/0', 'tile/0/1000', 'tile/00/000', 'tile/64/000', 'tile/-1/000', 'tile/0/x000/001', 'tile/0/000.p/0',
    'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/001/x000', 'tile/0/x1/000', 'tile/entries/000/', '/tile/0/000',
    'tile/0/000\n', 'tile/0/../000', 'tile/0/x999/x999/x999/x999/x999/999', 'tile//000', 'tile/0/٠٠٠',
  ])('refuses %j [L-5]', (path) => expect(() => parseTilePath(path)).toThrow(/not a tile path/)) // biome-ignore format: one list
})

describe('tiles to write', () => {
  it('has the tiles of the specification for a tree of 70,000 [L-6]', () => {
    const hashTiles = tilesToWrite(0, 70_000).filter((write) => write.level !== 'entries')
    const widths = (l: number) => hashTiles.filter((write) => write.level === l).map((write) => write.width)
    expect(widths(0)).toEqual([...new Array<number>(273).fill(256), 112])
    expect([widths(1), widths(2), widths(3)]).toEqual([[256, 17], [1], []])
  })

  it('gives a writer every tile of every tree it passes through, with the right bytes [L-6]', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), (steps) => {
        const log = emptyLog()
        for (const step of steps) {
          grow(
            log,
            Array.from({ length: step }, (_, i) => bytesOf(`entry-${log.entries.length + i}`)),
          )
          expectTilesOf(log)
        }
      }),
      { numRuns: 15 },
    )
  })

  it('writes nothing for no growth, and names the partial tiles to read for the next [L-6]', () => {
    expect(tilesToWrite(300, 300)).toEqual([])
    expect(edgeTiles(0)).toEqual([])
    expect(edgeTiles(300).map(tilePath)).toEqual(['tile/0/001.p/44', 'tile/1/000.p/1'])
    expect(edgeTiles(65_536).map(tilePath)).toEqual(['tile/2/000.p/1'])
  })
})

function expectTilesOf(log: ReturnType<typeof emptyLog>) {
  const size = log.entries.length
  const leaves = log.entries.map((entry) => hashLeaf(sha256, entry))
  for (let index = 0; widthInTree(0, index, size) > 0; index++) {
    const width = widthInTree(0, index, size)
    const tile = { level: 0, index, width }
    expect(decodeTile(read(log, tile), tile)).toEqual(leaves.slice(index * 256, index * 256 + width))
    expect(decodeBundle(read(log, { ...tile, level: 'entries' }), width)).toEqual(
      log.entries.slice(index * 256, index * 256 + width),
    )
  }
  const width = widthInTree(1, 0, size)
  if (width === 0) return
  const tile = { level: 1, index: 0, width }
  const expected = Array.from({ length: width }, (_, i) => naive.root(leaves.slice(i * 256, (i + 1) * 256)))
  expect(decodeTile(read(log, tile), tile)).toEqual(expected)
}

describe('tiles and bundles as bytes', () => {
  const tile = { level: 0, index: 0, width: 2 }
  it('refuses tiles of another length [L-3]', () => {
    for (const length of [0, 63, 65, 96]) expect(() => decodeTile(new Uint8Array(length), tile)).toThrow(/expected 64/)
  })

  it('bundles: decode ∘ encode is the identity [L-7]', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 })
    fc.assert(
      fc.property(entries, (list) => {
        expect(decodeBundle(encodeBundle(list), list.length)).toEqual(list)
      }),
    )
    const largest = new Uint8Array(bundleEntryBytesMax).fill(7)
    expect(decodeBundle(encodeBundle([largest]), 1)).toEqual([largest])
    expect(() => encodeBundle([new Uint8Array(bundleEntryBytesMax + 1)])).toThrow(/at most 65535/)
  })

  it('bundles: too many, too few, cut or trailing bytes are refused [L-7]', () => {
    const bundle = encodeBundle([bytesOf('one'), bytesOf('two')])
    for (const count of [0, 1, 3, 257]) expect(() => decodeBundle(bundle, count)).toThrow(/bundle/)
    for (let length = 0; length < bundle.length; length++)
      expect(() => decodeBundle(bundle.subarray(0, length), 2)).toThrow(/malformed/)
    expect(() => decodeBundle(Uint8Array.of(...bundle, 0), 2)).toThrow(/more than 2/)
  })
})
