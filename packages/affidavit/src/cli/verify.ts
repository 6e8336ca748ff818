import { existsSync, readFileSync } from 'node:fs'
import { VerifyError } from '@affidavit/evidence/log/error'
import { parseVerifierKey, type VerifierKey } from '@affidavit/evidence/log/key'
import type { KeptCheckpoint } from '@affidavit/evidence/verify/checkpoints'
import { sha256 } from '@affidavit/sensor/crypto/node'
import { openHome } from '@affidavit/sensor/durable/home'
import { HomeError } from '@affidavit/sensor/durable/home-keys'
import { toHomePaths } from '@affidavit/sensor/durable/home-paths'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, exitCodes, usageError } from './failure.ts'
import { keyOption } from './log-keys.ts'
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
    const keys = readKeys(args.list('key'))
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
    "Start a server with 'affidavit run -- COMMAND', or name another folder with --home.",
  )
}

/** A home that nobody has used yet has an identity and nothing else. */
function hasRecords(dir: string): boolean {
  const { checkpoint, signerState, storeDatabase, logKey, sensorKey } = toHomePaths(dir)
  return [checkpoint, signerState, storeDatabase, logKey, sensorKey].some((path) => existsSync(path))
}

/** What a home that cannot even be opened has to say, verification finds out by itself. */
async function waitIfPossible(dir: string, context: CommandContext): Promise<void> {
  if (!existsSync(toHomePaths(dir).identity)) return
  try {
    await waitUntilSequenced(await openHome(dir), context)
  } catch (error) {
    const isHome = error instanceof HomeError || (error instanceof Error && 'code' in error)
    if (!isHome) throw error
  }
}

function readKeys(given: readonly string[]): VerifierKey[] {
  const lines = given.flatMap((text) => (existsSync(text) ? readLines(text) : [text]))
  try {
    return lines.map((line) => parseVerifierKey(sha256, line))
  } catch (error) {
    if (error instanceof VerifyError) throw usageError(spec.name, `--key: ${error.message}`)
    throw error
  }
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

function readKept(path: string): KeptCheckpoint {
  try {
    return { bytes: new Uint8Array(readFileSync(path)), from: 'verifier', name: path }
  } catch (error) {
    throw new CommandError(
      'AFD_FILE_UNREADABLE',
      `cannot read ${path}: ${String(error)}`,
      'Name another --checkpoint.',
      {
        cause: error,
      },
    )
  }
}

function toExitCode({ verdict }: HomeVerdict): number {
  if (verdict.integrity.level === 'INVALID') return exitCodes.negative
  return verdict.complete ? exitCodes.done : exitCodes.impossible
}

function toObject(dir: string, { verdict, checked, notes }: HomeVerdict) {
  return { id: verdict.origin, home: dir, ...verdict, checked, notes }
}
