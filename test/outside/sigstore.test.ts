import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { hashLeaf } from '@affidavit/evidence/log/hash'
import { inclusionProof } from '@affidavit/evidence/log/proof'
import { verifyInclusion } from '@affidavit/evidence/log/verify-proof'
import { sha256 } from '@affidavit/sensor/crypto/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogDirectory, type LogDirectory } from './log-directory.ts'

/**
 * Sigstore's Merkle and checkpoint code, written by others and used to verify npm provenance, over our proofs. It is not
 * part of the package's public entry, hence the absolute paths; the version is pinned.
 */
interface SigstoreCheckpoint {
  origin: string
  logSize: bigint
  logHash: Buffer
  rest: string[]
}
interface SigstoreEntry {
  canonicalizedBody: Buffer
  inclusionProof: { logIndex: string; hashes: Buffer[]; checkpoint: { envelope: string } }
}
interface Tlog {
  logID: Buffer
  baseURL: string
  publicKey: unknown
}

const require = createRequire(import.meta.url)
const folder = join(import.meta.dirname, '../../node_modules/@sigstore/verify/dist/tlog')
const { verifyMerkleInclusion } = require(join(folder, 'merkle.js')) as {
  verifyMerkleInclusion: (entry: SigstoreEntry, checkpoint: SigstoreCheckpoint) => void
}
const { verifyCheckpoint } = require(join(folder, 'checkpoint.js')) as {
  verifyCheckpoint: (entry: SigstoreEntry, tlogs: Tlog[]) => SigstoreCheckpoint
}

const size = 1300
let log: LogDirectory
let tlogs: Tlog[]
beforeAll(async () => {
  log = await createLogDirectory(size)
  const keyHint = Buffer.alloc(4)
  keyHint.writeUInt32BE(log.signer.key.id)
  tlogs = [{ logID: keyHint, baseURL: `https://${log.origin}`, publicKey: log.publicKey }]
})
afterAll(() => rmSync(log.path, { recursive: true }))

async function prove(index: number): Promise<SigstoreEntry> {
  const hashes = await inclusionProof({ sha256, readTile: log.readTile }, index, size)
  return {
    canonicalizedBody: Buffer.from(log.entries[index] ?? []),
    inclusionProof: {
      logIndex: String(index),
      hashes: hashes.map((hash) => Buffer.from(hash)),
      checkpoint: { envelope: Buffer.from(log.checkpoint).toString('utf8') },
    },
  }
}

const flip = (bytes: Buffer, at: number) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)))
const verify = (entry: SigstoreEntry) => verifyMerkleInclusion(entry, verifyCheckpoint(entry, tlogs))

describe('@sigstore/verify', () => {
  it('reads and accepts our checkpoint [L-19]', async () => {
    const checkpoint = verifyCheckpoint(await prove(0), tlogs)
    expect(checkpoint).toMatchObject({ origin: log.origin, logSize: BigInt(size), rest: [] })
    expect(new Uint8Array(checkpoint.logHash)).toEqual(log.root)
  })

  it('accepts our inclusion proof of every entry [L-19]', async () => {
    for (let index = 0; index < size; index++) verify(await prove(index))
  })

  it('rejects every altered proof, entry, index and checkpoint, as we do [L-19]', async () => {
    for (const index of [0, 1, 255, 256, 1023, 1024, 1299]) {
      const entry = await prove(index)
      const { inclusionProof: proof } = entry
      const altered: SigstoreEntry[] = [
        { ...entry, canonicalizedBody: flip(entry.canonicalizedBody, 3) },
        { ...entry, inclusionProof: { ...proof, logIndex: String(index === 7 ? 8 : 7) } },
        { ...entry, inclusionProof: { ...proof, logIndex: String(size) } },
        { ...entry, inclusionProof: { ...proof, hashes: proof.hashes.slice(1) } },
        ...proof.hashes.map((hash, at) => ({
          ...entry,
          inclusionProof: { ...proof, hashes: proof.hashes.with(at, flip(hash, 31)) },
        })),
      ]
      for (const bad of altered) {
        expect(() => verify(bad)).toThrow()
        expect(() => verifyOurs(bad)).toThrow()
      }
    }
    const entry = await prove(5)
    const text = entry.inclusionProof.checkpoint.envelope
    for (const envelope of [
      text.replace('\n1300\n', '\n1301\n'),
      text.replace('affidavit', 'affidavid'),
      text.slice(0, 90),
    ])
      expect(() =>
        verify({ ...entry, inclusionProof: { ...entry.inclusionProof, checkpoint: { envelope } } }),
      ).toThrow()
    expect(() => verifyCheckpoint(entry, [{ logID: Buffer.alloc(4), baseURL: '', publicKey: log.publicKey }])).toThrow()
  })
})

function verifyOurs({ canonicalizedBody, inclusionProof: { logIndex, hashes } }: SigstoreEntry): void {
  const leafHash = hashLeaf(sha256, canonicalizedBody)
  verifyInclusion(sha256, { index: BigInt(logIndex), size: BigInt(size), leafHash, proof: hashes }, log.root)
}
