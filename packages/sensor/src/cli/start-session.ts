import type { Child } from '../capture/stdio/child.ts'
import type { Guardian } from '../capture/stdio/guardian.ts'
import { Classifier } from '../classify/classifier.ts'
import { createDigester, createMarker } from '../crypto/digester.ts'
import { loadCorrelationKey } from '../durable/correlation-key.ts'
import { keepExecutableHashes } from '../durable/executable-hashes.ts'
import { resolveHome } from '../durable/home.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { keepKnownLevels } from '../durable/known-levels.ts'
import { keepToolBaselines } from '../durable/tool-baselines.ts'
import { readVersion } from '../identity/version.ts'
import { createRedactor } from '../redact/redactor.ts'
import { keepCollector } from '../ship/keep-collector.ts'
import { openHomeRecorder } from '../spool/home-recorder.ts'
import { diagnose } from './diagnostics.ts'
import { redactName } from './redact-words.ts'
import { reportStart } from './report-start.ts'
import { beginLevel } from './run-level.ts'
import type { RunOptions } from './run-options.ts'
import type { RunSettings } from './run-settings.ts'
import { openWanted } from './run-wanted.ts'
import type { RunWiring } from './run-wiring.ts'
import { nameServer } from './server-name.ts'
import { reportDefect, superviseSession } from './session.ts'
import { readStdioSituation } from './stdio-situation.ts'

export interface SessionStart {
  options: RunOptions
  settings: RunSettings
  wiring: RunWiring
  child: Child
  guardian: Guardian | undefined
  /** Of who started us, as it was then. */
  parentPid: number
}

/** Builds what a session needs from options and configuration, and sees it through. Returns the exit code. */
export async function startSession(start: SessionStart): Promise<number> {
  const { options, settings, child, guardian } = start
  const { config, patterns, catalogue, policy } = settings
  const homeDir = resolveHome({ flag: options.home, env: process.env })
  const spoolBytesMax = config.limits?.spoolBytes
  const recorder = openHomeRecorder({
    homeDir,
    failOpen: options.failOpen ?? config.failOpen ?? [],
    software: `affidavit-sensor ${readVersion()}`,
    ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
    syncDelayMs: Number(process.env.AFFIDAVIT_TEST_SYNC_DELAY_MS ?? 0),
  })
  const loading = loadCorrelationKey(homeDir, (code) =>
    diagnose('AFD_HOME_UNUSABLE', `the home folder ${homeDir} cannot be used (${code}); see its path and permissions`),
  )
  // Files are opened meanwhile, and nobody waits for what is read here.
  const situation = readStdioSituation(child.process.pid, start.parentPid)
  const correlationKey = await loading
  const redactor = createRedactor({ correlationKey, ...(patterns === undefined ? {} : { patterns }) })
  const stopPolicy = policy?.keep((draft, sections) => recorder.emit(draft, sections))
  const level = options.level ?? config.level ?? 'arguments'
  const serverName = redactName(redactor, options.server ?? config.server ?? nameServer(options.command, options.args))
  const digest = createDigester(correlationKey)
  const named = { emit: recorder.emit, digest, correlationKey, patterns, serverName }
  const wanted = await openWanted(config, { situation, redactor, ...named })
  const hashes = keepExecutableHashes(homeDir)
  const inForce = { server: serverName, level }
  situation.recall(hashes)
  beginLevel(inForce, keepKnownLevels(homeDir), recorder.emit)
  void situation.hash(hashes).catch(reportDefect)
  const session = superviseSession({
    child,
    guardian,
    recorder,
    redactor,
    digest,
    marker: createMarker(correlationKey),
    baselines: keepToolBaselines(homeDir),
    ...(policy === undefined ? {} : { policy: policy.inForce }),
    ...(catalogue === undefined ? {} : { classifier: new Classifier(catalogue) }),
    level,
    serverName,
    situation: { ...situation, currentPosture: wanted?.currentPosture },
  })
  const stopWatching = watchCollector(start, homeDir)
  const code = await session
  stopWatching?.()
  stopPolicy?.()
  wanted?.close()
  const { startError } = await child.exit
  if (startError !== undefined) reportStart(options.command, startError, (text) => redactName(redactor, text))
  return code
}

/** Undefined where none is to be started. */
function watchCollector({ options, wiring }: SessionStart, homeDir: string): (() => void) | undefined {
  if (options.collector !== undefined || wiring.startCollector === undefined) return undefined
  const home = { dir: homeDir, processFile: toHomePaths(homeDir).collectorProcess }
  return keepCollector(home, wiring.startCollector, (code) =>
    diagnose('AFD_COLLECTOR_NOT_STARTED', `the collector cannot be started (${code}); records stay in the spool`),
  )
}
