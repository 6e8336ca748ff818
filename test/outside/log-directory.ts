import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { encodeBundle } from '@affidavit/evidence/log/bundle'
import { signCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { hashLeaf } from '@affidavit/evidence/log/hash'
import { type NoteSigner, toNoteSigner } from '@affidavit/evidence/log/note'
import { encodeTile, type TileRef, tilePath, tilesToWrite } from '@affidavit/evidence/log/tile'
import { appendLeaves, emptyRange } from '@affidavit/evidence/log/tree'
import { sha256 } from '@affidavit/sensor/crypto/node'

export interface LogDirectory {
  readonly path: string
  readonly origin: string
  readonly entries: readonly Uint8Array[]
  readonly checkpoint: Uint8Array
  readonly root: Uint8Array
  readonly signer: NoteSigner
  readonly publicKey: KeyObject
  /** Reads a tile of hashes. */
  readonly readTile: (ref: TileRef) => Uint8Array
}

/** A log of so many entries on disk, as the collector writes one. */
export async function createLogDirectory(count: number): Promise<LogDirectory> {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-log-'))
  const origin = 'affidavit.local/0123456789abcdef/default/2026q4'
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  const signer = toNoteSigner(sha256, { name: origin }, raw, (message) => sign(null, message, privateKey))
  const entries = Array.from({ length: count }, (_, i) => new TextEncoder().encode(`{"entry":${i}}\n{"v":1}`))
  const leaves = entries.map((entry) => hashLeaf(sha256, entry))
  const { root, levels } = appendLeaves(sha256, emptyRange, leaves)
  const files = new Map<string, Uint8Array>()
  for (const write of tilesToWrite(0, count)) {
    const bytes =
      write.level === 'entries'
        ? encodeBundle(entries.slice(write.from, write.to))
        : encodeTile((levels[write.level] ?? []).slice(write.from, write.to))
    files.set(tilePath(write), bytes)
  }
  const checkpoint = await signCheckpoint(signer, { origin, size: BigInt(count), root })
  files.set('checkpoint', checkpoint)
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), bytes)
  }
  const readTile = (ref: TileRef) => files.get(tilePath(ref)) ?? new Uint8Array()
  return { path, origin, entries, checkpoint, root, signer, publicKey, readTile }
}
