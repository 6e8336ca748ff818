import { parseArgs } from 'node:util'
import { suggestOption } from './near-word.ts'
import { isOptionWord } from './run-options.ts'
import { UsageError } from './usage-error.ts'

export interface GatewayArguments {
  config: string | undefined
  home: string | undefined
  collector: string | undefined
  isCheck: boolean
  /** Whoever started it holds the other end of its stdin, and it ends with that. Not in the help: `up` alone asks for it. */
  endsWithStdin: boolean
}

/** Those of the help. */
const shown = ['config', 'home', 'collector', 'check', 'help']
const tryHelp = "Try 'affidavit gateway --help'."

/** `help` where it was asked for. Throws UsageError `AFD_USAGE`. */
export function parseGatewayArguments(argv: readonly string[]): GatewayArguments | 'help' {
  const text = { type: 'string' } as const
  const options = {
    config: text,
    home: text,
    collector: text,
    check: { type: 'boolean' },
    'ends-with-stdin': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false })
    if (values.help === true) return 'help'
    const { config, home, collector } = values
    for (const [name, value] of Object.entries({ config, home, collector }))
      if (value === '') throw new UsageError('AFD_USAGE', `--${name} is empty`, tryHelp)
    const endsWithStdin = values['ends-with-stdin'] === true
    return { config, home, collector, isCheck: values.check === true, endsWithStdin }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const unknown = argv.map((word) => word.split('=', 1)[0] ?? '').find((word) => isUnknown(word, options))
    const near = unknown === undefined ? '' : suggestOption(unknown, shown)
    throw new UsageError('AFD_USAGE', sayProblem(code, unknown), near + tryHelp)
  }
}

function isUnknown(word: string, options: object): boolean {
  return word.startsWith('-') && word !== '-h' && !Object.hasOwn(options, word.replace(/^--/, ''))
}

/** Node's message repeats what was typed, which may hold anything: only a name is repeated. */
function sayProblem(code: string, unknown: string | undefined): string {
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
    return unknown !== undefined && isOptionWord(unknown)
      ? `gateway knows no option '${unknown}'`
      : 'gateway does not know one of the options'
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
    return 'gateway takes options only; the configuration is named by --config FILE'
  return 'an option of gateway has no value, or one that it does not take'
}

/** A whole file, as docs/GATEWAY.md has it too. */
export const smallestConfig = `listen: 127.0.0.1:7332
upstreams:
  everything:
    url: http://127.0.0.1:3001/mcp`

export const gatewayHelp = `Usage: affidavit gateway [options]

Serves MCP servers behind it over Streamable HTTP and records every exchange before it goes on.

Options:
  --config FILE      YAML (default: affidavit.yaml in the home folder)
  --check            only read the configuration, and say what is wrong with it
  --home DIR         home folder (default: $AFFIDAVIT_HOME, else the XDG data folder)
  --collector WHERE  none: records stay in the spool until a collector runs here
  -h, --help         show this help

The smallest configuration:

${smallestConfig.replaceAll(/^/gm, '  ')}

serves http://127.0.0.1:7332/mcp/everything, and /healthz, /readyz and /metrics. SIGHUP, or a change of the file, reads the
configuration again; SIGTERM lets calls in flight finish (drainMs, 10 s) and records those that do not as cut.

Examples:
  affidavit gateway --config affidavit.yaml
      run with a configuration
  affidavit gateway --check --config affidavit.yaml
      exit 0 where the file is good, else 2 with line, key and remedy
`
