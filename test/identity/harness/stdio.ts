import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { echoServer } from '../../capture/harness/wrapped.ts'

const main = join(import.meta.dirname, '../../../packages/sensor/src/cli/main.ts')

export interface RunningServer {
  process: ChildProcessWithoutNullStreams
  errors(): string
  /** Sends a request and waits for its answer. */
  ask(method: string, params?: object, id?: unknown): Promise<unknown>
  end(): Promise<number | null>
}

export function makeFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'affidavit-identity-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
  return path
}

export interface RunOptions {
  home: string
  /** YAML. */
  config?: string
  env?: Record<string, string>
  words?: string[]
}

/** `affidavit run` around a server that answers with what it is asked, and is held open. */
export function startRun({ home, config, env = {}, words = [] }: RunOptions): RunningServer {
  const options = ['run', '--collector', 'none', '--home', home, '--server', 'echo', ...words]
  if (config !== undefined) {
    const path = join(makeFolder(), 'affidavit.yaml')
    writeFileSync(path, config)
    options.push('--config', path)
  }
  const child = spawn(process.execPath, ['--conditions=@affidavit/source', main, ...options, '--', ...echoServer], {
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const text = { out: '', err: '' }
  const waiting = new Set<() => void>()
  child.stdout.on('data', (chunk) => {
    text.out += chunk
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk) => {
    text.err += chunk
  })
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  let count = 0
  return {
    process: child,
    errors: () => text.err,
    ask(method, params = {}, id = `q-${count++}`) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer: ${text.out}${text.err}`)), 20_000)
        const look = () => {
          const answers = text.out
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line))
          const answer = answers.find((each) => JSON.stringify(each.id) === JSON.stringify(id))
          if (answer === undefined) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(answer)
        }
        waiting.add(look)
        look()
      })
    },
    end() {
      child.stdin.end()
      return closed
    },
  }
}

export const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'agent', version: '3.1' } }

/** Which files below a folder hold one of these texts. */
export function filesHolding(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name)
    if (!statSync(path).isFile()) return false
    const bytes = readFileSync(path)
    return texts.some(
      (text) => bytes.includes(text) || bytes.includes(Buffer.from(text).toString('base64').slice(0, -4)),
    )
  })
}

/** `http://127.0.0.1:PORT` of a server that lives as long as the test. */
export async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
