import type { SealingCrypto } from '@affidavit/evidence/record/crypto'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { hashHeader } from '@affidavit/evidence/record/hash'
import type { EpochDetail } from '@affidavit/evidence/record/header'
import type { OpenCall, SequenceStore, StreamState } from '../store/contract.ts'
import { iterateEntries } from '../store/entries.ts'
import type { KeyEncryptionKey } from '../store/wrap.ts'
import { type Admission, type AdmissionParts, createAdmission } from './admission.ts'
import type { AdmissionRules } from './admit.ts'
import { createEpochBatch } from './epoch.ts'
import { toOpenCalls } from './open-calls.ts'
import type { Publisher } from './publish.ts'
import { createReferenceTable, referencesKey } from './references.ts'
import { createRewrap } from './rewrap.ts'
import { createSequencer, type Sequencer } from './sequencer.ts'
import { createStreamMemory } from './stream-memory.ts'
import { sweepEdge } from './sweep.ts'
import { readEdge } from './tree-edge.ts'

export interface CollectorOptions extends Publisher {
  /** Who may write what; the rest of the rules follows from the other options. */
  rules: Omit<AdmissionRules, 'findByCounter' | 'findHash' | 'sha256' | 'sealing'>
  sealing: SealingCrypto
  kek: KeyEncryptionKey
  store: SequenceStore
  /** What the first entry says, where the log is new. */
  epoch: EpochDetail
  onRefused: AdmissionParts['onRefused']
}

/**
 * submit is idempotent by (stream, seq, header hash). It rejects only when the collector failed: nothing is acknowledged
 * any more then, and the process must end, because what is in memory is ahead of what is stored.
 */
export interface Collector extends Admission {
  /** How far the stream is sequenced; undefined for one never seen. */
  readStream(streamId: string): Promise<StreamState | undefined>
  /** Requests of a stream whose `completed` is not sequenced. */
  openCalls(streamId: string): Promise<OpenCall[]>
  /** Resolves when everything submitted so far is in the tree and its checkpoint is published. */
  published(): Promise<void>
  /** Rejects at the first failure, never resolves. */
  failed: Promise<never>
}

/**
 * Recovers and opens a log, with the same code as ever: files beyond the committed tree are removed, the edge is read
 * back and held to the committed root, and what is committed but not published is published. Throws CollectError.
 */
export async function openCollector(options: CollectorOptions): Promise<Collector> {
  const { sha256, sealing, tiles, store, signer, kek } = options
  const tree = await store.treeState()
  await signer.verifyPosition(tree)
  await sweepEdge(tiles, tree.size)
  const edge = await readEdge(sha256, tiles, tree)
  const sequencer = createSequencer({ ...options, rewrap: createRewrap(sealing, kek, store) }, { tree, edge })
  if (tree.size === 0) await sequencer.add(createEpochBatch(sha256, { ...options.rules, detail: options.epoch }))
  await sequencer.published()
  const memory = createStreamMemory(store)
  const admission = createAdmission({
    rules: {
      ...options.rules,
      sha256,
      sealing,
      findByCounter: memory.findByCounter,
      findHash: createHashFinder(options, sequencer),
    },
    enrichment: {
      references: createReferenceTable(store, referencesKey(sealing, kek.key)),
      calls: toOpenCalls(await store.openCalls()),
    },
    memory,
    sequencer,
    store,
    onRefused: options.onRefused,
  })
  return {
    ...admission,
    readStream: (streamId) => store.readStream(streamId),
    openCalls: (streamId) => store.openCalls(streamId),
    published: () => sequencer.published(),
    failed: sequencer.failed,
  }
}

/** Reads a sequenced record's header hash back from the log. */
function createHashFinder({ sha256, tiles, store }: CollectorOptions, sequencer: Sequencer) {
  return async (streamId: string, seq: number): Promise<Uint8Array | undefined> => {
    await sequencer.settled()
    const leaf = await store.findLeaf(streamId, seq)
    if (leaf === undefined) return undefined
    const { size } = await store.treeState()
    for await (const { entry } of iterateEntries(tiles, { from: leaf, to: leaf + 1 }, size))
      return hashHeader(sha256, splitEntry(entry).header)
    return undefined
  }
}
