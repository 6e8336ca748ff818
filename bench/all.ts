import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Runs every benchmark in a process of its own, one after the other, so that none shares a heap or an event loop. */
for (const name of ['start', 'run-latency', 'middleware', 'log', 'proof', 'redact']) {
  console.log('')
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
