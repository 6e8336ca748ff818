import { parseCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { VerifyError } from '@affidavit/evidence/log/error'
import { parseNote } from '@affidavit/evidence/log/note'
import { consistencyProof } from '@affidavit/evidence/log/proof'
import type { Sha256 } from '@affidavit/evidence/record/crypto'
import type { SequenceStore, TileStore } from '../store/contract.ts'
import { readTileOf } from '../store/entries.ts'
import { atStep, type CrashHook } from './crash-hook.ts'
import type { Signer } from './sign.ts'
import { sweepPartials } from './sweep.ts'

export interface Publisher {
  sha256: Sha256
  tiles: TileStore
  store: Pick<SequenceStore, 'treeState'>
  signer: Signer
  hook?: CrashHook
}

/**
 * Publishes the committed tree where a newer one exists than the published one; the size that readers see afterwards.
 * Starting from committed state only, it is what recovery calls too. Throws CollectError from the signer.
 */
export async function publish({ sha256, tiles, store, signer, hook }: Publisher): Promise<number> {
  const tree = await store.treeState()
  const published = await publishedSize(tiles)
  if (tree.size === 0 || published === tree.size) return published
  const readTile = (ref: Parameters<typeof readTileOf>[1]) => readTileOf(tiles, ref)
  const prove = (oldSize: number) => consistencyProof({ sha256, readTile }, oldSize, tree.size)
  const checkpoint = await signer.sign(tree, prove)
  // A crash here leaves the old checkpoint in place and this one in the signer's store, which returns the same bytes.
  await atStep(hook, 'signed')
  await tiles.publish(checkpoint)
  // A crash here leaves partial tiles that nobody needs any more; they go at the next start.
  await atStep(hook, 'published')
  await sweepPartials(tiles, published, tree.size)
  return tree.size
}

/**
 * Size that log/checkpoint states; 0 where there is none or none that can be read: then the signer's own is put there
 * again. What it says is only compared with, never relied on.
 */
async function publishedSize(tiles: TileStore): Promise<number> {
  const bytes = await tiles.readCheckpoint()
  if (bytes === undefined) return 0
  try {
    return Number(parseCheckpoint(parseNote(bytes).text, 'own').size)
  } catch (error) {
    if (error instanceof VerifyError) return 0
    throw error
  }
}
