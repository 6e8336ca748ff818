import { readdir, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { findWrapped } from './wrapped.ts'

/**
 * Processes that look like MCP servers and have no `affidavit run` above them. A guess from command lines: a server whose
 * command line does not speak of MCP is not found, and one behind the gateway is found although it is covered.
 */

export interface ProcessFacts {
  pid: number
  parent: number
  /** The command line. It may hold secrets. */
  words: readonly string[]
}

/** Programs that servers are started with; any other program has to speak of MCP itself. */
const starters =
  /^(?:node|nodejs|bun|deno|tsx|ts-node|npx|npm|pnpm|uv|uvx|pipx|python[\d.]*|ruby|php|java|dotnet|go|docker|podman)(?:\.exe)?$/i
const speaksOfMcp = /(?:^|[@/\\._-])mcp(?:[./\\@:_-]|$)|modelcontextprotocol/i
/** A file that is edited or shown is no server. */
const otherFile = /\.(?:json|jsonc|md|txt|log|ya?ml|toml)$/i
const wordsJudged = 5

export function findUncovered(processes: readonly ProcessFacts[]): ProcessFacts[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]))
  const found = new Set(processes.filter((process) => looksLikeServer(process.words) && !isUnderRun(process, byPid)))
  // npx starts a shell, which starts the server: the first of them stands for all.
  return [...found].filter((process) => !ancestorsOf(process, byPid).some((ancestor) => found.has(ancestor)))
}

function looksLikeServer(words: readonly string[]): boolean {
  const [program = '', ...args] = words
  const name = basename(program)
  if (speaksOfMcp.test(name)) return !otherFile.test(name)
  if (!starters.test(name)) return false
  return args
    .slice(0, wordsJudged)
    .some((word) => speaksOfMcp.test(word) && !otherFile.test(word) && !word.includes('='))
}

function isUnderRun(process: ProcessFacts, byPid: ReadonlyMap<number, ProcessFacts>): boolean {
  return [process, ...ancestorsOf(process, byPid)].some(({ words }) => findWrapped(words) !== undefined)
}

function ancestorsOf(process: ProcessFacts, byPid: ReadonlyMap<number, ProcessFacts>): ProcessFacts[] {
  const ancestors: ProcessFacts[] = []
  for (let next = byPid.get(process.parent); next !== undefined; next = byPid.get(next.parent)) {
    // Pids are read one after the other: a reused one could close a circle.
    if (ancestors.includes(next)) break
    ancestors.push(next)
  }
  return ancestors
}

/** This user's processes, from /proc. Empty where there is none, as on everything but Linux. */
export async function readProcesses(uid: number): Promise<ProcessFacts[]> {
  const pids = (await readdir('/proc').catch(noEntries)).filter((name) => /^\d+$/.test(name)).map(Number)
  const read = await Promise.all(pids.map((pid) => readProcess(pid, uid)))
  return read.filter((process) => process !== undefined)
}

function noEntries(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

async function readProcess(pid: number, uid: number): Promise<ProcessFacts | undefined> {
  try {
    const { uid: owner } = await stat(`/proc/${pid}`)
    if (owner !== uid) return undefined
    const [line, status] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'latin1'),
    ])
    // Behind the name in parentheses, which may hold anything: state, parent.
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])
    return { pid, parent, words: splitLine(line) }
  } catch (error) {
    // It ended meanwhile, or is hidden from us.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** Words end in NUL. npm writes its title over them, as one word with blanks. */
function splitLine(line: string): string[] {
  const words = line.replace(/\0+$/, '').split('\0')
  return words.length === 1 ? (words[0] ?? '').split(' ') : words
}
