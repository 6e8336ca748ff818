import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, CommandContext } from './command.ts'
import { exitCodes } from './failure.ts'
import { homeFolder } from './open-home.ts'
import { homeOption } from './options.ts'

/** A process that ended is started again after this long, and twice as long after each further end, up to the longest. */
const restartMs = 1000
const restartLongestMs = 30_000
/** A process that lived this long was well. */
const wellAfterMs = 60_000

const spec = {
  name: 'up',
  summary: 'Runs gateway and collector together for one machine, each in its own process.',
  options: {
    config: { type: 'string', value: 'FILE', text: 'of the gateway (default: affidavit.yaml in the home folder)' },
    ...homeOption,
  },
  examples: [
    { command: 'affidavit up', text: 'Serve what affidavit.yaml in the home folder names, and record it' },
    { command: 'affidavit up --config ./affidavit.yaml --home ./audit', text: 'The same from this folder' },
  ],
  notes: [
    'Ctrl-C or SIGTERM ends both: first the gateway, when calls in flight have finished, then the collector, when it has sequenced them.',
    'A process that ends by itself is started again. A gateway that refuses its configuration ends everything with its exit code.',
  ],
} as const satisfies Command['spec']

export const up: Command = {
  spec,
  run: async (args, context) => {
    const home = homeFolder(args, context.env)
    const config = args.text('config') ?? join(home, 'affidavit.yaml')
    const gateway = ['gateway', '--config', config, '--home', home, '--collector', 'none', '--ends-with-stdin']
    // The gateway says how to begin. A collector beside it would make a home of a folder that may be a typing error.
    if (!existsSync(config)) return runOnce(gateway, context.signal)
    // While a gateway lives it is not idle; without one, and without us, it ends by itself.
    const collector = ['collector', '--home', home]
    const ended = new AbortController()
    const collecting = keep(collector, { context, ended: ended.signal, lastingCodes: new Set() })
    const code = await keep(gateway, { context, ended: context.signal, lastingCodes: new Set([exitCodes.impossible]) })
    // After the gateway: what it recorded last is to be in the log.
    ended.abort()
    await collecting
    return code
  },
}

interface Keeping {
  context: CommandContext
  /** Ends the process and the keeping. */
  ended: AbortSignal
  /** Exit codes after which starting it again would not help. */
  lastingCodes: ReadonlySet<number>
}

/** Keeps a command of ours running; its output is ours. Returns the exit code it ended with for good. */
async function keep(argv: readonly string[], { context, ended, lastingCodes }: Keeping): Promise<number> {
  let waitMs = restartMs
  for (;;) {
    if (ended.aborted) return exitCodes.done
    const startedAtMs = context.now()
    const code = await runOnce(argv, ended)
    if (ended.aborted || lastingCodes.has(code)) return code
    waitMs = context.now() - startedAtMs > wellAfterMs ? restartMs : Math.min(restartLongestMs, waitMs * 2)
    // A collector that finds another one at work ends with 0: then it is looked after.
    if (code !== exitCodes.done)
      await context.stderr.write(
        `affidavit: ${argv[0]} ended with ${code}; it is started again in ${waitMs / 1000} s. [AFD_RESTARTED]\n`,
      )
    await pause(waitMs, ended)
  }
}

async function runOnce(argv: readonly string[], ended: AbortSignal): Promise<number> {
  const [binary = ''] = process.argv.slice(1)
  // In groups of their own: a terminal's Ctrl-C is for us, and we end them in order. Should we be killed, the pipe ends.
  const child = spawn(process.execPath, [...process.execArgv, binary, ...argv], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  })
  const onEnd = () => child.kill('SIGTERM')
  ended.addEventListener('abort', onEnd, { once: true })
  try {
    return await exitOf(child)
  } finally {
    ended.removeEventListener('abort', onEnd)
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => resolve(exitCodes.impossible))
    child.on('exit', (code) => resolve(code ?? exitCodes.negative))
  })
}

function pause(limitMs: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs)
    ended.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
