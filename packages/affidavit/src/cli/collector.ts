import { unlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Home, openHome } from '@affidavit/sensor/durable/home'
import { readOwnProcess } from '@affidavit/sensor/durable/process'
import { replace } from '@affidavit/sensor/durable/write'
import { readPublished } from '../query/log-reader.ts'
import { collectHome } from './collector/collect-home.ts'
import { openDiagnostics } from './collector/diagnostics.ts'
import { startFollower } from './collector/follower.ts'
import { acquireLock } from './collector/lock.ts'
import type { Command } from './command.ts'
import { exitCodes } from './failure.ts'
import { homeFolder, openTiles } from './open-home.ts'
import { readIndexedSize } from './open-index.ts'
import { homeOption, parseCount } from './options.ts'
import { readVersion } from './version.ts'

const defaultIdleExitMs = 30_000
/** How long the end waits for the index; what is missing then comes with the next collector. */
const followerWaitMs = 5_000
const followerPollMs = 50

const spec = {
  name: 'collector',
  summary: 'Sequences what sensors spooled into the log. Started by itself when needed; one per home folder.',
  options: {
    ...homeOption,
    'idle-exit-ms': { type: 'string', value: 'N', text: 'end after so long without a running server (default 30000)' },
    'no-index': { type: 'boolean', text: 'do not keep the query index' },
  },
  examples: [{ command: 'affidavit collector --idle-exit-ms 3600000', text: 'Stay for an hour after the last server' }],
  notes: ['Where another collector runs for this home, it ends at once with exit code 0.'],
} as const satisfies Command['spec']

export const collector: Command = {
  spec,
  run: async (args, { env, signal }) => {
    const idleExitMs = parseCount(spec, 'idle-exit-ms', args.text('idle-exit-ms'), 0) ?? defaultIdleExitMs
    const home = await openHome(homeFolder(args, env))
    const lock = acquireLock(home.paths.collectorLock)
    if (lock === undefined) return exitCodes.done
    // Calls come first; what is durable can wait for a free core. The follower inherits it.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
    const diagnostics = openDiagnostics(home.paths.collectorDiagnostics)
    await replace(home.layer, home.paths.collectorProcess, Buffer.from(`${JSON.stringify(readOwnProcess())}\n`))
    const onFollowerEnd = (reason: string) => diagnostics.write('follower_ended', reason)
    const follower = args.flag('no-index') ? undefined : startFollower(home.dir, onFollowerEnd)
    try {
      const reason = await collectHome(home, {
        software: `affidavit/${readVersion()}`,
        idleExitMs,
        diagnostics,
        signal,
      })
      if (reason === 'idle' && follower !== undefined) await waitForIndex(home)
      diagnostics.write('collector_ended', reason)
      return exitCodes.done
    } catch (error) {
      diagnostics.write('collector_failed', describe(error))
      throw error
    } finally {
      await follower?.stop()
      // File and lock go together: a sensor that finds neither starts the next collector.
      unlinkSync(home.paths.collectorProcess)
      lock.release()
    }
  },
}

async function waitForIndex(home: Home): Promise<void> {
  const size = (await readPublished(openTiles(home)))?.size ?? 0
  const deadlineMs = Date.now() + followerWaitMs
  while (readIndexedSize(home) < size && Date.now() < deadlineMs) await sleep(followerPollMs)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${'code' in error ? `${String(error.code)}: ` : ''}${error.message}${cause}`
}
