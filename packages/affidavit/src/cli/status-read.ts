import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '@affidavit/sensor/durable/home'
import { systemLayer } from '@affidavit/sensor/durable/layer'
import { isProcessDead } from '@affidavit/sensor/durable/process'
import { readPublished } from '../query/log-reader.ts'
import { openForReading } from '../query/sqlite/open.ts'
import { readTotals, type Totals } from '../query/sqlite/totals.ts'
import type { SequenceReader, StreamState } from '../store/contract.ts'
import { countUnsequenced, readBacklog, type StreamBacklog } from './backlog.ts'
import { describeCollectorFailure } from './collector-failure.ts'
import { readCollectorProcess } from './collector-process.ts'
import { openStore, openTiles } from './open-home.ts'
import { readIndexedSize } from './open-index.ts'
import { describeLooseKeys } from './verify-key-use.ts'

/** Sizes count entries; ages are milliseconds; what does not exist yet is undefined. */
export interface HomeStatus {
  collector: { state: 'running' | 'stopped' | 'dead'; pid?: number }
  spool: { streams: number; bytes: number; backlog: number }
  log: { origin: string; sequenced?: number; published?: number; checkpointAgeMs?: number }
  index: { size?: number; totals?: Totals }
  disk: { freeBytes: number; lowBytes: number }
  /** Sentences about what needs a person. */
  attention: string[]
}

/** Less than a fresh segment and its reserve: calls would soon be refused. */
const lowBytes = 200_000_000

export async function readStatus(home: Home, nowMs: number): Promise<HomeStatus> {
  const store = openStore(home)
  try {
    const backlog = await readBacklog(home, store)
    const log = await readLogStatus(home, store, nowMs)
    const index = readIndexStatus(home)
    const streams = (await store?.readStreams()) ?? []
    return {
      collector: readCollectorStatus(home),
      spool: {
        streams: backlog.length,
        bytes: await countSpoolBytes(home),
        backlog: backlog.reduce((sum, stream) => sum + countUnsequenced(stream), 0),
      },
      log,
      index,
      disk: { freeBytes: await countFreeBytes(home), lowBytes },
      attention: [
        ...[describeCollectorFailure(home)].filter((text) => text !== undefined),
        ...describeRefused(streams),
        ...describeCorrupt(backlog),
        ...describeSizes(log, index),
        ...describeLooseKeys(home.paths),
      ],
    }
  } finally {
    store?.close()
  }
}

function readCollectorStatus(home: Home): HomeStatus['collector'] {
  const ref = readCollectorProcess(home)
  if (ref === undefined) return { state: 'stopped' }
  return { state: isProcessDead(ref) ? 'dead' : 'running', pid: ref.pid }
}

async function readLogStatus(home: Home, store: SequenceReader | undefined, nowMs: number): Promise<HomeStatus['log']> {
  const published = await readPublished(openTiles(home))
  const sequenced = (await store?.treeState())?.size
  const changed = statSync(home.paths.checkpoint, { throwIfNoEntry: false })
  return {
    origin: home.identity.origin,
    ...(sequenced === undefined ? {} : { sequenced }),
    ...(published === undefined ? {} : { published: published.size }),
    ...(changed === undefined ? {} : { checkpointAgeMs: Math.round(nowMs - changed.mtimeMs) }),
  }
}

function readIndexStatus(home: Home): HomeStatus['index'] {
  const size = readIndexedSize(home)
  if (size < 0) return {}
  const db = openForReading(home.paths.indexDatabase, home.identity.origin)
  try {
    return { size, totals: readTotals(db) }
  } finally {
    db.close()
  }
}

async function countSpoolBytes(home: Home): Promise<number> {
  let bytes = 0
  for (const name of await systemLayer.list(home.paths.spool)) {
    const file = statSync(join(home.paths.spool, name), { throwIfNoEntry: false })
    if (file?.isFile() === true) bytes += file.size
  }
  return bytes
}

async function countFreeBytes(home: Home): Promise<number> {
  const { bavail, bsize } = await statfs(home.dir)
  return bavail * bsize
}

function describeRefused(streams: readonly StreamState[]): string[] {
  return streams.flatMap(({ streamId, standing, refusal }) =>
    standing === 'refused'
      ? [`stream ${streamId} is refused from record ${refusal?.seq ?? 0} on (${refusal?.code}): ${refusal?.reason}`]
      : [],
  )
}

function describeCorrupt(backlog: readonly StreamBacklog[]): string[] {
  return backlog.flatMap(({ corrupt }) => (corrupt === undefined ? [] : [`spool damaged: ${corrupt.message}`]))
}

function describeSizes({ published, sequenced }: HomeStatus['log'], { size }: HomeStatus['index']): string[] {
  const ahead = size !== undefined && size > (published ?? 0)
  const cut = published !== undefined && published > (sequenced ?? 0)
  return [
    ...(ahead ? [`the index has read ${size} entries, the log has ${published ?? 0}: run 'affidavit verify'`] : []),
    ...(cut ? [`the checkpoint has ${published} entries, the store ${sequenced ?? 0}: run 'affidavit verify'`] : []),
  ]
}
