import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Starts a command of Affidavit, ended with the test. */
export const affidavit = join(import.meta.dirname, '../../../packages/affidavit/bin/affidavit.js')

/** `affidavit gateway` in front of one upstream, recording into `home`; its address for that upstream, and how to end it. */
export async function startGateway(upstream: URL, home: string): Promise<{ url: URL; stop(): Promise<void> }> {
  const config = join(home, '..', 'gateway.yaml')
  writeFileSync(config, `listen: 127.0.0.1:0\nupstreams:\n  rich:\n    url: ${upstream}\n`)
  const gateway = spawn(
    process.execPath,
    [affidavit, 'gateway', '--config', config, '--home', home, '--collector', 'none'],
    {
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  )
  const exit = once(gateway, 'exit')
  onTestFinished(() => void gateway.kill('SIGKILL'))
  let said = ''
  const port = await new Promise<string>((resolve, reject) => {
    gateway.once('exit', () => reject(new Error(`the gateway ended: ${said}`)))
    gateway.stderr.on('data', (chunk) => {
      said += chunk
      const [, found] = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp/rich`),
    async stop() {
      gateway.kill('SIGTERM')
      await exit
    },
  }
}
