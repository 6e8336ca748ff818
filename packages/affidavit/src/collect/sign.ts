import { signCheckpoint } from '@affidavit/evidence/log/checkpoint'
import { equalBytes, hashEmptyTree } from '@affidavit/evidence/log/hash'
import type { NoteSigner } from '@affidavit/evidence/log/note'
import { verifyConsistency } from '@affidavit/evidence/log/verify-proof'
import type { Sha256 } from '@affidavit/evidence/record/crypto'
import type { SignerState, SignerStore, TreeState } from '../store/contract.ts'
import { CollectError } from './error.ts'

/**
 * The signer trusts its own store and nothing else: not the tiles, not the sequencing store. It signs a tree only once
 * it has proven to itself that the tree extends the last one it signed. Whoever owns both its key and its store can
 * fork the log, and is caught by any checkpoint that somebody else kept.
 */
export interface Signer {
  /** Throws like sign where this tree cannot be, or come after, the last one signed. Before anything is appended to it. */
  verifyPosition(tree: TreeState): Promise<void>
  /**
   * Signed note for this tree; the same bytes again for the same tree. Throws CollectError `signer_ahead` where the tree
   * went back, `signer_fork` where it does not extend what was signed, `signer_origin` for another log's state.
   */
  sign(tree: TreeState, prove: ProveConsistency): Promise<Uint8Array>
}

/** RFC 9162 §2.1.4.1 from this size to the tree's. Built from tiles, hence not believed. */
export type ProveConsistency = (oldSize: number) => Promise<Uint8Array[]>

export interface SignerOptions {
  sha256: Sha256
  /** Its key's name is the origin. */
  note: NoteSigner
  store: SignerStore
}

export function createSigner({ sha256, note, store }: SignerOptions): Signer {
  const origin = note.key.name
  return {
    verifyPosition: async (tree) => requireForward(await store.load(), origin, tree),
    sign: async (tree, prove) => {
      const last = await store.load()
      requireForward(last, origin, tree)
      if (tree.size === last.size && last.checkpoint !== undefined) return last.checkpoint
      await requireExtension(sha256, last, tree, prove)
      const checkpoint = await signCheckpoint(note, { origin, size: BigInt(tree.size), root: tree.root })
      // The signature has not left this function. A crash here leaves a signer that never signed this tree; the same
      // tree is signed at the next start, or a later one.
      await store.save({ origin, size: tree.size, root: tree.root, checkpoint })
      // A crash here leaves a signer that has signed and a log that has not published: the next start publishes it.
      return checkpoint
    },
  }
}

async function requireExtension(sha256: Sha256, last: SignerState, tree: TreeState, prove: ProveConsistency) {
  if (last.size === 0) {
    // Every tree extends the empty one, so there is nothing to prove (and RFC 9162 has no such proof).
    if (equalBytes(last.root, hashEmptyTree(sha256))) return
    throw new CollectError('signer_fork', 'signer/state.json holds a root for an empty tree that is not its root')
  }
  const proof = await prove(last.size)
  const sizes = { oldSize: BigInt(last.size), size: BigInt(tree.size) }
  try {
    verifyConsistency(sha256, { ...sizes, oldRoot: last.root, root: tree.root, proof })
  } catch (cause) {
    throw new CollectError(
      'signer_fork',
      `the tree of size ${tree.size} does not extend the signed one of size ${last.size}: entries or tiles were changed; run 'affidavit verify' and restore log/ and store/ from one backup`,
      { cause },
    )
  }
}

function requireForward(last: SignerState, origin: string, tree: TreeState): void {
  if (last.origin !== origin) throw wrongOrigin(last, origin)
  if (tree.size < last.size) throw wentBack(last, tree)
  if (tree.size > last.size || equalBytes(last.root, tree.root)) return
  throw new CollectError(
    'signer_fork',
    `two trees of size ${tree.size}: the signer has signed another root; restore log/ and store/ from one backup`,
  )
}

function wentBack(last: SignerState, tree: TreeState): CollectError {
  return new CollectError(
    'signer_ahead',
    `the store is at size ${tree.size}, the signer has signed size ${last.size}: store/ was set back or lost; restore the newer one, a signed log never shrinks`,
  )
}

function wrongOrigin(last: SignerState, origin: string): CollectError {
  return new CollectError('signer_origin', `signer/state.json belongs to ${last.origin}, this log is ${origin}`)
}
