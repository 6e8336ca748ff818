import type { VerifierKey } from '@affidavit/evidence/log/key'
import type { KeptCheckpoint } from '@affidavit/evidence/verify/checkpoints'
import { createProblemSink, type ProblemSink } from '@affidavit/evidence/verify/problem'
import { toVerdict, type Verdict } from '@affidavit/evidence/verify/verdict'
import { type LogFindings, verifyLog } from '@affidavit/evidence/verify/verify-log'
import { sha256, verifyEd25519 } from '@affidavit/sensor/crypto/node'
import { type HomePaths, toHomePaths } from '@affidavit/sensor/durable/home-paths'
import type { SequenceReader } from '../store/contract.ts'
import { isProcessAlive } from './collector-process.ts'
import { emptyFacts } from './verify-facts.ts'
import { type LogFiles, openLogFiles } from './verify-files.ts'
import { type IndexStanding, judgeIndexStanding, readIndexStanding } from './verify-index.ts'
import { compareKeys, describeLooseKeys, judgeSigningKey } from './verify-key-use.ts'
import { type HomeKeys, readKeys } from './verify-keys.ts'
import { listNotes } from './verify-notes.ts'
import { verifyPages } from './verify-pages.ts'
import { type Snapshot, takeSnapshot } from './verify-snapshot.ts'
import {
  countUnsequencedRecords,
  lastSpooled,
  readSpool,
  type Spool,
  verifyClaims,
  wasShipped,
} from './verify-spool.ts'
import { compareStore, type OpenedStore, openStore } from './verify-store.ts'

export interface HomeCheckOptions {
  dir: string
  /** Keys that the verifier brings; empty: the home's own keys/log.pub is believed, and the verdict says so. */
  keys: readonly VerifierKey[]
  /** Checkpoints that the verifier kept. */
  kept: readonly KeptCheckpoint[]
  nowMs: number
  onProgress(stage: 'entries' | 'bodies', done: number, total: number): void
  isStopped(): boolean
}

export interface HomeVerdict {
  verdict: Verdict
  checked: {
    entries: number
    bodies: number
    streams: number
    spooledStreams: number
    /** Leaves that the index has read; undefined where there is no index. */
    indexed: number | undefined
    signedBy: string[]
    /** Acknowledged records that no checkpoint covers. */
    waiting: number
    /** Keys that nothing recorded here refers to: another one in their place would not be noticed. */
    unreferencedKeys: string[]
  }
  /** Sentences about what is no contradiction and should be known all the same. */
  notes: string[]
}

/**
 * Verifies a whole home: spool, log, bodies, store, signer, keys and index against each other, and against what the
 * verifier brings. Writes nothing. Throws only where the disk does.
 */
export async function verifyHome(options: HomeCheckOptions): Promise<HomeVerdict> {
  const problems = createProblemSink()
  const paths = toHomePaths(options.dir)
  // What moves on comes first: what leaves the spool after this moment, and what a follower has read, is in the log that
  // is read next; and what is sequenced by now is under its checkpoint, or owed one.
  const spool = await readSpool(paths, problems)
  const index = readIndexStanding(paths.indexDatabase)
  const early = openStore(paths.storeDatabase)
  const sequenced = early.state === 'open' ? (await early.reader.treeState()).size : 0
  const snapshot = await takeSnapshot(paths, () => isProcessAlive(paths.collectorProcess), problems)
  const isPublished =
    snapshot.checkpoint !== undefined || snapshot.hasSigned || sequenced + (index?.size ?? 0) > 0 || wasShipped(spool)
  const opened = early.state === 'missing' ? openStore(paths.storeDatabase) : early
  reportStore(opened, isPublished ? 'lost' : 'owed', problems)
  const store = opened.state === 'open' ? opened.reader : undefined
  const homeKeys = readKeys(paths, problems)
  try {
    return await verifyParts({ ...options, paths, problems, spool, homeKeys, index, snapshot, isPublished, store })
  } finally {
    store?.close()
  }
}

function reportStore(opened: OpenedStore, absence: 'lost' | 'owed', problems: ProblemSink): void {
  const path = 'store/collector.db'
  if (opened.state === 'damaged') problems.add('store_disagrees', { path }, `${path}: ${opened.why}`)
  if (opened.state === 'missing' && absence === 'lost')
    problems.add('store_disagrees', { path }, `${path} is missing: with it every body and its keys`)
}

interface Parts extends HomeCheckOptions {
  paths: HomePaths
  problems: ProblemSink
  spool: Spool
  homeKeys: HomeKeys
  index: IndexStanding | undefined
  snapshot: Snapshot
  /** Something says that entries were signed or sequenced: then a log without a checkpoint lost it. */
  isPublished: boolean
  store: SequenceReader | undefined
}

