import { formatDiagnostic } from './diagnostics.ts'
import { gateway } from './gateway.ts'
import { suggestNear } from './near-word.ts'
import { run } from './run.ts'

const help = `Usage: affidavit-sensor COMMAND

  run        run an MCP server on stdio and record every exchange
  gateway    serve MCP servers over HTTP and record every exchange
  policy     test policies against expectations
  approve    let a call go on that policy refused for want of an approval
  install    put it in front of the MCP servers of Claude, Cursor and VS Code
  uninstall  take it out of their configuration again
  doctor     list the servers on this machine that are not recorded, and why
  version    print the version

Try 'affidavit-sensor run --help'. The trail is read with 'affidavit' (package affidavit).
`

const commands: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  run,
  gateway,
  policy: async (argv) => (await import('./policy.ts')).policy(argv),
  approve: async (argv) => (await import('./approve.ts')).approve(argv),
  install: async (argv) => (await import('./install.ts')).install(argv),
  uninstall: async (argv) => (await import('./uninstall.ts')).uninstall(argv),
  doctor: async (argv) => (await import('./doctor.ts')).doctor(argv),
  version: tellVersion,
  '--version': tellVersion,
  help: async () => explain(0),
  '--help': async () => explain(0),
  '-h': async () => explain(0),
}

async function main([name, ...argv]: readonly string[]): Promise<number> {
  if (name === undefined) return explain(2)
  const start = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (start !== undefined) return start(argv)
  // Not repeated: it may be anything, and stderr ends up in log files.
  const near = suggestNear(name, Object.keys(commands))
  process.stderr.write(formatDiagnostic('AFD_USAGE', `there is no such command. ${near}Try 'affidavit-sensor --help'`))
  return 2
}

async function tellVersion(): Promise<number> {
  const { readVersion } = await import('../identity/version.ts')
  process.stdout.write(`${readVersion()}\n`)
  return 0
}

function explain(code: number): number {
  process.stdout.write(help)
  return code
}

process.exit(await main(process.argv.slice(2)))
