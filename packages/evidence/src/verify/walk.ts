import { VerifyError } from '../log/error.ts'
import { equalBytes, hashBytes, hashEmptyTree } from '../log/hash.ts'
import { tilePath, tileWidth, widthInTree } from '../log/tile.ts'
import { appendLeaves, type CompactRange, emptyRange, rootOfRange } from '../log/tree.ts'
import type { Sha256 } from '../record/crypto.ts'
import { type Calls, createCalls, followCall } from './calls.ts'
import { createEpochCheck, type EpochCheck, followEpoch } from './epoch.ts'
import { createLinkReader, type LinkedBundle, type LinkedEntry, type LinkReader, linkBundle } from './link.ts'
import type { ProblemSink, UncheckedCode } from './problem.ts'
import { createStreams, followStream, type Streams } from './streams.ts'
import {
  compareEdge, compareLeaves, compareUpper, createTileCheck, judgeTiles, type ReadFile, readStoredTile, splitHashes, type TileCheck,
} from './tile-check.ts' // biome-ignore format: one list

export interface WalkOptions {
  readonly sha256: Sha256
  readonly readFile: ReadFile
  readonly problems: ProblemSink
  readonly origin: string
  readonly size: number
  /** Sizes at which somebody wants the root, ascending. */
  readonly rootsAt: readonly number[]
  readonly onProgress: (entries: number, size: number) => void
  /** Why to go no further; undefined to go on. */
  readonly shouldStop: (walk: Walk) => { code: UncheckedCode; reason: string } | undefined
}

/** State of a walk: a few hundred bytes per stream and per open call, one bundle, and nothing per entry. */
export interface Walk {
  range: CompactRange
  readonly tiles: TileCheck
  readonly streams: Streams
  readonly calls: Calls
  readonly epoch: EpochCheck
  readonly links: LinkReader
  readonly roots: Map<number, Uint8Array>
  /** The log's own clock (`observedTime`) at the entry before each of `rootsAt`. */
  readonly times: Map<number, string>
  /** False once a bundle could not be read: what follows hangs in the air, so only hashes are compared from there. */
  records: boolean
  /** False once a bundle and its stored hashes are both gone: the tree ends there. */
  hashes: boolean
}

/** Bundles read ahead of the one that is followed. */
const lookahead = 4

/** Reads a log of this size from front to end, once. Throws what reading throws; everything else is a problem. */
export async function walkLog(options: WalkOptions): Promise<Walk> {
  const { sha256, size, problems } = options
  const walk: Walk = {
    range: emptyRange,
    tiles: createTileCheck(options),
    streams: createStreams(),
    calls: createCalls(),
    epoch: createEpochCheck(),
    links: createLinkReader(sha256),
    roots: new Map([[0, hashEmptyTree(sha256)]]),
    times: new Map(),
    records: true,
    hashes: true,
  }
  for await (const bundle of readBundles(options)) {
    await followBundle(walk, bundle, options)
    options.onProgress(walk.range.size, size)
    const stop = walk.hashes ? options.shouldStop(walk) : undefined
    if (stop !== undefined) problems.add(stop.code, { index: walk.range.size }, stop.reason)
    if (stop !== undefined || !walk.hashes) return walk
  }
  await compareEdge(walk.tiles)
  return walk
}

interface ReadBundle {
  readonly index: number
  readonly width: number
  readonly path: string
  /** Undefined where it is missing. */
  readonly bytes: Uint8Array | undefined
  readonly stored: Uint8Array | undefined
}

async function* readBundles(options: WalkOptions): AsyncGenerator<ReadBundle> {
  const count = Math.ceil(options.size / tileWidth)
  const ahead: Promise<PromiseSettledResult<ReadBundle>[]>[] = []
  for (let index = 0; index < count; index++) {
    // Settled, so that a read which fails before its turn is reported in its turn.
    while (ahead.length < lookahead && index + ahead.length < count)
      ahead.push(Promise.allSettled([readBundle(options, index + ahead.length)]))
    for (const result of (await ahead.shift()) ?? []) {
      if (result.status === 'rejected') throw result.reason
      yield result.value
    }
  }
}

