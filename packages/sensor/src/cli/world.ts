import { homedir } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { formatDiagnostic } from './diagnostics.ts'
import { reportUsage } from './report-usage.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** What commands that a person types see of the world: nothing else of them reads environment, clock or standard streams. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  /** The user's folder. */
  userFolder: string
  folder: string
  platform: NodeJS.Platform
  stdout: Terminal
  stderr: Terminal
  /** Asks the person at the terminal; the empty text where there was no answer. Undefined where nobody is there. */
  ask: ((question: string) => Promise<string>) | undefined
}

export const exitCodes = { done: 0, negative: 1, impossible: 2 } as const

/** Runs a command to its exit code. What it cannot do is one line on stderr and exit code 2, never a stack. */
export async function runInWorld(work: (world: World) => Promise<number>): Promise<number> {
  const world = openWorld()
  try {
    return await work(world)
  } catch (error) {
    if (error instanceof UsageError) return reportUsage(error)
    await world.stderr.write(await formatFailure(error))
    return exitCodes.impossible
  }
}

function openWorld(): World {
  const isAttended = process.stdin.isTTY === true && process.stdout.isTTY === true
  return {
    env: process.env,
    userFolder: homedir(),
    folder: process.cwd(),
    platform: process.platform,
    stdout: openTerminal(process.stdout, process.env),
    stderr: openTerminal(process.stderr, process.env),
    ask: isAttended ? askPerson : undefined,
  }
}

async function askPerson(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C and Ctrl-D end the reader without an answer.
  const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')))
  const answer = await Promise.race([reader.question(question), closed])
  reader.close()
  return answer
}

/** What the system refused, or what another layer says with a code of its own. Paths may hold anything: secrets are taken out. */
async function formatFailure(error: unknown): Promise<string> {
  const { redactSentence } = await import('./redact-words.ts')
  if (error instanceof Error && 'syscall' in error && 'code' in error) {
    const path = 'path' in error ? ` of ${String(error.path)}` : ''
    const problem = `the system refused ${String(error.syscall)}${path} (${String(error.code)})`
    return formatDiagnostic('AFD_SYSTEM_REFUSED', `${redactSentence(problem)}. Check owner and mode of the path`)
  }
  if (error instanceof Error && 'code' in error && !String(error.code).startsWith('ERR_'))
    return formatDiagnostic(
      `AFD_${String(error.code).toUpperCase().replace(/^AFD_/, '')}`,
      redactSentence(error.message),
    )
  return formatDefect(error)
}

/** The message of an unexpected error may hold what a file held; its name and place do not. */
function formatDefect(error: unknown): string {
  const place = error instanceof Error ? (/\n\s+at (.*)/.exec(error.stack ?? '')?.[1] ?? 'unknown') : 'unknown'
  const name = error instanceof Error ? error.name : typeof error
  return formatDiagnostic('AFD_DEFECT', `defect: ${name} at ${place}; please report it`)
}
