import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { endProcessGroup, signalProcessGroup } from './process-group.ts'

/**
 * The server's process. Imports next to nothing, because it is started before anything else is loaded: the
 * server's start and ours overlap.
 */

const isPosix = process.platform !== 'win32'
/** A terminal sends these to everything in the foreground, and a server in a group of its own is not part of that. */
const groupSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGHUP', ...posix('SIGQUIT', 'SIGWINCH', 'SIGCONT')]
/**
 * These are for the one process they were sent to. That we listen also keeps SIGUSR1 from opening Node's inspector in this
 * process, which holds keys, and SIGUSR2 from ending it.
 */
const processSignals: readonly NodeJS.Signals[] = ['SIGTERM', ...posix('SIGUSR1', 'SIGUSR2')]
const signalNumbers = new Map<string, number>(Object.entries(constants.signals))

/** How the server ended, as a shell would say it: its code, 128 + signal, 127 not found, 126 not executable. */
export interface Exit {
  code: number
  /** Set where it never started: the system's error code. */
  startError?: string
  /** Set where a signal ended it. */
  signal?: string
}

export interface Child {
  process: ChildProcess
  exit: Promise<Exit>
  /** Ends what is left of the server's process group: SIGTERM, and SIGKILL after 1.5 s. Resolves when it is empty. */
  endGroup(): Promise<void>
}

/**
 * Starts the server in a process group of its own, so that all of it can be ended, and forwards signals from now on. Its
 * environment is ours without AFFIDAVIT_*, which is addressed to us; stderr is ours.
 */
export function startChild(command: string, args: readonly string[]): Child {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AFFIDAVIT_')))
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env, detached: isPosix, windowsHide: true })
  // At a child's exit Node discards what nobody has read yet. A listener for 'readable' keeps it until drain() takes over.
  child.stdout.on('readable', () => undefined)
  const exit = new Promise<Exit>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      // The same event tells of a kill that failed; then the process is there and its exit will come.
      if (child.pid !== undefined) return
      resolve({ code: error.code === 'EACCES' ? 126 : 127, startError: error.code ?? 'unknown' })
    })
    child.on('exit', (code, signal) => {
      resolve(signal === null ? { code: code ?? 1 } : { code: 128 + (signalNumbers.get(signal) ?? 0), signal })
    })
  })
  for (const signal of [...groupSignals, ...processSignals]) process.on(signal, () => passSignal(child, signal))
  const { pid } = child
  return {
    process: child,
    exit,
    endGroup: async () => (pid === undefined || !isPosix ? undefined : endProcessGroup(pid)),
  }
}

function passSignal(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  if (isPosix && groupSignals.includes(signal)) signalProcessGroup(child.pid, signal)
  else child.kill(signal)
}

/** Windows has no such signals, and Node throws where it is asked to listen for some of them. */
function posix(...signals: NodeJS.Signals[]): NodeJS.Signals[] {
  return isPosix ? signals : []
}
