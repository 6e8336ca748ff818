import { type Child, startChild } from '../capture/stdio/child.ts'
import { type Guardian, startGuardian } from '../capture/stdio/guardian.ts'
import { diagnose } from './diagnostics.ts'
import { reportUsage } from './report-usage.ts'
import { parseRunArguments, type RunOptions, runHelp } from './run-options.ts'
import type { RunSettings } from './run-settings.ts'
import { type RunWiring, requireCollector } from './run-wiring.ts'

const defectExitCode = 70
/** As shells have it for a program that is there and cannot be run. */
const notExecutableExitCode = 126

/**
 * `affidavit run`: starts the server first, and everything else beside it. Returns the exit code; pass it to process.exit,
 * for a server's orphans or a slow collector must not keep the client waiting.
 */
export async function run(argv: readonly string[], wiring: RunWiring = {}): Promise<number> {
  try {
    const options = parseRunArguments(argv)
    if (options === 'help') {
      process.stdout.write(runHelp)
      return 0
    }
    requireCollector(options.collector, wiring)
    return await runServer(options, wiring)
  } catch (error) {
    return reportUsage(error)
  }
}

async function runServer(options: RunOptions, wiring: RunWiring): Promise<number> {
  const settings = await readSettings(options)
  // Read before anything takes time: whoever started us may end, and we would be handed to somebody else.
  const parentPid = process.ppid
  const child = startServer(options)
  if ('failure' in child) {
    const [{ reportStart }, { redactSentence }] = await Promise.all([
      import('./report-start.ts'),
      import('./redact-words.ts'),
    ])
    reportStart(options.command, child.failure, redactSentence)
    return notExecutableExitCode
  }
  const guardian = guard(child)
  try {
    // Loaded beside the server, which starts meanwhile; what the client writes waits in the pipe.
    const { startSession } = await import('./start-session.ts')
    return await startSession({ options, settings, wiring, child, guardian, parentPid })
  } catch (error) {
    await child.endGroup()
    guardian?.dismiss()
    throw error
  }
}

/** Node tells some failures by an event and throws others (ENOTDIR, ELOOP, E2BIG, …): those come back as the system's code. */
function startServer({ command, args }: RunOptions): Child | { failure: string } {
  try {
    return startChild(command, args)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && 'code' in error) return { failure: String(error.code) }
    throw error
  }
}

/**
 * A configuration is read before the server is started, at the cost of a later start: a server that runs, however shortly,
 * has effects, and a mistake in the file should have none. Without a file the server comes first.
 */
async function readSettings(options: RunOptions): Promise<RunSettings> {
  const { config: path, home, server, command, args } = options
  if (path === undefined) return { config: {} }
  const [{ loadRunSettings }, { resolveHome }, { nameServer }] = await Promise.all([
    import('./run-settings.ts'),
    import('../durable/home.ts'),
    import('./server-name.ts'),
  ])
  return loadRunSettings(path, {
    homeDir: resolveHome({ flag: home, env: process.env }),
    nameServer: (configured) => server ?? configured ?? nameServer(command, args),
  })
}

/** Whatever goes wrong in us, the server does not outlive us, and no value is printed. */
function guard(child: Child): Guardian | undefined {
  const { pid } = child.process
  // Nobody may be reading our diagnostics; that is no reason to stop.
  process.stderr.on('error', () => undefined)
  process.on('uncaughtException', (error) => {
    const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1] ?? 'unknown'
    diagnose('AFD_DEFECT', `defect: ${error.name} at ${place}`)
    if (pid !== undefined) child.process.kill('SIGKILL')
    process.exit(defectExitCode)
  })
  if (pid === undefined) return undefined
  return startGuardian(pid, () =>
    diagnose('AFD_NO_GUARDIAN', 'no /bin/sh: should this process be killed, the server only sees its stdin closed'),
  )
}
