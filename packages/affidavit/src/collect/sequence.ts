import type { Sha256 } from '@affidavit/evidence/record/crypto'
import type {
  Commit,
  LeafRange,
  OpenCall,
  SequenceStore,
  StreamState,
  TileStore,
  TreeState,
} from '../store/contract.ts'
import { atStep, type CrashHook } from './crash-hook.ts'
import type { EnrichedBatch } from './enrich.ts'
import type { createRewrap } from './rewrap.ts'
import { growTree, type TreeEdge } from './tree-edge.ts'

export interface SequenceParts {
  sha256: Sha256
  tiles: TileStore
  store: SequenceStore
  rewrap: ReturnType<typeof createRewrap>
  hook?: CrashHook
}

/** Where the tree stands: committed state and the edge that belongs to it. */
export interface Position {
  tree: TreeState
  edge: TreeEdge
}

/**
 * One step: batches become entries at the next leaf indexes. Until the commit nothing of it counts; after it all of it
 * does, and only then anybody is told. Signing and publishing follow in publish.ts, from committed state alone.
 */
export async function sequence(
  { sha256, tiles, store, rewrap, hook }: SequenceParts,
  position: Position,
  batches: readonly EnrichedBatch[],
): Promise<Position> {
  await atStep(hook, 'admitted')
  const growth = growTree(
    sha256,
    position.edge,
    batches.flatMap(({ entries }) => entries),
  )
  // Entry bundles, level 0, upper levels: durable with their directories when this resolves. A crash on the way or right
  // after leaves files beyond the committed size; the next start removes them and does the step again, from the spool.
  await tiles.write(growth.files)
  await atStep(hook, 'tilesWritten')
  const commit = await toCommit(rewrap, position.tree, growth.tree, batches)
  // Tree state, cursors, bodies, keys in one transaction. A crash before it returns leaves either nothing or all.
  await store.commit(commit)
  // A crash here leaves records that are sequenced but were not acknowledged: they are submitted again, found to be
  // known by (stream, seq, hash), and acknowledged without a second entry.
  await atStep(hook, 'committed')
  return { tree: growth.tree, edge: growth.edge }
}

async function toCommit(
  rewrap: SequenceParts['rewrap'],
  from: TreeState,
  to: TreeState,
  batches: readonly EnrichedBatch[],
): Promise<Commit> {
  const ranges = toRanges(from.size, batches)
  const secrets = []
  const wrapKeys = []
  for (const [i, batch] of batches.entries()) {
    const rewrapped = await rewrap(batch, ranges[i]?.firstLeaf ?? 0)
    secrets.push(...rewrapped.secrets)
    wrapKeys.push(...rewrapped.wrapKeys)
  }
  return {
    from,
    to,
    ranges,
    bodies: batches.flatMap(({ bodies }, i) => toBodies(bodies, ranges[i]?.firstLeaf ?? 0)),
    streams: latestStates(batches),
    references: batches.flatMap(({ references }) => references),
    wrapKeys,
    secrets,
    ...toCallChanges(batches),
  }
}

function toRanges(size: number, batches: readonly EnrichedBatch[]): LeafRange[] {
  let firstLeaf = size
  return batches.map(({ stream, firstSeq, entries }) => {
    const range = { firstLeaf, streamId: stream.streamId, firstSeq, count: entries.length }
    firstLeaf += entries.length
    return range
  })
}

function toBodies(bodies: readonly Uint8Array[], firstLeaf: number) {
  return bodies.map((body, i) => ({ leaf: firstLeaf + i, body })).filter(({ body }) => body.length > 0)
}

function latestStates(batches: readonly EnrichedBatch[]): StreamState[] {
  const states = batches.flatMap(({ stream, recovered }) => [stream, ...recovered])
  return [...new Map(states.map((state) => [state.streamId, state])).values()]
}

/** A call that began and ended within the step is never stored as open. */
function toCallChanges(batches: readonly EnrichedBatch[]): { openedCalls: OpenCall[]; completedCalls: Uint8Array[] } {
  const opened = new Set<OpenCall>()
  const completedCalls: Uint8Array[] = []
  for (const batch of batches) {
    for (const call of batch.opened) opened.add(call)
    for (const call of batch.completed) if (!opened.delete(call)) completedCalls.push(call.requestedHash)
  }
  return { openedCalls: [...opened], completedCalls }
}
