/**
 * Dispatches a command. Nothing of weight is imported before the command is known: `run` starts the server it wraps with
 * the sensor's own code at once, and every other command loads what it needs.
 */
import type { Command } from './command.ts'

interface CommandEntry {
  load(): Promise<Command>
  /** As the list of commands has it, where that is more than one word. */
  label?: string
  /** Left out of the list of commands. */
  isHidden?: true
  /** Ends with its stdin, because whoever started it holds the other end. */
  endsWithStdin?: true
  /** Told twice to end, it still ends in order, because processes of its own would be left behind. */
  endsInOrder?: true
}

/** One line per command; its file has the rest. */
const commands: Readonly<Record<string, CommandEntry>> = {
  query: { load: async () => (await import('./query.ts')).query },
  show: { load: async () => (await import('./show.ts')).show },
  trace: { load: async () => (await import('./trace.ts')).trace },
  credential: { load: async () => (await import('./credential.ts')).credential },
  tail: { load: async () => (await import('./tail.ts')).tail },
  tools: { load: async () => (await import('./tools.ts')).tools },
  catalog: { load: async () => (await import('./catalog.ts')).catalog, label: 'catalog suggest' },
  'policy replay': { load: async () => (await import('./policy-replay.ts')).policyReplay },
  verify: { load: async () => (await import('./verify.ts')).verify },
  proof: { load: async () => (await import('./proof.ts')).proof },
  status: { load: async () => (await import('./status.ts')).status },
  index: { load: async () => (await import('./index-rebuild.ts')).indexRebuild, label: 'index rebuild' },
  up: { load: async () => (await import('./up.ts')).up, endsInOrder: true },
  collector: { load: async () => (await import('./collector.ts')).collector },
  version: { load: async () => (await import('./version.ts')).version },
  follow: { load: async () => (await import('./follow.ts')).follow, isHidden: true, endsWithStdin: true },
}

/** The sensor's commands, which read their arguments themselves. */
const sensorVerbs: Readonly<Record<string, { summary: string; start(argv: readonly string[]): Promise<number> }>> = {
  run: { summary: 'Runs an MCP server on stdio and records every exchange, before it goes on.', start: runServer },
  gateway: {
    summary: 'Serves MCP servers over HTTP and records every exchange, before it goes on.',
    start: serveGateway,
  },
  policy: {
    summary: 'Tests policies against expectations, before they are in force.',
    start: async (argv) => (await import('@affidavit/sensor/cli/policy')).policy(argv),
  },
  approve: {
    summary: 'Lets a call go on that policy refused for want of an approval.',
    start: async (argv) => (await import('@affidavit/sensor/cli/approve')).approve(argv),
  },
  install: {
    summary: 'Puts affidavit in front of the MCP servers of Claude, Cursor and VS Code.',
    start: async (argv) => (await import('@affidavit/sensor/cli/install')).install(argv),
  },
  uninstall: {
    summary: 'Takes affidavit out of their configuration again, to the byte.',
    start: async (argv) => (await import('@affidavit/sensor/cli/uninstall')).uninstall(argv),
  },
  doctor: {
    summary: 'Lists the servers on this machine that are not recorded, and why.',
    start: async (argv) => (await import('@affidavit/sensor/cli/doctor')).doctor(argv),
  },
}

async function runServer(argv: readonly string[]): Promise<number> {
  const { run } = await import('@affidavit/sensor/cli/run')
  const binary = process.argv[1]
  return run(argv, binary === undefined ? {} : { startCollector: [process.execPath, binary, 'collector'] })
}

async function serveGateway(argv: readonly string[]): Promise<number> {
  const { gateway } = await import('@affidavit/sensor/cli/gateway')
  const binary = process.argv[1]
  return gateway(argv, binary === undefined ? {} : { startCollector: [process.execPath, binary, 'collector'] })
}

/** `policy` is the sensor's, but for the one word of it that reads the log. */
async function dispatch(words: readonly string[]): Promise<number> {
  const [name, ...argv] = words[0] === 'policy' && words[1] === 'replay' ? ['policy replay', ...words.slice(2)] : words
  const verb = Object.hasOwn(sensorVerbs, name ?? '') ? sensorVerbs[name ?? ''] : undefined
  if (verb !== undefined) return verb.start(argv)
  const key = name === '--version' ? 'version' : (name ?? '')
  const entry = Object.hasOwn(commands, key) ? commands[key] : undefined
  if (entry === undefined) return explain(name)
  const [command, { execute }, { openTerminal }] = await Promise.all([
    entry.load(),
    import('./command.ts'),
    import('@affidavit/sensor/cli/terminal'),
  ])
  const stdout = openTerminal(process.stdout, process.env)
  const ended = new AbortController()
  const listen = entry.endsInOrder === true ? 'on' : 'once'
  for (const name of ['SIGINT', 'SIGTERM'] as const) process[listen](name, () => ended.abort())
  if (entry.endsWithStdin === true) process.stdin.once('close', () => ended.abort()).resume()
  const signal = AbortSignal.any([ended.signal, stdout.gone])
  const stderr = openTerminal(process.stderr, process.env)
  return execute(command, argv, { env: process.env, stdout, stderr, now: Date.now, signal })
}

/** The list of commands: on stdout where it was asked for, else what was wrong and exit code 2. */
async function explain(name: string | undefined): Promise<number> {
  const shown = Object.entries(commands).filter(([, { isHidden }]) => isHidden !== true)
  const asked = name === undefined || name === 'help' || name === '--help' || name === '-h'
  if (!asked) {
    const { suggestNear } = await import('@affidavit/sensor/cli/near-word')
    const known = [...Object.keys(sensorVerbs), ...shown.map(([key]) => key), 'help', '--help', '--version']
    const near = suggestNear(name, known)
    process.stderr.write(`affidavit: there is no command '${name}'. ${near}Try 'affidavit --help'. [AFD_USAGE]\n`)
    return 2
  }
  const lines = await Promise.all(
    shown.map(async ([key, { load, label }]) => formatEntry(label ?? key, (await load()).spec.summary)),
  )
  const help = [
    'An evidence-grade audit trail for the Model Context Protocol.',
    '',
    'Usage: affidavit COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...Object.entries(sensorVerbs).map(([key, { summary }]) => formatEntry(key, summary)),
    ...lines,
    '',
    "Each command explains itself: 'affidavit COMMAND --help'. Home folder: --home, else AFFIDAVIT_HOME, else the XDG data folder.",
    '',
  ]
  process.stdout.write(help.join('\n'))
  return name === undefined ? 2 : 0
}

function formatEntry(label: string, summary: string): string {
  return `  ${label.padEnd(15)}  ${summary}`
}

// Should the event loop run dry before there is an answer, that is a defect and not success.
process.exitCode = 70
// Whatever still holds the event loop (a pipe, a timer) must not keep whoever waits for us.
process.exit(await dispatch(process.argv.slice(2)))
