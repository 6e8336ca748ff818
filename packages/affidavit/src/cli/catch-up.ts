import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Home } from '@affidavit/sensor/durable/home'
import { readPublished } from '../query/log-reader.ts'
import type { SequenceReader } from '../store/contract.ts'
import { countUnsequenced, readBacklog } from './backlog.ts'
import { describeCollectorFailure } from './collector-failure.ts'
import { isCollectorAlive } from './collector-process.ts'
import type { CommandContext } from './command.ts'
import { formatNumberOf } from './format.ts'
import { openStore, openTiles } from './open-home.ts'

const waitMs = 5_000
const pollMs = 50

/**
 * Waits until everything this home's spool had acknowledged when the command began is in the published log; at most five
 * seconds, and says on stderr what is missing then. Starts the collector where records wait and none is running.
 */
export async function waitUntilSequenced(home: Home, context: CommandContext): Promise<void> {
  const goal = await readGoal(home)
  let missing = await stillMissing(home, goal)
  if (missing.length === 0) return
  if (!isCollectorAlive(home)) startCollector(home.dir)
  const deadline = context.now() + waitMs
  while (missing.length > 0 && context.now() < deadline && !context.signal.aborted) {
    await sleep(pollMs)
    missing = await stillMissing(home, goal)
  }
  if (missing.length > 0 && !context.signal.aborted) await context.stderr.write(describeMissing(home, missing))
}

/** What has to be under the published checkpoint. */
interface Goal {
  targets: Target[]
  /** Entries that were sequenced when the command began; the segments they came from may be deleted already. */
  size: number
}

interface Target {
  streamId: string
  /** Everything below has to be in the log. */
  nextSeq: number
  count: number
}

/** The spool first, then the tree: a stream that left the spool before it was listed is in the tree by then. */
async function readGoal(home: Home): Promise<Goal> {
  return { targets: await readTargets(home), size: await readTreeSize(home) }
}

async function readTargets(home: Home): Promise<Target[]> {
  const store = openStore(home)
  try {
    return (await readBacklog(home, store)).flatMap((stream) => {
      if (stream.refused || stream.head === null) return []
      return [{ streamId: stream.streamId, nextSeq: stream.head.seq + 1, count: countUnsequenced(stream) }]
    })
  } finally {
    store?.close()
  }
}

async function readTreeSize(home: Home): Promise<number> {
  const store = openStore(home)
  try {
    return (await store?.treeState())?.size ?? 0
  } finally {
    store?.close()
  }
}

/** Sequenced is not enough: what is not under a published checkpoint cannot be shown with its proof. */
async function stillMissing(home: Home, { targets, size }: Goal): Promise<Target[]> {
  const store = openStore(home)
  if (store === undefined) return targets
  try {
    const published = (await readPublished(openTiles(home)))?.size ?? 0
    const isOpen = await Promise.all(targets.map((target) => isPublished(store, target, published)))
    const missing = targets.filter((_, i) => isOpen[i] !== true)
    if (missing.length > 0 || published >= size) return missing
    return [{ streamId: '', nextSeq: 0, count: size - published }]
  } finally {
    store.close()
  }
}

async function isPublished(store: SequenceReader, { streamId, nextSeq }: Target, size: number): Promise<boolean> {
  const state = await store.readStream(streamId)
  if (state === undefined) return false
  // Refused meanwhile: nothing more of it will ever come.
  if (state.standing === 'refused') return true
  const leaf = await store.findLeaf(streamId, nextSeq - 1)
  return leaf !== undefined && leaf < size
}

function describeMissing(home: Home, missing: Target[]): string {
  const records = missing.reduce((sum, { count }) => sum + count, 0)
  const what = `up to ${formatNumberOf(records, 'record', 'records')} of ${formatNumberOf(missing.length, 'stream', 'streams')}`
  const why = describeCollectorFailure(home)
  const reason = why === undefined ? '' : ` ${why[0]?.toUpperCase()}${why.slice(1)}.`
  return `affidavit: ${what} in the spool are not in the log after ${waitMs / 1000} s.${reason} See 'affidavit status'. [AFD_NOT_SEQUENCED]\n`
}

/** Detached: it outlives this command and exits by itself when idle. Its diagnostics go to the home folder. */
function startCollector(dir: string): void {
  const binary = fileURLToPath(new URL('../../bin/affidavit.js', import.meta.url))
  const collector = spawn(process.execPath, [binary, 'collector', '--home', dir], { detached: true, stdio: 'ignore' })
  collector.unref()
}