async function readBundle({ readFile, size }: WalkOptions, index: number): Promise<ReadBundle> {
  const width = widthInTree('entries', index, size)
  const path = tilePath({ level: 'entries', index, width })
  const [bytes, stored] = await Promise.all([
    readFile(path).then((found) => found ?? readFile(tilePath({ level: 'entries', index, width: tileWidth }))),
    readStoredTile(readFile, { level: 0, index, width }),
  ])
  return { index, width, path, bytes, stored }
}

async function followBundle(walk: Walk, bundle: ReadBundle, options: WalkOptions): Promise<void> {
  const { index, width, stored } = bundle
  const first = index * tileWidth
  const linked = linkOrReport(walk, bundle, options.problems)
  if (linked === undefined) {
    walk.records = false
    // The hashes beside it let the rest of the tree be checked.
    walk.hashes = stored?.length === width * hashBytes
    if (walk.hashes && stored !== undefined) await growTree(walk, splitHashes(stored), options)
    return
  }
  const { leafHashes, entries, envelopeAt } = linked
  compareLeaves(walk.tiles, { ref: { level: 0, index, width }, stored, recomputed: leafHashes, before: walk.range })
  await growTree(walk, leafHashes, options)
  for (const size of options.rootsAt) {
    const last = size - 1 - first
    const envelope = last >= 0 && last < width ? envelopeAt(last) : undefined
    if (envelope !== undefined) walk.times.set(size, envelope.observedTime)
  }
  if (walk.records) for (let i = 0; i < entries.length; i++) followEntry(walk, entries[i], first + i, options)
}

function linkOrReport(
  walk: Walk,
  { index, width, path, bytes }: ReadBundle,
  problems: ProblemSink,
): LinkedBundle | undefined {
  const first = index * tileWidth
  const place = { index: first, path }
  if (bytes === undefined) {
    problems.add('bundle_missing', place, `${path} is missing: entries ${first} to ${first + width - 1}`)
    return undefined
  }
  try {
    return linkBundle(walk.links, bytes, width)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    problems.add('bundle_malformed', place, `${path}: ${error.message}`)
    return undefined
  }
}

/** Appends, stopping at every size whose root somebody wants. */
async function growTree(walk: Walk, leaves: readonly Uint8Array[], { sha256, rootsAt }: WalkOptions): Promise<void> {
  const start = walk.range.size
  const end = start + leaves.length
  const stops = [...rootsAt.filter((size) => size > start && size < end), end]
  for (const stop of stops) {
    const part = leaves.slice(walk.range.size - start, stop - start)
    const growth = appendLeaves(sha256, walk.range, part)
    walk.range = growth.range
    walk.roots.set(stop, growth.root)
    await compareUpper(walk.tiles, growth.levels)
  }
  if (!rootsAt.includes(start)) walk.roots.delete(start)
}

function followEntry(walk: Walk, entry: LinkedEntry | undefined, index: number, options: WalkOptions): void {
  if (entry === undefined) return
  const { problems, sha256, origin } = options
  if ('error' in entry) {
    const { code, message } = entry.error
    const isNewer = code === 'bad_version' || code === 'unknown_kind'
    problems.add(isNewer ? 'version_unknown' : 'entry_malformed', { index }, `entry ${index}: ${message}`, { code })
    return
  }
  followEpoch(walk.epoch, entry.link, { index, problems, origin })
  followStream(walk.streams, entry.link, { index, sha256, problems })
  const sensorOf = (streamId: string) => walk.streams.byId.get(streamId)?.sensorKey
  followCall(walk.calls, entry.link, { index, problems, sensorOf })
}

/** Says which entries or tiles are wrong, once the signed root tells what is right. */
export function judgeWalk(walk: Walk, sha256: Sha256, signedRoot: Uint8Array): void {
  const isSigned = (range: CompactRange) => equalBytes(rootOfRange(sha256, range), signedRoot)
  judgeTiles(walk.tiles, isSigned, walk.range)
}
