import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const binary = join(import.meta.dirname, '../../../packages/affidavit/bin/affidavit.js')

export interface Running {
  process: ChildProcess
  /** `http://127.0.0.1:PORT`, as it said itself. */
  base: string
  errors(): string
  untilSaid(text: string, limitMs?: number): Promise<void>
  exit: Promise<{ code: number | null; signal: string | null }>
}

/** A folder that goes when the test ends. */
export function makeFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-gateway-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

export function writeConfig(folder: string, text: string): string {
  const path = join(folder, 'affidavit.yaml')
  writeFileSync(path, text)
  return path
}

/** A configuration whose gateway serves this URL as `one`, on any port. */
export const oneUpstream = (url: string, more = '') =>
  `listen: 127.0.0.1:0\nupstreams:\n  one:\n    url: ${url}\n${more}`

export function spawnCli(
  args: readonly string[],
  env: { [name: string]: string } = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=@affidavit/source', binary, ...args], {
    env: { ...process.env, ...env },
    stdio: [stdin, 'pipe', 'pipe'],
  })
  return child
}

/** Starts `affidavit gateway` and waits until it listens. */
export async function startCli(args: readonly string[], env: { [name: string]: string } = {}): Promise<Running> {
  const child = spawnCli(args, env)
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  const watchers = new Set<() => void>()
  child.stderr?.on('data', (chunk) => {
    said += chunk
    for (const watch of watchers) watch()
  })
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const untilSaid = (text: string, limitMs = 20_000): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it never said ${text}; it said ${said}`)), limitMs)
      const check = () => {
        if (!said.includes(text)) return
        clearTimeout(timer)
        watchers.delete(check)
        resolve()
      }
      watchers.add(check)
      check()
    })
  await Promise.race([
    untilSaid('AFD_LISTENING'),
    exit.then(({ code }) => {
      throw new Error(`it ended with ${code} before it listened: ${said}`)
    }),
  ])
  const base = /gateway listens on (https?:\/\/[^\s]+:\d+)/.exec(said)?.[1] ?? ''
  return { process: child, base, errors: () => said, untilSaid, exit }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawnCli(args)
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => {
    text.out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    text.err += chunk
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...text })))
}

/** Collects what is in the spool, and returns every call of the log as `affidavit query --json` tells it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read what was written, whatever its shape
export async function collectCalls(home: string): Promise<any[]> {
  await runCli(['collector', '--home', home, '--idle-exit-ms', '200'])
  const { out, err, code } = await runCli(['query', '--home', home, '--json', '--limit', '1000000'])
  if (code !== 0) throw new Error(`query ended with ${code}: ${err}`)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