async function verifyParts(parts: Parts): Promise<HomeVerdict> {
  const { paths, problems, spool, homeKeys } = parts
  const logKeys = parts.keys.length > 0 ? parts.keys : homeKeys.logKey === undefined ? [] : [homeKeys.logKey]
  const pending = await readPending(parts)
  const { findings, bodies, indexed, unusedKeys } = await verifyTogether(parts, { logKeys, pending })
  verifyStreamClaims(parts, findings, pending)
  const verdict = toVerdict(findings, problems.found(), {
    nowMs: parts.nowMs,
    signingKey: judgeSigningKey(paths),
    keysFrom: parts.keys.length > 0 ? 'verifier' : 'log',
    sensorKeysFrom: 'log',
  })
  const { entries, streams } = findings.counts
  const signedBy = logKeys.map(({ name }) => name)
  const waiting = countUnsequencedRecords(spool, findings.walk?.streams)
  return {
    verdict,
    checked: {
      entries,
      bodies,
      streams,
      spooledStreams: spool.streams.size,
      indexed,
      signedBy,
      waiting,
      unreferencedKeys: unusedKeys.unreferenced,
    },
    notes: listNotes({
      spool,
      findings,
      waiting,
      unpublished: pending.count,
      indexed,
      absentKeys: unusedKeys.absent,
      looseKeys: describeLooseKeys(paths),
    }),
  }
}

/** The log in this thread; bodies, wrapping, ranges and index beside it in others, for they read every entry again. */
async function verifyTogether(parts: Parts, how: { logKeys: readonly VerifierKey[]; pending: Pending }) {
  const { paths, problems, spool, snapshot, homeKeys, isPublished, store } = parts
  // Where no checkpoint can be believed, what it claims still says which entries lie there to be compared.
  const size = sizeOf(snapshot)
  const pages = size === 0 ? undefined : startPages(parts, size)
  const findings = await verifyLogFiles(parts, openLogFiles(paths.log, snapshot.checkpoint), how)
  const { verified, stored, facts } = (await pages?.result) ?? { verified: 0, stored: 0, facts: emptyFacts() }
  if (store !== undefined && size > 0)
    compareStore({
      file: paths.storeDatabase,
      problems,
      size: findings.checkpoint?.size ?? size,
      facts,
      streams: findings.walk?.streams,
      root: findings.checkpoint?.root,
      bodies: homeKeys.bodiesKey === undefined ? undefined : stored,
    })
  const unusedKeys = compareKeys(homeKeys, { spool, facts, isPublished }, problems)
  return { findings, bodies: verified, indexed: pages?.indexed, unusedKeys }
}

function verifyStreamClaims({ spool, problems }: Parts, { walk }: LogFindings, pending: Pending): void {
  if (walk === undefined) return
  const epoch = walk.epoch.detail?.previous == null ? 'first' : 'later'
  const findPending = (streamId: string) => pending.streams.get(streamId)
  verifyClaims({ spool, streams: walk.streams, epoch, findPending, problems })
}

interface Pending {
  /** Entries that are sequenced and under no checkpoint. */
  count: number
  /** Last record of every stream, where there are such entries. */
  streams: Map<string, number>
}

/** A collector that died between sequencing and signing leaves entries that the next one signs. */
async function readPending({ store, snapshot }: Parts): Promise<Pending> {
  const size = (await store?.treeState())?.size ?? 0
  const covered = sizeOf(snapshot)
  const count = Math.max(0, size - covered)
  if (store === undefined || count === 0) return { count: 0, streams: new Map() }
  const states = await store.readStreams()
  return { count, streams: new Map(states.map(({ streamId, nextSeq }) => [streamId, nextSeq - 1])) }
}

function sizeOf({ checkpoint }: Snapshot): number {
  const line = checkpoint === undefined ? undefined : Buffer.from(checkpoint).toString('utf8').split('\n')[1]
  return line !== undefined && /^\d{1,15}$/.test(line) ? Number(line) : 0
}

function verifyLogFiles(
  { snapshot, spool, problems, kept, isPublished, onProgress, isStopped }: Parts,
  files: LogFiles,
  { logKeys, pending }: { logKeys: readonly VerifierKey[]; pending: Pending },
): Promise<LogFindings> {
  const signed: KeptCheckpoint[] =
    snapshot.signed === undefined ? [] : [{ bytes: snapshot.signed, from: 'home', name: 'signer/state.json' }]
  return verifyLog({
    ...files,
    policy: { origin: snapshot.origin, logKeys, witnesses: [], witnessesRequired: 1 },
    crypto: { sha256, verifyEd25519 },
    kept: [...signed, ...kept],
    findSpooled: (streamId) => lastSpooled(spool, streamId) ?? pending.streams.get(streamId),
    absence: isPublished ? 'checkpoint_missing' : 'not_published',
    problems,
    onProgress: (done, total) => onProgress('entries', done, total),
    isStopped,
  })
}

/** What is derived from the log, or belongs to it: the part that reads every entry again, beside the walk through the log. */
function startPages(
  parts: Parts,
  size: number,
): { indexed: number | undefined; result: ReturnType<typeof verifyPages> } {
  const { dir, index, problems, snapshot, store, homeKeys, spool } = parts
  const { checkpoint, origin } = snapshot
  const { streams: spooled } = spool
  const indexed = index === undefined ? undefined : judgeIndexStanding(index, { origin, size }, problems)
  const task = {
    dir,
    checkpoint,
    size,
    hasStore: store !== undefined,
    indexed,
    bodiesKey: homeKeys.bodiesKey,
    spooled,
  }
  return { indexed, result: verifyPages(task, problems, (done) => parts.onProgress('bodies', done, size)) }
}
