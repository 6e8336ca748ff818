import { clipText } from '@affidavit/evidence/record/text'
import type { Child } from '../capture/stdio/child.ts'
import type { Guardian } from '../capture/stdio/guardian.ts'
import { resolveHome } from '../durable/home.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { createRedactor } from '../redact/redactor.ts'
import { keepCollector } from './collector-process.ts'
import { createDigester, loadCorrelationKey, openRecorder } from './recorder.ts'
import type { RunWiring } from './run.ts'
import type { RunConfig } from './run-config.ts'
import type { RunOptions } from './run-options.ts'
import { nameServer } from './server-name.ts'
import { superviseSession } from './session.ts'
import { readVersion } from './version.ts'

export interface SessionStart {
  options: RunOptions
  wiring: RunWiring
  child: Child
  guardian: Guardian | undefined
}

/** Builds what a session needs from options and configuration, and sees it through. Returns the exit code. */
export async function startSession({ options, wiring, child, guardian }: SessionStart): Promise<number> {
  const config = await loadConfig(options.config)
  const homeDir = resolveHome({ flag: options.home, env: process.env })
  const spoolBytesMax = config.limits?.spoolBytes
  const recorder = openRecorder({
    homeDir,
    failOpen: options.failOpen ?? config.failOpen ?? [],
    software: `affidavit-sensor ${readVersion()}`,
    ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
    syncDelayMs: Number(process.env.AFFIDAVIT_TEST_SYNC_DELAY_MS ?? 0),
  })
  const correlationKey = await loadCorrelationKey(homeDir)
  const patterns = await loadUserPatterns(config.redact?.patterns)
  const session = superviseSession({
    child,
    guardian,
    recorder,
    redactor: createRedactor({ correlationKey, ...(patterns === undefined ? {} : { patterns }) }),
    digest: createDigester(correlationKey),
    level: options.level ?? config.level ?? 'arguments',
    serverName: clipText(options.server ?? config.server ?? nameServer(options.command, options.args)),
  })
  const stopWatching =
    options.collector === undefined && wiring.startCollector !== undefined
      ? keepCollector({ dir: homeDir, processFile: toHomePaths(homeDir).collectorProcess }, wiring.startCollector)
      : undefined
  const code = await session
  stopWatching?.()
  return code
}

/** yaml and zod are loaded only where there is something to read with them. */
async function loadConfig(path: string | undefined): Promise<RunConfig> {
  if (path === undefined) return {}
  const { loadRunConfig } = await import('./run-config.ts')
  return loadRunConfig(path)
}

async function loadUserPatterns(path: string | undefined) {
  if (path === undefined) return undefined
  const { loadPatternsFile } = await import('./run-patterns.ts')
  return loadPatternsFile(path)
}
