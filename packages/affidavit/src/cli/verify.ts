import { existsSync, readFileSync } from 'node:fs'
import { VerifyError } from '@affidavit/evidence/log/error'
import type { KeptCheckpoint } from '@affidavit/evidence/verify/checkpoints'
import { isContradiction } from '@affidavit/evidence/verify/problem'
import { openHome } from '@affidavit/sensor/durable/home'
import { HomeError } from '@affidavit/sensor/durable/home-keys'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { StoreError } from '../store/error.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, exitCodes, unreadable } from './failure.ts'
import { formatNumberOf } from './format.ts'
import { keyOption, readVerifierKeys } from './log-keys.ts'
import { homeFolder } from './open-home.ts'
import { type CommandSpec, homeOption } from './options.ts'
import { createProgress } from './progress.ts'
import { type HomeVerdict, verifyHome } from './verify-home.ts'
import { verdictLines } from './verify-text.ts'

const spec: CommandSpec = {
  name: 'verify',
  summary: 'Verifies everything in a home: spool, log, bodies, store, signer, keys and index.',
  options: {
    checkpoint: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      text: 'a checkpoint kept elsewhere: the log must extend it (copy log/checkpoint away now and then)',
    },
    ...keyOption,
    json: { type: 'boolean', text: 'the verdict as one JSON object' },
    ...homeOption,
  },
  examples: [
    { command: 'affidavit verify', text: 'Is anything altered, missing or out of place?' },
    {
      command: 'affidavit verify --checkpoint kept-checkpoint --key kept-log.pub',
      text: 'Also against the holder of the keys',
    },
    { command: 'affidavit verify --json | jq .integrity.level', text: 'For a scheduled job' },
  ],
  notes: [
    'Exit code 0: SIGNED or better. 1: INVALID. 2: could not be checked, in whole or in part.',
    'Integrity is INVALID < SIGNED < CONTINUOUS (extends a checkpoint you kept) < WITNESSED; time is CLAIMED < BOUNDED.',
  ],
}

export const verify: Command = {
  spec,
  run: async (args, context) => {
    const dir = homeFolder(args, context.env)
    requireSomething(dir)
    const keys = readVerifierKeys(spec.name, args.list('key'))
    const kept = args.list('checkpoint').map(readKept)
    await waitIfPossible(dir, context)
    const progress = createProgress(context.stderr, 'verified')
    const judged = await verifyHome({
      dir,
      keys,
      kept,
      nowMs: context.now(),
      onProgress: (stage, done, total) => progress.report(done, total, stage),
      isStopped: () => context.signal.aborted,
    })
    await progress.done()
    requirePublished(dir, judged)
    if (args.flag('json')) await context.stdout.write(`${JSON.stringify(toObject(dir, judged))}\n`)
    else for (const line of verdictLines(dir, judged, context.stdout)) await context.stdout.write(`${line}\n`)
    return toExitCode(judged)
  },
}

/** A folder without any trace of a home cannot be judged; one that lost some of its files can. */
function requireSomething(dir: string): void {
  const paths = toHomePaths(dir)
  const traces = [
    paths.identity,
    paths.checkpoint,
    paths.signerState,
    paths.storeDatabase,
    paths.logKey,
    paths.spoolStreams,
  ]
  if (traces.some((path) => existsSync(path)) && hasRecords(dir)) return
  throw new CommandError(
    'AFD_NO_HOME',
    `nothing was recorded in ${dir}, so there is nothing to verify`,
    "Record a server with 'affidavit run -- COMMAND' or 'affidavit up', or name another folder with --home.",
  )
}

/** A home that nobody has used yet has an identity and nothing else. */
function hasRecords(dir: string): boolean {
  const { checkpoint, signerState, storeDatabase, logKey, sensorKey } = toHomePaths(dir)
  return [checkpoint, signerState, storeDatabase, logKey, sensorKey].some((path) => existsSync(path))
}

/** What of a home cannot be read, verification finds out by itself and judges; the wait is then left out, and says so. */
async function waitIfPossible(dir: string, context: CommandContext): Promise<void> {
  if (!existsSync(toHomePaths(dir).identity)) return
  try {
    await waitUntilSequenced(await openHome(dir), context)
  } catch (error) {
    if (!isJudged(error)) throw error
    const why = error.message.replaceAll(/\s*\n\s*/g, ' ')
    await context.stderr.write(`affidavit: could not wait for the collector: ${why}. [AFD_NOT_SEQUENCED]\n`)
  }
}

/** Damage to the very files that verification is about to look at. */
function isJudged(error: unknown): error is Error {
  if (error instanceof HomeError || error instanceof StoreError || error instanceof VerifyError) return true
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

/** A home whose first records still wait in the spool has nothing that a signature covers: no verdict is due yet. */
function requirePublished(dir: string, { verdict, checked }: HomeVerdict): void {
  if (verdict.checkpoint !== null || verdict.problems.some(isContradiction)) return
  if (!verdict.problems.some(({ code }) => code === 'not_published')) return
  const waiting = formatNumberOf(checked.waiting, 'record', 'records')
  throw new CommandError(
    'AFD_NOT_PUBLISHED',
    `the log of ${dir} has no checkpoint yet; in the spool: ${waiting}`,
    "Try again in a moment; 'affidavit status' shows how far it is.",
    { retry: true },
  )
}

function readKept(path: string): KeptCheckpoint {
  try {
    return { bytes: new Uint8Array(readFileSync(path)), from: 'verifier', name: path }
  } catch (error) {
    throw unreadable(path, error, 'Name another --checkpoint.')
  }
}

function toExitCode({ verdict }: HomeVerdict): number {
  if (verdict.integrity.level === 'INVALID') return exitCodes.negative
  return verdict.complete ? exitCodes.done : exitCodes.impossible
}

function toObject(dir: string, { verdict, checked, notes }: HomeVerdict) {
  return { id: verdict.origin, home: dir, ...verdict, checked, notes }
}
