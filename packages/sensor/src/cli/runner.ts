import { existsSync, realpathSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { WrapWords } from '../install/wrap.ts'
import { namesAffidavit } from '../install/wrapped.ts'
import { UsageError } from './usage-error.ts'

/** The words that start this program from a client: the first one is what the client starts. */
export type Runner = readonly [string, ...string[]]

export interface RunnerSource {
  /** `--command`, as typed. */
  given: string | undefined
  node: string
  script: string | undefined
  path: string
}

/**
 * How clients start affidavit. Clients with windows see neither nvm's PATH nor the shell's, so both Node and the script are
 * absolute paths, and such that an update of either leaves standing. Throws UsageError `AFD_NOT_INSTALLED`.
 */
export function findRunner({ given, node, script, path }: RunnerSource): Runner {
  if (given !== undefined) return checkGiven(splitWords(given))
  if (script === undefined)
    throw new UsageError('AFD_NOT_INSTALLED', 'affidavit does not know its own path', giveCommand)
  return [stableNode(node, path), stableScript(resolve(script))]
}

const giveCommand = "Say how to start it: --command '/path/to/node /path/to/affidavit'."

function checkGiven([program, ...args]: readonly string[]): Runner {
  if (program === undefined) throw new UsageError('AFD_USAGE', '--command is empty', giveCommand)
  if (isAbsolute(program) && !existsSync(program))
    throw new UsageError('AFD_USAGE', 'the program that --command names does not exist', giveCommand)
  // What is written is found again by this name, by uninstall and doctor.
  if (![program, ...args].some(namesAffidavit))
    throw new UsageError('AFD_USAGE', '--command does not name affidavit', giveCommand)
  return [program, ...args]
}

/** Words between blanks; quotes of either kind keep blanks together. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Folders that belong to one version of Node, and vanish with it. */
const versioned = /[\\/](?:Cellar|versions?|fnm_multishells|node_modules)[\\/]/

/** Node tells the file behind all links, which a package manager replaces; a link to the same file outlives that. */
function stableNode(node: string, path: string): string {
  if (!versioned.test(node)) return node
  const folders = [...path.split(delimiter), '/opt/homebrew/bin', '/usr/local/bin', '/usr/bin']
  const links = folders
    .filter((folder) => isAbsolute(folder) && !versioned.test(`${folder}/`))
    .map((folder) => join(folder, 'node'))
  return links.find((link) => existsSync(link) && realpathSync(link) === realpathSync(node)) ?? node
}

/** Caches of commands that run a package without installing it. */
const passing = /[\\/](?:_npx|dlx(?:-[^\\/]*)?|bunx-[^\\/]*)[\\/]/

function stableScript(script: string): string {
  const path = script.includes('fnm_multishells') ? realpathSync(script) : script
  if (!passing.test(path) && !passing.test(realpathSync(path))) return path
  throw new UsageError(
    'AFD_NOT_INSTALLED',
    'affidavit runs from a cache that may be emptied at any time, and clients would lose their servers with it',
    "Install it ('npm install -g affidavit') and try again, or give --command 'npx -y affidavit'.",
  )
}

/** What goes in front of a server's command. */
export function wordsFor(
  runner: Runner,
  options: { home: string | undefined; shim: readonly string[] },
  server: string,
): WrapWords {
  const [program, ...args] = runner
  const home = options.home === undefined ? [] : ['--home', options.home]
  // A name that is empty or ends the options would be taken for something else.
  const name = server === '--' ? ['--server=--'] : ['--server', server === '' ? 'server' : server]
  return { program, before: [...args, 'run', ...collectorFor(runner), ...home, ...name, '--'], shim: options.shim }
}

/** The sensor alone has no collector to start, and says so instead of running a server, unless it is told that none is wanted. */
function collectorFor(runner: Runner): string[] {
  const isSensor = runner.some((word) =>
    /(?:^|[\\/])(?:affidavit-sensor(?:$|[.@])|@affidavit[\\/]sensor(?:$|[@\\/]))/.test(word),
  )
  return isSensor ? ['--collector', 'none'] : []
}
