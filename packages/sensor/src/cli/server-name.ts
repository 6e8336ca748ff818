/**
 * The name of a server that was given none. A command line holds secrets in many places (`env TOKEN=… node`, `bash -c …`,
 * `--token …`, URLs), so nothing is taken from it but what must be a package, a script, a module or a program by its
 * place, and looks like one. Where that is not certain the program names the server.
 */

/** What may come before the argument that names the server. */
interface CommandLine {
  /** Options whose value is the next argument. */
  valued: ReadonlySet<string>
  /** Options without a value. */
  plain: RegExp
  /** Words before it that say what to do with it. */
  subcommands: ReadonlySet<string>
  /** Options after which comes no name, but a program text and its arguments. */
  text: RegExp
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

const runner: CommandLine = {
  valued: words(
    `-p --package --from --with --with-editable --with-requirements --spec --python --directory --project -C --prefix
    --cwd --dir --registry --cache --cache-dir --userconfig --loglevel --index --default-index --index-url
    --extra-index-url --env-file --config-file --filter --workspace -w`,
  ),
  plain:
    /^(?:-[ygqsbU]|--(?:yes|quiet|silent|offline|prefer-(?:on|off)line|no-[a-z-]+|bun|isolated|upgrade|refresh|verbose|locked|frozen))$/,
  subcommands: words('exec dlx run x tool'),
  text: /^(?:-c|--call|--shell-mode)/,
}
const interpreter: CommandLine = {
  valued: words(
    `-r --require --import --loader --experimental-loader --env-file --env-file-if-exists -C --conditions --title
    --inspect-port --tsconfig -W -X -o`,
  ),
  plain: /^(?:-[uABOl]|--(?:no|enable|allow|trace|harmony|watch)(?:-[a-z-]+)?|--(?:experimental|disable)-[a-z-]+)$/,
  subcommands: words('run'),
  // Also glued and in clusters: -lc, -pe, -cprint(1).
  text: /^-[A-Za-z]*[cep]|^--(?:eval|print)/,
}
const phpInterpreter: CommandLine = { ...interpreter, text: /^-[A-Za-z]*[ceprBRE]/ }
const environment: CommandLine = {
  valued: words('-u --unset -C --chdir'),
  plain: /^(?:-|-[i0v]+|--(?:ignore-environment|null|debug))$/,
  subcommands: new Set(),
  text: /^(?:-S|--split-string)/,
}

const runners = words('npx bunx uvx pnpx npm pnpm yarn uv pipx')
const interpreters = /^(?:node(?:js)?|bun|deno|tsx|ts-node|python[\d.]*|ruby|php[\d.]*|(?:ba|z|da|k)?sh)$/
/** Folders and files that say nothing about what is in them. */
const generic = words('index main server cli start app dist build src bin lib out')
const scriptEnding = /\.(?:[cm]?[jt]s|py|rb|php|sh|exe|cmd|bat)$/i
const namePattern = /^(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const fallbackName = 'server'
const nestedMax = 4

/** A package, a script, a module or a program; never empty. Ours to redact still: a file may be called anything. */
export function nameServer(command: string, args: readonly string[]): string {
  return nameCommand(command, args, 0) ?? nameProgram(command)
}

/** The program of a command without its folder, where that looks like one; else `server`. */
export function nameProgram(command: string): string {
  return acceptName(lastPart(command)) ?? fallbackName
}

function nameCommand(command: string, args: readonly string[], depth: number): string | undefined {
  const program = lastPart(command).replace(scriptEnding, '')
  if (program === 'env') return nameInEnvironment(args, depth)
  const isRunner = runners.has(program)
  if (!isRunner && !interpreters.test(program)) return acceptName(program)
  const line = isRunner ? runner : program.startsWith('php') ? phpInterpreter : interpreter
  const found = findNamed(args, line)
  if (found === undefined) return moduleName(program, args)
  const [named, isCertain] = [args[found.at] ?? '', found.isCertain]
  // After an option we do not know stands its value or the name; a script shows by its ending.
  if (!isCertain) return isRunner || !scriptEnding.test(named) ? undefined : nameOf(named)
  const isCommand = isRunner && depth < nestedMax && interpreters.test(lastPart(named))
  return isCommand ? nameCommand(named, args.slice(found.at + 1), depth + 1) : nameOf(named)
}

/** `env -u X A=1 B=2 PROGRAM ARGS…`: what it runs. */
function nameInEnvironment(args: readonly string[], depth: number): string | undefined {
  const found = findNamed(args, environment)
  if (found?.isCertain !== true || depth >= nestedMax) return undefined
  const at = args.findIndex((argument, i) => i >= found.at && !argument.includes('='))
  const command = args[at]
  return command === undefined
    ? undefined
    : (nameCommand(command, args.slice(at + 1), depth + 1) ?? nameProgram(command))
}

/** Where the first argument stands that is neither option nor value nor subcommand, as far as can be told. */
function findNamed(args: readonly string[], line: CommandLine): { at: number; isCertain: boolean } | undefined {
  let isCertain = true
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? ''
    if (argument === '--') return at + 1 < args.length ? { at: at + 1, isCertain: true } : undefined
    if (line.text.test(argument) || argument === '-m') return undefined
    if (line.valued.has(argument)) at++
    else if (line.subcommands.has(argument) && isCertain) continue
    else if (!argument.startsWith('-')) return { at, isCertain }
    else isCertain &&= line.plain.test(argument) || /^--[^=]+=/.test(argument)
  }
  return undefined
}

/** `python -m module`, with nothing before it but options that take no value. */
function moduleName(program: string, args: readonly string[]): string | undefined {
  const at = args.indexOf('-m')
  const isModule = program.startsWith('python') && at >= 0
  return isModule && args.slice(0, at).every((argument) => interpreter.plain.test(argument))
    ? acceptName(args[at + 1] ?? '')
    : undefined
}

/** URLs never name a server: they hold credentials in too many places. */
function nameOf(text: string): string | undefined {
  const target = text.replace(/^(?:npm|jsr):/, '')
  if (target.includes(':') && !/^[A-Za-z]:[\\/]/.test(target)) return undefined
  const isPath = /[\\/]/.test(target) && !target.startsWith('@')
  return isPath ? scriptName(target) : acceptName(withoutVersion(target).replace(scriptEnding, ''))
}

/** `@scope/name@1.2.3`, `name@latest` and `name[extra]==1.0` without what follows the name. */
function withoutVersion(text: string): string {
  const at = text.slice(1).search(/[@[=<>~!]/)
  return at < 0 ? text : text.slice(0, at + 1)
}

function scriptName(path: string): string | undefined {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..')
  const modules = parts.lastIndexOf('node_modules')
  const [first, second] = modules < 0 ? [] : parts.slice(modules + 1)
  if (first?.startsWith('@') === true && second !== undefined) return acceptName(`${first}/${second}`)
  const stems = parts.map((part) => part.replace(scriptEnding, ''))
  return acceptName(first ?? stems.findLast((stem) => !generic.has(stem)) ?? stems.at(-1) ?? '')
}

function acceptName(text: string): string | undefined {
  const name = text.replace(scriptEnding, '')
  return namePattern.test(name) ? name : undefined
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path
}
