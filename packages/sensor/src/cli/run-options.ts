import type { CaptureLevel, Effect } from '@affidavit/evidence/record/kinds'
import { suggestOption } from './near-word.ts'
import { UsageError } from './usage-error.ts'

/** What `run` was asked for on its command line. Reads argv only, and imports nothing that takes time. */
export interface RunOptions {
  command: string
  args: string[]
  server?: string
  config?: string
  home?: string
  collector?: string
  level?: CaptureLevel
  failOpen?: Effect[]
}

export const levels: readonly CaptureLevel[] = ['metadata', 'arguments', 'full']
export const effects: readonly Effect[] = ['write', 'read', 'unknown']
const valued = ['server', 'config', 'home', 'collector', 'level', 'fail-open'] as const
type OptionName = (typeof valued)[number]
const tryHelp = "Try 'affidavit run --help'."

const isOptionName = (name: string): name is OptionName => valued.some((known) => known === name)
const isLevel = (text: string): text is CaptureLevel => levels.some((level) => level === text)
const isEffect = (text: string): text is Effect => effects.some((effect) => effect === text)

/** `help` where it was asked for before the command. Throws UsageError `AFD_USAGE`. */
export function parseRunArguments(argv: readonly string[]): RunOptions | 'help' {
  const given = new Map<OptionName, string>()
  let at = 0
  for (; at < argv.length; at++) {
    const argument = argv[at] ?? ''
    if (argument === '--help' || argument === '-h') return 'help'
    if (argument === '--') {
      at++
      break
    }
    if (!argument.startsWith('-')) break
    const [name, inline] = splitOption(argument)
    given.set(name, inline ?? valueGiven(argv[++at], name))
  }
  const [command, ...args] = argv.slice(at)
  if (command === undefined || command === '')
    throw new UsageError('AFD_USAGE', 'run needs the command of an MCP server after --', tryHelp)
  return { command, args, ...toOptions(given) }
}

function splitOption(argument: string): [OptionName, string | undefined] {
  const equals = argument.indexOf('=')
  const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals)
  if (!argument.startsWith('--') || !isOptionName(name))
    throw unknownOption(equals < 0 ? argument : argument.slice(0, equals))
  return [name, equals < 0 ? undefined : argument.slice(equals + 1)]
}

/** Whether it is an option's name and nothing else. */
export function isOptionWord(word: string): boolean {
  return /^(?:-[A-Za-z]|--[a-z]+(?:-[a-z]+)*)$/.test(word)
}

/** A value may be glued to its option or stand in its place, and messages are kept in log files: only a name is repeated. */
function unknownOption(option: string): UsageError {
  const problem = isOptionWord(option)
    ? `run knows no option '${option}'`
    : 'run does not know one of the options before the command'
  return new UsageError('AFD_USAGE', problem, suggestOption(option, [...valued, 'help']) + tryHelp)
}

function valueGiven(next: string | undefined, name: OptionName): string {
  if (next === undefined || next === '--') throw new UsageError('AFD_USAGE', `--${name} needs a value`, tryHelp)
  return next
}

function toOptions(given: Map<OptionName, string>): Omit<RunOptions, 'command' | 'args'> {
  const options: Omit<RunOptions, 'command' | 'args'> = {}
  for (const name of ['server', 'config', 'home', 'collector'] as const) {
    const value = given.get(name)
    if (value === '') throw new UsageError('AFD_USAGE', `--${name} is empty`, tryHelp)
    if (value !== undefined) options[name] = value
  }
  const level = given.get('level')
  if (level !== undefined) options.level = toLevel(level)
  const failOpen = given.get('fail-open')
  if (failOpen !== undefined) options.failOpen = toEffects(failOpen)
  return options
}

function toLevel(text: string): CaptureLevel {
  if (isLevel(text)) return text
  throw new UsageError('AFD_USAGE', `--level takes one of ${levels.join(', ')}, and was given something else`, tryHelp)
}

function toEffects(text: string): Effect[] {
  return text.split(',').map((part) => {
    if (isEffect(part)) return part
    throw new UsageError(
      'AFD_USAGE',
      `--fail-open takes a list of ${effects.join(', ')}, and was given something else`,
      tryHelp,
    )
  })
}

export const runHelp = `Usage: affidavit run [options] -- COMMAND ARGS…

Runs an MCP server on stdio and records every exchange before it goes on.

Options:
  --server NAME      name of the server in the records (default: from its command)
  --config FILE      YAML with server, level, failOpen, catalogue,
                     redact.patterns, policy, limits, identity, environment,
                     posture
  --home DIR         home folder (default: $AFFIDAVIT_HOME, else the XDG data folder)
  --level LEVEL      metadata, arguments (default) or full
  --fail-open LIST   of write, read, unknown: effect classes whose calls pass
                     unrecorded, under a recorded gap, when they cannot be recorded
  --collector WHERE  none: records stay in the spool until a collector runs here
  -h, --help         show this help

Examples:
  affidavit run -- npx -y @modelcontextprotocol/server-filesystem ~/notes
      wrap a server as a client's configuration would start it
  affidavit run --server crm --level full -- python -m crm_server
      name the server, keep redacted results too
  affidavit run --fail-open read,unknown -- ./server
      prefer availability: a full disk no longer stops calls, and is recorded

The exit code is the server's, or 128 + the signal that ended it; 126 and 127 where it cannot be started; 2 for a mistake
in the arguments. Variables AFFIDAVIT_* are addressed to this program and not passed on to the server.
`
