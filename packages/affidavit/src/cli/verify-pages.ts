import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { tileWidth } from '@affidavit/evidence/log/tile'
import { createProblemSink, type Problem, type ProblemSink } from '@affidavit/evidence/verify/problem'
import { sealing, sha256 } from '@affidavit/sensor/crypto/node'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { createBodyOpener } from '../store/bodies.ts'
import { openSequenceReader } from '../store/sqlite/read.ts'
import { toKeyEncryptionKey } from '../store/wrap.ts'
import { createBodiesCheck } from './verify-bodies.ts'
import { walkContents } from './verify-contents.ts'
import { createFactsCheck, type LogFacts, mergeFacts } from './verify-facts.ts'
import { openLogFiles } from './verify-files.ts'
import { createIndexCheck } from './verify-index.ts'
import { createSpoolCheck, type SpooledHashes } from './verify-spool.ts'
import { createStorePageCheck } from './verify-store-pages.ts'

/** Part of a home whose pages stand for themselves: bodies, their wrapping, the store's ranges, the index. Plain values only. */
export interface PagesTask {
  dir: string
  checkpoint: Uint8Array | undefined
  size: number
  from: number
  to: number
  /** False where the store is missing or damaged. */
  hasStore: boolean
  /** Leaves the index has read; undefined where there is none to compare. */
  indexed: number | undefined
  bodiesKey: Uint8Array | undefined
  spooled: SpooledHashes
}

export interface PagesResult {
  problems: readonly Problem[]
  /** Bodies that opened and fit, and bodies that are there. */
  verified: number
  stored: number
  facts: LogFacts
}

/** Below this a thread costs more than it saves. */
const leavesPerThread = 8_192
const threadsMax = 8

/** Verifies all pages, on as many threads as there are cores where there is enough to do. Problems come in the order of the leaves. */
export async function verifyPages(
  task: Omit<PagesTask, 'from' | 'to'>,
  problems: ProblemSink,
  onProgress: (done: number) => void,
): Promise<Omit<PagesResult, 'problems'>> {
  const parts = splitTask(task)
  const done = parts.map(() => 0)
  const results = await Promise.all(
    parts.map((part, i) => {
      const report = (count: number) => {
        done[i] = count
        onProgress(done.reduce((sum, each) => sum + each, 0))
      }
      return parts.length === 1 ? runPages(part, report) : runInThread(part, report)
    }),
  )
  for (const { code, message, evidence, ...place } of results.flatMap((result) => result.problems))
    problems.add(code, place, message, evidence)
  return {
    verified: results.reduce((sum, { verified }) => sum + verified, 0),
    stored: results.reduce((sum, { stored }) => sum + stored, 0),
    facts: mergeFacts(results.map(({ facts }) => facts)),
  }
}

function splitTask(task: Omit<PagesTask, 'from' | 'to'>): PagesTask[] {
  const threads = Math.max(1, Math.min(threadsMax, availableParallelism(), Math.floor(task.size / leavesPerThread)))
  const step = Math.ceil(task.size / threads / tileWidth) * tileWidth
  const parts: PagesTask[] = []
  for (let from = 0; from < task.size; from += step) parts.push({ ...task, from, to: Math.min(task.size, from + step) })
  return parts
}

/** Verifies one part in this thread. */
export async function runPages(task: PagesTask, onProgress: (done: number) => void): Promise<PagesResult> {
  const { checkpoint, size, from, to } = task
  const paths = toHomePaths(task.dir)
  const problems = createProblemSink()
  const reader = task.hasStore ? openSequenceReader(paths.storeDatabase) : undefined
  const kek = task.bodiesKey
  const opener =
    reader === undefined || kek === undefined
      ? undefined
      : createBodyOpener(sealing, toKeyEncryptionKey(sha256, kek), reader)
  const bodies = createBodiesCheck(sha256, problems)
  const store = reader && createStorePageCheck({ file: paths.storeDatabase, reader, problems, kek })
  const index = task.indexed === undefined ? undefined : createIndexCheck(paths.indexDatabase, task.indexed, problems)
  const facts = createFactsCheck()
  const spool = createSpoolCheck(task.spooled, problems)
  const { readFile } = openLogFiles(paths.log, checkpoint)
  try {
    const checks = [bodies, facts, spool, store, index].filter((check) => check !== undefined)
    await walkContents({ sha256, readFile, size, from, to, bodies: opener, onProgress }, checks)
  } finally {
    reader?.close()
  }
  return { problems: problems.found().list, verified: bodies.verified(), stored: bodies.stored(), facts: facts.facts() }
}

/** Sources run as they are and find each other's sources; published code is JavaScript. */
const isSource = import.meta.url.endsWith('.ts')
const workerFile = isSource
  ? new URL('./verify-worker.ts', import.meta.url)
  : new URL('./verify-worker.js', import.meta.url)
const execArgv = isSource ? ['--conditions=@affidavit/source'] : []

function runInThread(task: PagesTask, onProgress: (done: number) => void): Promise<PagesResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile, { workerData: task, execArgv })
    worker.on('message', (message: { done: number } | { result: PagesResult }) => {
      if ('result' in message) resolve(message.result)
      else onProgress(message.done)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`a verification thread ended with ${code}`)))
  })
}
