import { formatDiagnostic } from './diagnostics.ts'
import { gateway } from './gateway.ts'
import { run } from './run.ts'

const help = `Usage: affidavit-sensor COMMAND

  run        run an MCP server on stdio and record every exchange
  gateway    serve MCP servers over HTTP and record every exchange
  install    put it in front of the MCP servers of Claude, Cursor and VS Code
  uninstall  take it out of their configuration again
  doctor     list the servers on this machine that are not recorded, and why
  version    print the version

Try 'affidavit-sensor run --help'. The trail is read with 'affidavit' (package affidavit).
`

async function main([command, ...argv]: readonly string[]): Promise<number> {
  if (command === 'run') return run(argv)
  if (command === 'gateway') return gateway(argv)
  if (command === 'install') return (await import('./install.ts')).install(argv)
  if (command === 'uninstall') return (await import('./uninstall.ts')).uninstall(argv)
  if (command === 'doctor') return (await import('./doctor.ts')).doctor(argv)
  if (command === 'version' || command === '--version') {
    const { readVersion } = await import('../identity/version.ts')
    process.stdout.write(`${readVersion()}\n`)
    return 0
  }
  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    process.stdout.write(help)
    return command === undefined ? 2 : 0
  }
  // Not repeated: it may be anything, and stderr ends up in log files.
  process.stderr.write(formatDiagnostic('AFD_USAGE', "there is no such command. Try 'affidavit-sensor --help'"))
  return 2
}

process.exit(await main(process.argv.slice(2)))
