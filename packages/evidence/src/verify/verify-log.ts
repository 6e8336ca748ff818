import { toBase64 } from '../log/base64.ts'
import { countOpenCalls } from './calls.ts'
import {
  compareCheckpoint, type KeptCheckpoint, readCheckpoint, readKept, type SoundCheckpoint, toOutside,
} from './checkpoints.ts' // biome-ignore format: one list
import { verifyFiles } from './files.ts'
import type { LogPolicy, VerifyCrypto } from './policy.ts'
import type { ProblemSink } from './problem.ts'
import { verifyCounters } from './sensors.ts'
import { verifySignatures } from './signatures.ts'
import type { ReadFile } from './tile-check.ts'
import type { Findings } from './verdict.ts'
import { judgeWalk, type Walk, walkLog } from './walk.ts'

export interface LogLimits {
  readonly entriesMax: number
  readonly streamsMax: number
  readonly openCallsMax: number
}

export const defaultLimits: LogLimits = { entriesMax: 2 ** 40, streamsMax: 1_000_000, openCallsMax: 1_000_000 }

/** A log and what the verifier brings to hold it to. Paths are those of tlog-tiles, below the log's folder. */
export interface LogCheck {
  readonly readFile: ReadFile
  /** Every path below the log's folder; given, files that the tree does not need are looked at too. */
  readonly listFiles?: () => AsyncIterable<string>
  readonly policy: LogPolicy
  readonly crypto: VerifyCrypto
  readonly kept?: readonly KeptCheckpoint[]
  /** What a log without a checkpoint is; `not_published` only where nothing says that there ever was one. */
  readonly absence?: 'checkpoint_missing' | 'not_published'
  /** Last seq of a stream that waits in the spool. Left out where there is no spool to look into (sensors.ts). */
  readonly findSpooled?: (streamId: string) => number | undefined
  readonly problems: ProblemSink
  readonly limits?: Partial<LogLimits>
  readonly onProgress?: (entries: number, size: number) => void
  readonly isStopped?: () => boolean
}

export interface LogFindings extends Findings {
  /** For whoever goes on from here: streams and open calls at the end of the log. Undefined without a sound checkpoint. */
  readonly walk: Walk | undefined
}

/**
 * Verifies a whole log: checkpoint under the policy's keys, every leaf and tile recomputed, entries parsed, streams
 * chained, signed and complete, calls joined, kept checkpoints extended. Adds what it finds to `problems`; judge with
 * toVerdict. Throws only what readFile and listFiles throw.
 */
export async function verifyLog(check: LogCheck): Promise<LogFindings> {
  const { policy, problems, crypto } = check
  const log = await readOwnCheckpoint(check)
  const kept = await readKept(check, check.kept ?? [])
  if (log === undefined) return emptyFindings(policy)
  const walk = await walkLog(walkOptions(check, log, kept))
  const isWhole = walk.range.size === log.size
  const agreeing = [log, ...kept].filter((one) => {
    // Where the walk ended early, nothing can be said about the checkpoints beyond.
    if (!isWhole && one.size > walk.range.size && one.size <= log.size) return false
    return compareCheckpoint(problems, one, walk.roots.get(one.size)) === 'same'
  })
  if (isWhole) judgeWalk(walk, crypto.sha256, log.checkpoint.root)
  const headsUncompared = isWhole && walk.records ? await verifyStreams(check, walk) : 0
  if (isWhole && check.listFiles !== undefined)
    await verifyFiles({ ...check, size: log.size, listFiles: check.listFiles })
  return {
    origin: policy.origin,
    checkpoint: { size: log.size, root: toBase64(log.checkpoint.root) },
    ...toOutside(agreeing, policy, (size) => walk.times.get(size)),
    counts: countWalk(walk, headsUncompared),
    walk,
  }
}

async function readOwnCheckpoint(check: LogCheck): Promise<SoundCheckpoint | undefined> {
  const name = 'checkpoint'
  const bytes = await check.readFile(name)
  if (bytes !== undefined) return readCheckpoint(check, { bytes, from: 'log', name }, 'checkpoint_invalid')
  const absence = check.absence ?? 'checkpoint_missing'
  const yet = absence === 'not_published' ? ' yet' : ''
  check.problems.add(absence, { path: name }, `the log has no checkpoint${yet}`)
  return undefined
}

function walkOptions(check: LogCheck, log: SoundCheckpoint, kept: readonly SoundCheckpoint[]) {
  const { sha256 } = check.crypto
  const limits = { ...defaultLimits, ...check.limits }
  return {
    sha256,
    readFile: check.readFile,
    problems: check.problems,
    origin: check.policy.origin,
    size: log.size,
    rootsAt: [...new Set([log, ...kept].map(({ size }) => size))].sort((a, b) => a - b),
    onProgress: check.onProgress ?? (() => undefined),
    shouldStop: (walk: Walk) => findReason(walk, limits, check.isStopped),
  }
}

function findReason({ range, streams, calls }: Walk, limits: LogLimits, isStopped = () => false) {
  const limit = (reason: string) => ({ code: 'limit_reached' as const, reason })
  if (isStopped()) return { code: 'stopped' as const, reason: `stopped after ${range.size} entries` }
  if (range.size >= limits.entriesMax) return limit(`limit of ${limits.entriesMax} entries`)
  if (streams.byId.size > limits.streamsMax) return limit(`limit of ${limits.streamsMax} streams`)
  if (calls.open.size > limits.openCallsMax) return limit(`limit of ${limits.openCallsMax} open calls`)
  return undefined
}

async function verifyStreams(check: LogCheck, { streams, epoch }: Walk): Promise<number> {
  const { policy, problems, crypto, findSpooled } = check
  const sensorKeys = policy.sensorKeys === undefined ? undefined : new Set(policy.sensorKeys)
  await verifySignatures(streams, { verifyEd25519: crypto.verifyEd25519, problems, sensorKeys })
  return verifyCounters(streams.sensors, {
    findHead: (streamId) => streams.byId.get(streamId),
    ...(findSpooled === undefined ? {} : { findSpooled }),
    epoch: epoch.detail?.previous == null ? 'first' : 'later',
    problems,
  })
}

function countWalk({ range, streams, calls }: Walk, headsUncompared: number): Findings['counts'] {
  return {
    entries: range.size,
    streams: streams.byId.size,
    callsCompleted: calls.completed,
    callsOpen: countOpenCalls(calls),
    callsRecovered: calls.recovered,
    gapsOpen: calls.openGaps.size,
    gapsClosed: calls.gapsClosed,
    missingInGaps: calls.missing,
    headsUncompared,
  }
}

function emptyFindings({ origin, witnesses, witnessesRequired }: LogPolicy): LogFindings {
  const counts = {
    entries: 0,
    streams: 0,
    callsCompleted: 0,
    callsOpen: 0,
    callsRecovered: 0,
    gapsOpen: 0,
    gapsClosed: 0,
    missingInGaps: 0,
    headsUncompared: 0,
  }
  const cosignatures = { count: 0, of: witnesses.length, required: Math.max(1, witnessesRequired) }
  return { origin, checkpoint: undefined, kept: undefined, witnessed: undefined, cosignatures, counts, walk: undefined }
}
