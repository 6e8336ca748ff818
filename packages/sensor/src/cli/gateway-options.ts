import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

export interface GatewayArguments {
  config: string | undefined
  home: string | undefined
  collector: string | undefined
  isCheck: boolean
}

const tryHelp = "Try 'affidavit gateway --help'."

/** `help` where it was asked for. Throws UsageError `AFD_USAGE`. */
export function parseGatewayArguments(argv: readonly string[]): GatewayArguments | 'help' {
  const text = { type: 'string' } as const
  const options = {
    config: text,
    home: text,
    collector: text,
    check: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false })
    if (values.help === true) return 'help'
    const { config, home, collector } = values
    for (const [name, value] of Object.entries({ config, home, collector }))
      if (value === '') throw new UsageError('AFD_USAGE', `--${name} is empty`, tryHelp)
    return { config, home, collector, isCheck: values.check === true }
  } catch (error) {
    if (error instanceof UsageError) throw error
    // Node's message repeats what was typed, which may hold anything.
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const problem =
      code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
        ? 'gateway does not know one of the options'
        : 'the arguments of gateway cannot be read'
    throw new UsageError('AFD_USAGE', problem, tryHelp)
  }
}

export const gatewayHelp = `Usage: affidavit gateway [options]

Serves MCP servers behind it over Streamable HTTP and records every exchange before it goes on.

Options:
  --config FILE      YAML (default: affidavit.yaml in the home folder)
  --check            only read the configuration, and say what is wrong with it
  --home DIR         home folder (default: $AFFIDAVIT_HOME, else the XDG data folder)
  --collector WHERE  none: records stay in the spool until a collector runs here
  -h, --help         show this help

The smallest configuration:

  listen: 127.0.0.1:7332
  upstreams:
    everything:
      url: http://127.0.0.1:3001/mcp

serves http://127.0.0.1:7332/mcp/everything, and /healthz, /readyz and /metrics. SIGHUP, or a change of the file, reads the
configuration again; SIGTERM lets calls in flight finish (drainMs, 10 s) and records those that do not as cut.

Examples:
  affidavit gateway --config affidavit.yaml
      run with a configuration
  affidavit gateway --check --config affidavit.yaml
      exit 0 where the file is good, else 2 with line, key and remedy
`
