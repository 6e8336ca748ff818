import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Setup } from '../servers/setup.ts'

/** One of the servers as a process of its own. Returns how to end it in order, so that everything is recorded. */
export async function startServer(name: string, setup: Setup, env: Record<string, string> = {}) {
  const child = fork(join(import.meta.dirname, `../servers/${name}.ts`), {
    execArgv: ['--conditions=@affidavit/source'],
    env: { ...process.env, ...env, TRACE_SETUP: JSON.stringify(setup) },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (message !== 'listening') throw new Error(`${name} ended with ${message}`)
  return async () => {
    const exit = once(child, 'exit')
    child.disconnect()
    await exit
  }
}
