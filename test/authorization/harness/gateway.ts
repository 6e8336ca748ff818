import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `affidavit-sensor gateway` as a process of its own, with a home folder that goes with it. */
export interface GatewayProcess {
  url: string
  home: string
  configPath: string
  /** Everything it said on stderr. */
  said(): string
  /** Ends it in order, so that everything is recorded. */
  stop(): Promise<void>
  dispose(): Promise<void>
}

const program = join(import.meta.dirname, '../../../packages/sensor/src/cli/main.ts')

/** A port that was free a moment ago: a resource has to be known before the gateway that serves it. */
export async function findPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** `config` is written as JSON, which YAML includes. */
export async function startGatewayProcess(config: object, env: Record<string, string> = {}): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-authorization-'))
  const home = join(folder, 'home')
  const configPath = join(folder, 'affidavit.yaml')
  writeFileSync(configPath, JSON.stringify(config))
  const argv = ['gateway', '--config', configPath, '--home', home, '--collector', 'none']
  const child = spawn(process.execPath, ['--conditions=@affidavit/source', program, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  const exit = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await exit
  }
  const dispose = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exit
    rmSync(folder, { recursive: true, force: true })
  }
  const url = await Promise.race([listening(() => said), exit.then(() => undefined)])
  if (url === undefined) {
    await dispose()
    throw new Error(`the gateway did not start: ${said}`)
  }
  return { url, home, configPath, said: () => said, stop, dispose }
}

async function listening(said: () => string): Promise<string> {
  for (;;) {
    const [, url] = /gateway listens on (https?:\/\/\S+:\d+)/.exec(said()) ?? []
    if (url !== undefined) return url
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
