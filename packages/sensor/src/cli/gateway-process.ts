import type { CaptureLevel } from '@affidavit/evidence/record/kinds'
import { type CaptureContext, replaceIn } from '../capture/context.ts'
import { type Gateway, startGateway, type TlsFiles } from '../capture/http/gateway.ts'
import { Classifier } from '../classify/classifier.ts'
import { createDigester, createMarker } from '../crypto/digester.ts'
import { loadCorrelationKey } from '../durable/correlation-key.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { keepToolBaselines } from '../durable/tool-baselines.ts'
import { readGatewayFacts } from '../identity/local.ts'
import { createSurroundings } from '../identity/surroundings.ts'
import { readVersion } from '../identity/version.ts'
import { createRedactor, type Redactor } from '../redact/redactor.ts'
import { keepCollector } from '../ship/keep-collector.ts'
import type { Recorder } from '../spool/fail-mode.ts'
import { openHomeRecorder } from '../spool/home-recorder.ts'
import { chooseDiagnosticForm, diagnose, formatDiagnostic } from './diagnostics.ts'
import { createNamingRedactor, openDoorkeeper } from './gateway-admission.ts'
import { type ApprovalPageParts, openApprovalPages } from './gateway-approvals.ts'
import { hashOf, levelDefault, recordConfig } from './gateway-change.ts'
import { type LoadedConfig, listenDefault, loadGatewayConfig } from './gateway-config.ts'
import { createHealth, type Health } from './gateway-health.ts'
import { type ServedIngest, serveIngest } from './gateway-ingest.ts'
import { createPages } from './gateway-pages.ts'
import { asksClients, openPeers } from './gateway-peers.ts'
import { buildRoutes, type Routes, type UpstreamParts } from './gateway-upstreams.ts'
import { needRestart, watchContents } from './gateway-watch.ts'
import { parseListen } from './listen-address.ts'
import type { OpenPolicy } from './open-policy.ts'
import { redactName, redactSentence } from './redact-words.ts'
import { loadPatternsFile } from './run-patterns.ts'
import { reportDefect } from './session.ts'
import { openSituation } from './situation.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

export interface GatewayStart {
  loaded: LoadedConfig
  homeDir: string
  policy: OpenPolicy | undefined
  /** Undefined: none is started. */
  startCollector: readonly string[] | undefined
}

const drainMsDefault = 10_000
const heartbeatEveryMs = 60_000

/** Serves until SIGTERM or SIGINT, and resolves to the exit code when what was open is recorded. */
export async function serveGateway({ loaded, homeDir, policy, startCollector }: GatewayStart): Promise<number> {
  const { config } = loaded
  chooseDiagnosticForm(config.diagnostics ?? 'text')
  const recorder = openHomeRecorder({
    homeDir,
    failOpen: config.failOpen ?? [],
    software: `affidavit-sensor ${readVersion()}`,
    ...(config.limits?.spoolBytes === undefined ? {} : { spoolBytesMax: config.limits.spoolBytes }),
    syncDelayMs: Number(process.env.AFFIDAVIT_TEST_SYNC_DELAY_MS ?? 0),
  })
  const health = createHealth(recorder)
  const parts = await openParts({ loaded, homeDir, policy, emit: health.emit })
  const serving: Serving = { loaded, routes: buildRoutes(config, parts, []), gateway: undefined }
  const pages = createPages({
    whyNotReady: health.whyNotReady,
    metrics: (isReady) =>
      health.metrics.write({
        upstreams: serving.routes.upstreams,
        underWay: serving.gateway?.underWay ?? 0,
        isReady,
      }),
  })
  const ended = nextSignal('SIGTERM', 'SIGINT')
  const approvals =
    policy?.approvals && openApprovalPages({ ...parts.naming, approvals: policy.approvals, emit: health.emit })
  serving.gateway = await listen(loaded, serving.routes, (...asked) => approvals?.handle(...asked) ?? pages(...asked))
  const ingest = await listenForReports(serving, parts)
  await recordConfig(health.emit, undefined, loaded)
  const stopPolicy = policy?.keep(health.emit)
  const stopReloading = keepReloading(serving, parts, health)
  const stopCollector = startCollector === undefined ? undefined : watchCollector(homeDir, startCollector)
  const beating = setInterval(() => void health.beat(), heartbeatEveryMs)

  await ended
  health.startDraining()
  stopReloading()
  stopPolicy?.()
  clearInterval(beating)
  parts.close()
  approvals?.close()
  const drainMs = config.drainMs ?? drainMsDefault
  const { underWay } = serving.gateway
  if (underWay > 0)
    diagnose('AFD_DRAINING', `calls in flight (${underWay}) have ${drainMs / 1000} s to finish, then they are cut`)
  await Promise.all([serving.gateway.drain(drainMs), ingest?.drain(drainMs)])
  await closeRecorder(recorder)
  stopCollector?.()
  return 0
}

