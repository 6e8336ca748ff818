import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const restartMs = 2000

/** The process that keeps the index at the log. Its stdin is a pipe from us: it ends when we do, also by SIGKILL. */
export interface Follower {
  stop(): Promise<void>
}

/** Starts `affidavit follow`, and again where it ends by itself. `onEnd` hears why. */
export function startFollower(homeDirectory: string, onEnd: (reason: string) => void): Follower {
  const binary = fileURLToPath(new URL('../../../bin/affidavit.js', import.meta.url))
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopping = false
  const start = () => {
    const started = spawn(process.execPath, [binary, 'follow', '--home', homeDirectory], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child = started
    started.on('error', (error) => onEnd(String(error)))
    started.on('exit', (code, signal) => {
      if (isStopping) return
      onEnd(`exit ${code ?? signal}`)
      timer = setTimeout(start, restartMs)
    })
  }
  start()
  return {
    stop: async () => {
      isStopping = true
      clearTimeout(timer)
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      child.stdin?.end()
      child.kill('SIGTERM')
      await ended
    },
  }
}
