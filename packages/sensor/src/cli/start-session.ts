import type { Emit } from '../capture/context.ts'
import type { Child } from '../capture/stdio/child.ts'
import type { Guardian } from '../capture/stdio/guardian.ts'
import { createDigester } from '../crypto/digester.ts'
import { loadCorrelationKey } from '../durable/correlation-key.ts'
import { resolveHome } from '../durable/home.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { keepToolBaselines } from '../durable/tool-baselines.ts'
import { readVersion } from '../identity/version.ts'
import { createRedactor } from '../redact/redactor.ts'
import { keepCollector } from '../ship/keep-collector.ts'
import { openHomeRecorder } from '../spool/home-recorder.ts'
import { diagnose } from './diagnostics.ts'
import { startOwnIdentity } from './own-identity.ts'
import { redactName } from './redact-words.ts'
import { reportStart } from './report-start.ts'
import type { RunOptions } from './run-options.ts'
import type { RunSettings } from './run-settings.ts'
import type { RunWiring } from './run-wiring.ts'
import { nameServer } from './server-name.ts'
import { superviseSession } from './session.ts'

export interface SessionStart {
  options: RunOptions
  settings: RunSettings
  wiring: RunWiring
  child: Child
  guardian: Guardian | undefined
}

/** Builds what a session needs from options and configuration, and sees it through. Returns the exit code. */
export async function startSession({ options, settings, wiring, child, guardian }: SessionStart): Promise<number> {
  const { config, patterns, policy } = settings
  const homeDir = resolveHome({ flag: options.home, env: process.env })
  const spoolBytesMax = config.limits?.spoolBytes
  const recorder = openHomeRecorder({
    homeDir,
    failOpen: options.failOpen ?? config.failOpen ?? [],
    software: `affidavit-sensor ${readVersion()}`,
    ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
    syncDelayMs: Number(process.env.AFFIDAVIT_TEST_SYNC_DELAY_MS ?? 0),
  })
  const correlationKey = await loadCorrelationKey(homeDir, (code) =>
    diagnose('AFD_HOME_UNUSABLE', `the home folder ${homeDir} cannot be used (${code}); see its path and permissions`),
  )
  const redactor = createRedactor({ correlationKey, ...(patterns === undefined ? {} : { patterns }) })
  const serverName = redactName(redactor, options.server ?? config.server ?? nameServer(options.command, options.args))
  const digest = createDigester(correlationKey)
  const emit: Emit = (draft, sections) => recorder.emit(draft, sections)
  const stopPolicy = policy?.keep(emit)
  const own = startOwnIdentity(config.identity, { emit, serverName, digest, correlationKey, patterns })
  const session = superviseSession({
    child,
    guardian,
    recorder,
    redactor,
    digest,
    baselines: keepToolBaselines(homeDir),
    ...(policy === undefined ? {} : { policy: policy.inForce }),
    level: options.level ?? config.level ?? 'arguments',
    serverName,
    ...(own === undefined ? {} : { identify: own.of }),
  })
  const stopWatching =
    options.collector === undefined && wiring.startCollector !== undefined
      ? keepCollector(
          { dir: homeDir, processFile: toHomePaths(homeDir).collectorProcess },
          wiring.startCollector,
          (code) =>
            diagnose(
              'AFD_COLLECTOR_NOT_STARTED',
              `the collector cannot be started (${code}); records stay in the spool`,
            ),
        )
      : undefined
  const code = await session
  stopWatching?.()
  stopPolicy?.()
  own?.close()
  const { startError } = await child.exit
  if (startError !== undefined) reportStart(options.command, startError, (text) => redactName(redactor, text))
  return code
}
