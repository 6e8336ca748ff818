import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Client, clients } from '../install/locations.ts'
import { suggestOption } from './near-word.ts'
import { UsageError } from './usage-error.ts'

/** What `install`, `uninstall` and `doctor` were asked for. */
export interface InstallArguments {
  clients: Client[]
  servers: string[]
  /** Absolute. */
  project?: string
  home?: string
  command?: string
  dryRun: boolean
  yes: boolean
  json: boolean
  probe: boolean
  plan: boolean
}

const known = {
  client: { type: 'string', multiple: true },
  server: { type: 'string', multiple: true },
  project: { type: 'string' },
  home: { type: 'string' },
  command: { type: 'string' },
  'dry-run': { type: 'boolean', short: 'n' },
  yes: { type: 'boolean', short: 'y' },
  json: { type: 'boolean' },
  probe: { type: 'boolean' },
  plan: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const
type OptionName = keyof typeof known

const shared: readonly OptionName[] = ['client', 'server', 'project', 'home', 'json', 'help']
const own = {
  install: ['command', 'dry-run', 'yes', 'probe'],
  uninstall: ['dry-run', 'yes'],
  doctor: ['plan'],
} as const
export type InstallVerb = keyof typeof own

/** `folder` is what a relative `--project` starts from. Throws UsageError `AFD_USAGE`. */
export function parseInstallArguments(
  verb: InstallVerb,
  argv: readonly string[],
  folder: string,
): InstallArguments | 'help' {
  const values = parseStrictly(verb, argv)
  if (values.help === true) return 'help'
  const project = values.project === undefined ? undefined : parseProject(verb, resolve(folder, values.project))
  return {
    clients: (values.client ?? []).map((name) => toClient(verb, name)),
    servers: values.server ?? [],
    ...(project === undefined ? {} : { project }),
    ...(values.home === undefined ? {} : { home: values.home }),
    ...(values.command === undefined ? {} : { command: values.command }),
    dryRun: values['dry-run'] === true,
    yes: values.yes === true,
    json: values.json === true,
    probe: values.probe === true,
    plan: values.plan === true,
  }
}

const tryHelp = (verb: InstallVerb) => `Try 'affidavit ${verb} --help'.`

function parseStrictly(verb: InstallVerb, argv: readonly string[]) {
  try {
    const { values, tokens } = parseArgs({ args: [...argv], options: known, strict: true, tokens: true })
    const allowed: readonly string[] = [...shared, ...own[verb]]
    const foreign = tokens.find((token) => token.kind === 'option' && !allowed.includes(token.name))
    if (foreign?.kind === 'option')
      throw new UsageError('AFD_USAGE', `${verb} knows no option '--${foreign.name}'`, tryHelp(verb))
    return values
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // Node's message repeats what was typed, which may hold anything: of it only the name of an option is.
    const name = /'(?:-\w, )?(--?[a-z]+(?:-[a-z]+)*)[ ']/.exec(error.message)?.[1]
    const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
    const mistake =
      name === undefined
        ? 'takes nothing but options'
        : isUnknown
          ? `knows no option '${name}'`
          : `cannot take '${name}' like this`
    const near = isUnknown && name !== undefined ? suggestOption(name, [...shared, ...own[verb]]) : ''
    throw new UsageError('AFD_USAGE', `${verb} ${mistake}`, near + tryHelp(verb))
  }
}

function toClient(verb: InstallVerb, name: string): Client {
  const client = clients.find((each) => each === name.toLowerCase())
  if (client !== undefined) return client
  throw new UsageError(
    'AFD_USAGE',
    `--client takes one of ${clients.join(', ')}, and was given something else`,
    tryHelp(verb),
  )
}

function parseProject(verb: InstallVerb, path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
  throw new UsageError('AFD_USAGE', '--project names no folder', tryHelp(verb))
}