interface Serving {
  loaded: LoadedConfig
  routes: Routes
  gateway: Gateway | undefined
}

/** Reports name a tool as listed where the server of that name listed it to this gateway. */
async function listenForReports(serving: Serving, parts: Parts): Promise<ServedIngest | undefined> {
  const { ingest } = serving.loaded.config
  if (ingest === undefined) return undefined
  const toolsOf = (name: string) =>
    serving.routes.upstreams.find(({ options }) => options.name === name)?.knowledge.tools
  const levelNow = () => parts.levels.current
  return serveIngest(ingest, { ...parts.contextFor('ingest'), levelNow, namingRedactor: parts.namingRedactor, toolsOf })
}

interface Parts extends UpstreamParts {
  namingRedactor: Redactor
  /** How people are named who present tokens to us. */
  naming: Pick<ApprovalPageParts, 'digest' | 'redact'>
  /** Replaced by a new configuration; whatever is recorded from then on is recorded at that level. */
  levels: { current: CaptureLevel }
  close(): void
  classifier: Classifier
}

async function openParts(from: {
  loaded: LoadedConfig
  homeDir: string
  policy: OpenPolicy | undefined
  emit: CaptureContext['emit']
}): Promise<Parts> {
  const { config } = from.loaded
  const correlationKey = await loadCorrelationKey(from.homeDir, (code) =>
    diagnose(
      'AFD_HOME_UNUSABLE',
      `the home folder ${from.homeDir} cannot be used (${code}); see its path and permissions`,
    ),
  )
  const patternsPath = config.redact?.patterns
  const patterns = patternsPath === undefined ? undefined : loadPatternsFile(patternsPath)
  const redactor = createRedactor({ correlationKey, ...(patterns === undefined ? {} : { patterns }) })
  const namingRedactor = createNamingRedactor(correlationKey, patterns)
  const redact = (text: string) => namingRedactor.redactText(text).text
  const classifier = new Classifier(from.loaded.catalogue)
  const levels: Parts['levels'] = { current: config.level ?? levelDefault }
  const surroundings = createSurroundings(readGatewayFacts())
  const situation = openSituation(config, { surroundings, redactor })
  const digest = createDigester(correlationKey)
  const shared: CaptureContext = {
    serverName: '',
    emit: from.emit,
    redactor,
    digest,
    marker: createMarker(correlationKey),
    get level() {
      return levels.current
    },
    vantage: 'gateway',
    facts: surroundings.facts,
    currentPosture: situation.currentPosture,
    baselines: keepToolBaselines(from.homeDir),
    ...(from.policy === undefined ? {} : { policy: from.policy.inForce }),
    classifier,
    diagnose,
  }
  const peers = await openPeers(config, { digest: shared.digest, redact })
  return {
    namingRedactor,
    naming: { digest, redact },
    classifier,
    levels,
    close: situation.close,
    contextFor: (name) => replaceIn(shared, { serverName: redactName(redactor, name) }),
    doorkeeperFor: ({ authorization = { mode: 'inline' } }, identity, context) => {
      const doorkeeper = openDoorkeeper(authorization, identity, { context, redact })
      return peers === undefined ? doorkeeper : peers.guard(doorkeeper, context)
    },
  }
}

