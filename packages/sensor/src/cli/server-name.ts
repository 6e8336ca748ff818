import { clipText } from '@affidavit/evidence/record/text'

/** Programs that run a program: the server is what they are given. */
const interpreters = new Set([
  'node',
  'nodejs',
  'bun',
  'deno',
  'tsx',
  'python',
  'python3',
  'ruby',
  'php',
  'sh',
  'bash',
  'zsh',
])
const runners = new Set(['npx', 'bunx', 'uvx', 'pnpx', 'npm', 'pnpm', 'yarn', 'uv', 'pipx', 'env'])
const subcommands = new Set(['exec', 'dlx', 'run', 'x', 'tool'])
/** Folders and files that say nothing about what is in them. */
const generic = new Set(['index', 'main', 'server', 'cli', 'start', 'app', 'dist', 'build', 'src', 'bin', 'lib', 'out'])
const scriptEnding = /\.(?:[cm]?[jt]s|py|rb|php|sh|exe|cmd|bat)$/i

/** The name of a server that was given none: its package, its script, or its program. Never empty, at most 256 bytes. */
export function nameServer(command: string, args: readonly string[]): string {
  const program = lastPart(command).replace(scriptEnding, '')
  if (runners.has(program)) {
    const named = args.find((argument) => !argument.startsWith('-') && !subcommands.has(argument))
    if (named !== undefined) return clipText(packageOf(named))
  }
  if (interpreters.has(program)) {
    const moduleAt = args.indexOf('-m')
    const named = moduleAt >= 0 ? args[moduleAt + 1] : args.find((argument) => !argument.startsWith('-'))
    if (named !== undefined && named !== '') return clipText(moduleAt >= 0 ? named : scriptOf(named))
  }
  return clipText(program === '' ? 'server' : program)
}

/** `@scope/name@1.2.3` and `name@latest` without the version. */
function packageOf(text: string): string {
  const at = text.indexOf('@', 1)
  return at > 0 ? text.slice(0, at) : text
}

function scriptOf(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..')
  const modules = parts.lastIndexOf('node_modules')
  const [first, second] = modules < 0 ? [] : parts.slice(modules + 1)
  if (first !== undefined) return first.startsWith('@') && second !== undefined ? `${first}/${second}` : first
  const named = parts.map((part) => part.replace(scriptEnding, '')).filter((part) => !generic.has(part))
  return named.at(-1) ?? parts.at(-1)?.replace(scriptEnding, '') ?? 'server'
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
