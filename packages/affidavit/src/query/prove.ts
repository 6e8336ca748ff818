import { type Checkpoint, type LogIdentity, verifyCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { hashLeaf } from '@affidavit/evidence/log/hash'
import { inclusionProof, type ReadTile } from '@affidavit/evidence/log/proof'
import { encodeProofFile } from '@affidavit/evidence/log/proof-file'
import { verifyInclusion } from '@affidavit/evidence/log/verify-proof'
import { readTileOf } from '../store/entries.ts'
import { StoreError } from '../store/error.ts'
import type { EntrySource } from './indexed-entry.ts'
import type { LogTiles } from './log-reader.ts'

/** An entry's place under a signed checkpoint, verified when it was made: the same bytes convince anyone with the log's key. */
export interface LeafProof {
  leaf: number
  leafHash: Uint8Array
  /** From the leaf's sibling up to the root's child. */
  hashes: Uint8Array[]
  checkpoint: Checkpoint
  /** The signed note as published. */
  note: Uint8Array
  /** C2SP tlog-proof. */
  file: Uint8Array
}

/**
 * Builds the proof for this entry from the tiles and holds it to the checkpoint and its signature. Throws VerifyError
 * where they contradict each other, StoreError `tile_missing` where the log lacks a piece or no checkpoint covers the leaf.
 */
export async function proveEntry(
  source: Pick<EntrySource, 'tiles' | 'sha256'>,
  log: LogIdentity,
  { leaf, entry }: { leaf: number; entry: Uint8Array },
): Promise<LeafProof> {
  const note = await source.tiles.readCheckpoint()
  if (note === undefined) throw new StoreError('tile_missing', 'log/checkpoint is missing')
  const checkpoint = await verifyCheckpoint(note, log)
  if (BigInt(leaf) >= checkpoint.size)
    throw new StoreError(
      'tile_missing',
      `no checkpoint covers entry ${leaf}: the published one ends at ${checkpoint.size}`,
    )
  const { sha256 } = source
  const leafHash = hashLeaf(sha256, entry)
  const hashes = await inclusionProof({ sha256, readTile: tileReader(source.tiles) }, leaf, Number(checkpoint.size))
  const inclusion = { index: BigInt(leaf), size: checkpoint.size, leafHash, proof: hashes }
  verifyInclusion(sha256, inclusion, checkpoint.root)
  const file = encodeProofFile({ index: inclusion.index, proof: hashes, checkpoint: note })
  return { leaf, leafHash, hashes, checkpoint, note, file }
}

export function tileReader(tiles: LogTiles): ReadTile {
  return (ref) => readTileOf(tiles, ref)
}
