import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binary, stopCollector } from '../tamper/build-home.ts'

const root = join(import.meta.dirname, '../..')

/** A process of ours that listens on a port of this machine. */
export interface Listening {
  port: number
  pid: number
  /** Everything it has written on stderr so far. */
  errors(): string
  /** Asks it to end, and after five seconds makes it. */
  stop(): Promise<void>
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}

/**
 * Starts the command and waits until what it writes names its port: the first group of the pattern. Rejects, with what
 * stderr said, where it ends before or takes longer than twenty seconds.
 */
export async function listen(command: readonly string[], pattern: RegExp): Promise<Listening> {
  const [program = '', ...argv] = command
  const child = spawn(program, argv, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  const written = { stdout: '', stderr: '' }
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL')
      reject(new Error(`${command.join(' ')} ${why}: ${written.stderr}`))
    }
    const timer = setTimeout(() => fail('does not listen'), 20_000)
    const take = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      written[stream] += chunk.toString()
      const found = pattern.exec(written.stdout + written.stderr)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(Number(found))
    }
    child.stdout.on('data', take('stdout'))
    child.stderr.on('data', take('stderr'))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
  return { port, pid: child.pid ?? 0, errors: () => written.stderr, stop: () => end(child) }
}

/** Starts one of the servers under test. */
export const startServer = (file: string, ...argv: string[]): Promise<Listening> =>
  listen([process.execPath, join(import.meta.dirname, 'servers', file), ...argv], /^(\d+)\n/)

export interface Gateway extends Listening {
  /** Where an upstream of this name is reached. */
  urlOf(upstream: string): string
  home: string
}

/** Starts `affidavit gateway` with a home of its own; upstreams are URLs by name. */
export async function startGateway(upstreams: Record<string, string>): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-gateway-'))
  const home = join(folder, 'home')
  const config = join(folder, 'affidavit.yaml')
  const named = Object.fromEntries(Object.entries(upstreams).map(([name, url]) => [name, { url }]))
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ listen: '127.0.0.1:0', upstreams: named }))
  const command = [process.execPath, binary, 'gateway', '--config', config, '--home', home]
  const gateway = await listen(command, /127\.0\.0\.1:(\d+)/)
  return {
    ...gateway,
    home,
    urlOf: (upstream) => `http://127.0.0.1:${gateway.port}/mcp/${upstream}`,
    async stop() {
      await gateway.stop()
      stopCollector(home)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