async function listen({ config, path }: LoadedConfig, routes: Routes, ownPages: ReturnType<typeof createPages>) {
  const { host, port } = parseListen(config.listen ?? listenDefault) ?? { host: '127.0.0.1', port: 0 }
  const tls = readTls(config)
  try {
    const gateway = await startGateway({ ...routes, host, port, tls, ownPages, onFault: reportDefect })
    const shown = host.includes(':') ? `[${host}]` : host
    const scheme = tls === undefined ? 'http' : 'https'
    const places = routes.upstreams.map(({ options }) => `/mcp/${options.name}`).join(', ')
    const text = `gateway listens on ${scheme}://${shown}:${gateway.address.port}${places && `: ${places}`}`
    process.stderr.write(formatDiagnostic('AFD_LISTENING', text))
    return gateway
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new UsageError(
      'AFD_LISTEN_FAILED',
      `${path}: listen: ${host}:${port} cannot be had (${String(error.code)})`,
      'Another program may have it; give another port, or end that program.',
    )
  }
}

function readTls(config: LoadedConfig['config']): TlsFiles | undefined {
  const { tls } = config
  if (tls === undefined) return undefined
  return { cert: readText(tls.cert), key: readText(tls.key), asksClients: asksClients(config) }
}

/** Reads the configuration again on SIGHUP and when one of its files changes. A bad one changes nothing, and says so. */
function keepReloading(serving: Serving, parts: Parts, { emit }: Health): () => void {
  const reload = async (): Promise<void> => {
    try {
      const next = await loadGatewayConfig(serving.loaded.path)
      const tls = readTls(next.config)
      const before = serving.loaded
      serving.routes = buildRoutes(next.config, parts, serving.routes.upstreams)
      parts.classifier.use(next.catalogue)
      serving.loaded = next
      parts.levels.current = next.config.level ?? levelDefault
      serving.gateway?.route(serving.routes.router, serving.routes.upstreams)
      if (tls !== undefined) serving.gateway?.renewTls(tls)
      for (const key of needRestart(before, next))
        diagnose('AFD_RESTART_NEEDED', `${key} changed in the configuration; it takes effect at the next start`)
      if (hashOf(next) !== hashOf(before)) await recordConfig(emit, before, next)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      const why = redactSentence(`${error.message}. ${error.remedy}`)
      diagnose(error.code, `the configuration is not taken over, the one before stays in force: ${why}`)
    }
  }
  // One after the other: what was read first must not be taken over last.
  let last = Promise.resolve()
  const onSignal = () => {
    last = last.then(reload).catch(reportDefect)
  }
  const watching = watchContents(serving, onSignal)
  process.on('SIGHUP', onSignal)
  return () => {
    clearInterval(watching)
    process.off('SIGHUP', onSignal)
  }
}

function watchCollector(homeDir: string, command: readonly string[]): () => void {
  const home = { dir: homeDir, processFile: toHomePaths(homeDir).collectorProcess }
  return keepCollector(home, command, (code) =>
    diagnose('AFD_COLLECTOR_NOT_STARTED', `the collector cannot be started (${code}); records stay in the spool`),
  )
}

async function closeRecorder(recorder: Recorder): Promise<void> {
  try {
    await recorder.close('signal')
  } catch (error) {
    // Recovery finds the stream without its end, and says so in the log.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose('AFD_STREAM_NOT_CLOSED', `the stream of records could not be closed (${code})`)
  }
}

function nextSignal(...signals: NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve())
  })
}
