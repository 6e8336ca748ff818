import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Vantage } from '@affidavit/evidence/record/kinds'
import { clipText } from '@affidavit/evidence/record/text'
import type { CaptureContext } from '../capture/context.ts'
import { ServerKnowledge } from '../capture/knowledge.ts'
import { Classifier } from '../classify/classifier.ts'
import { createDigester, createMarker } from '../crypto/digester.ts'
import { loadCorrelationKey } from '../durable/correlation-key.ts'
import { resolveHome } from '../durable/home.ts'
import { toHomePaths } from '../durable/home-paths.ts'
import { keepToolBaselines } from '../durable/tool-baselines.ts'
import { readVersion } from '../identity/version.ts'
import { type CompiledPatterns, createRedactor } from '../redact/redactor.ts'
import { keepCollector } from '../ship/keep-collector.ts'
import type { Recorder } from '../spool/fail-mode.ts'
import { openHomeRecorder } from '../spool/home-recorder.ts'
import type { AuditOptions } from './options.ts'
import { warn } from './warn.ts'

/** What captures with one set of options need, once the home folder is open. */
export interface OpenSensor {
  context: Omit<CaptureContext, 'facts'>
  knowledge: ServerKnowledge
}

/** Something whose calls are being captured. */
export interface Captured {
  /** Nothing is under way in it: it need not be kept in mind, and may be forgotten by everybody. */
  readonly isIdle: boolean
  /** To be called every second or so. */
  flush(): Promise<void>
  /** Every open call gets its outcome. */
  close(): Promise<void>
}

/** Notifications are counted and written this often, as with `affidavit run`. */
const flushIntervalMs = 1000

/**
 * The stream of records that everything with the same options in this process shares, and what is captured into it. Holds
 * no process open; must be closed, which happens by itself when the process has nothing else to do.
 */
export class Sensor {
  readonly #from: OpenFrom
  #opened: Promise<OpenSensor>
  /** The home could not be used, so the correlation key is not its own. */
  #isProvisional = false
  readonly #captured = new Set<Captured>()
  readonly #flushing: NodeJS.Timeout
  readonly #stopCollector: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(options: AuditOptions, vantage: Vantage) {
    const homeDir = resolveHome({ flag: options.home, env: process.env })
    const spoolBytesMax = options.limits?.spoolBytes
    const recorder = openHomeRecorder({
      homeDir,
      failOpen: options.failOpen ?? [],
      software: `affidavit-sensor ${readVersion()}`,
      ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
    })
    this.#stopCollector = startCollector(homeDir, options.collector)
    this.#from = { homeDir, recorder, options, vantage }
    this.#opened = this.#open()
    this.#flushing = setInterval(() => this.#flush(), flushIntervalMs)
    this.#flushing.unref()
  }

  /**
   * What captures need. To be asked anew for every connection, since a home that could not be used may have come back.
   * Rejects where the options name a file that cannot be used: then every call is refused.
   */
  open(): Promise<OpenSensor> {
    if (this.#isProvisional) this.#opened = this.#open()
    return this.#opened
  }

  #open(): Promise<OpenSensor> {
    this.#isProvisional = false
    const opened = openSensor(this.#from, (code) => {
      this.#isProvisional = true
      warn('AFD_HOME_UNUSABLE', `the home folder cannot be used (${code}); see its permissions`)
    })
    // Whoever waits for it is told; nobody else has to.
    opened.catch(() => undefined)
    return opened
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** To be called whenever something begins in it: what became idle has been forgotten. */
  add(captured: Captured): void {
    this.#captured.add(captured)
  }

  remove(captured: Captured): void {
    this.#captured.delete(captured)
  }

  /** Everything that is captured gets its outcome, and the stream its closing record. What comes later is refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #flush(): void {
    for (const captured of this.#captured) {
      if (captured.isIdle) this.#captured.delete(captured)
      else void captured.flush()
    }
    void this.#flushKnowledge()
  }

  /** What was counted on all connections, the forgotten ones included. */
  async #flushKnowledge(): Promise<void> {
    const [opened] = await Promise.allSettled([this.#opened])
    if (opened.status === 'fulfilled') await opened.value.knowledge.flush(opened.value.context)
  }

  async #close(): Promise<void> {
    clearInterval(this.#flushing)
    this.#stopCollector?.()
    await Promise.all([...this.#captured].map((captured) => captured.close()))
    try {
      await this.#flushKnowledge()
      await this.#from.recorder.close('exit')
    } catch (error) {
      // Recovery finds the stream without its end, and says so in the log.
      warn('AFD_STREAM_NOT_CLOSED', `the stream of records could not be closed (${codeOf(error)})`)
    }
  }
}

interface OpenFrom {
  homeDir: string
  recorder: Recorder
  options: AuditOptions
  vantage: Vantage
}

async function openSensor(
  { homeDir, recorder, options, vantage }: OpenFrom,
  onUnusable: (code: string) => void,
): Promise<OpenSensor> {
  const [correlationKey, patterns, classifier] = await Promise.all([
    loadCorrelationKey(homeDir, onUnusable),
    loadPatternsFile(options.redact?.patterns),
    loadClassifier(options),
  ])
  const redactor = createRedactor({ correlationKey, ...(patterns === undefined ? {} : { patterns }) })
  const context = {
    emit: (draft, sections) => recorder.emit(draft, sections),
    redactor,
    digest: createDigester(correlationKey),
    marker: createMarker(correlationKey),
    level: options.level ?? 'arguments',
    serverName: clipText(redactor.redactText(options.serverName).text),
    vantage,
    baselines: keepToolBaselines(homeDir),
    ...(classifier === undefined ? {} : { classifier }),
    diagnose: warn,
  } satisfies OpenSensor['context']
  return { context, knowledge: new ServerKnowledge(context) }
}

/** Throws the system's error where the file cannot be read, and PatternsError where it is not what it should be. */
async function loadPatternsFile(path: string | undefined): Promise<CompiledPatterns | undefined> {
  if (path === undefined) return undefined
  const [{ loadPatterns }, text] = await Promise.all([import('../redact/patterns.ts'), readFile(path, 'utf8')])
  return loadPatterns(text)
}

/** Throws like loadPatternsFile, with CatalogueFileError. */
async function loadClassifier({ catalogue: options, serverName }: AuditOptions): Promise<Classifier | undefined> {
  if (options === undefined) return undefined
  const { loadCatalogue } = await import('../classify/load-catalogue.ts')
  const files = (options.files ?? []).map((path) => resolve(path))
  const starter = options.starter === false ? 'none' : 'first'
  const source = {
    read: (path: string) => readFileSync(path, 'utf8'),
    reportMissing: ({ code, message }: { code: string; message: string }) => warn(code, message),
  }
  return new Classifier(await loadCatalogue({ files, starter, servers: [serverName], values: options.values }, source))
}

function startCollector(homeDir: string, command: AuditOptions['collector']): (() => void) | undefined {
  if (command === undefined || command === 'none') return undefined
  const home = { dir: homeDir, processFile: toHomePaths(homeDir).collectorProcess }
  return keepCollector(home, command, (code) =>
    warn('AFD_COLLECTOR_NOT_STARTED', `the collector cannot be started (${code}); records stay in the spool`),
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
