import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { hashNode } from '@affidavit/evidence/log/hash'
import { inclusionProof, readRoot } from '@affidavit/evidence/log/proof'
import { encodeTile, type TileRef, tilePath, tileWidth } from '@affidavit/evidence/log/tile'
import { verifyInclusion } from '@affidavit/evidence/log/verify-proof'
import { sha256 } from '@affidavit/sensor/crypto/node'
import { machine, percentile, report } from './measure.ts'

/** Builds inclusion proofs from the tiles of a log of a million entries on disk, each with its own reads, and verifies them. */

const size = 1_000_000
const folder = mkdtempSync(join(process.env.AFFIDAVIT_BENCH_DIR ?? tmpdir(), 'affidavit-bench-'))
const leafOf = (index: number) => sha256(Buffer.from(`entry ${index}`))
const pathOf = (ref: TileRef) => join(folder, tilePath(ref))

/** Root of up to 256 hashes that fill a subtree. */
function rootOfTile(hashes: Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, i) =>
      hashNode(sha256, row[2 * i] ?? leafOf(0), row[2 * i + 1] ?? leafOf(0)),
    )
  return row[0] ?? leafOf(0)
}

/** Writes the tiles of one level and returns the hashes of the next: the roots of the full ones. */
function writeLevel(level: number, hashes: Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = []
  for (let index = 0; index * tileWidth < hashes.length; index++) {
    const part = hashes.slice(index * tileWidth, (index + 1) * tileWidth)
    const path = pathOf({ level, index, width: part.length })
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, encodeTile(part))
    if (part.length === tileWidth) next.push(rootOfTile(part))
  }
  return next
}

let hashes = Array.from({ length: size }, (_, index) => leafOf(index))
for (let level = 0; hashes.length > 0; level++) hashes = writeLevel(level, hashes)

const source = { sha256, readTile: (ref: TileRef) => readFile(pathOf(ref)) }
const root = await readRoot(source, size)
const building: number[] = []
for (let i = 0; i < 2000; i++) {
  const index = (i * 7919 * 31) % size
  const start = performance.now()
  const proof = await inclusionProof(source, index, size)
  building.push(performance.now() - start)
  verifyInclusion(sha256, { index: BigInt(index), size: BigInt(size), leafHash: leafOf(index), proof }, root)
}
rmSync(folder, { recursive: true })
console.log(
  `Inclusion proofs\n  ${machine()}\n  2,000 proofs in a log of ${size.toLocaleString('en')} entries, tiles read from disk each time; every one verified`,
)
report('build p50', percentile(building, 0.5), { atMost: 1, unit: 'ms' })
report('build p99', percentile(building, 0.99), { atMost: 1, unit: 'ms' })
