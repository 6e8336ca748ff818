import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
export const echoServer = [process.execPath, join(here, '../servers/echo.mjs')]

export interface TraceRecord {
  seq: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read what was written, whatever its shape
  draft: any
  sections: Record<string, string>
}

/** A wrapper process under test, driven by bytes. */
export interface Wrapped {
  process: ChildProcess
  folder: string
  write(text: string | Uint8Array): void
  end(): void
  /** Everything stdout has given so far. */
  output(): Buffer
  errors(): string
  /** Waits until the condition on stdout holds. */
  until(condition: (output: Buffer) => boolean, limitMs?: number): Promise<Buffer>
  /** Lines of stdout, waiting for that many. */
  lines(count: number, limitMs?: number): Promise<string[]>
  exit: Promise<{ code: number | null; signal: string | null }>
  records(): TraceRecord[]
  closed(): string | undefined
  /** From now on emits of these stages fail: requested, completed, violation, notify. Empty: none. */
  failStages(...stages: string[]): void
  dispose(): void
}

export interface WrapOptions {
  level?: string
  delayMs?: number
  env?: Record<string, string>
  /** Runs this by sh in place of the wrapper; it starts the wrapper itself. */
  shell?: string
}

export function wrap(command: readonly string[], options: WrapOptions = {}): Wrapped {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-capture-'))
  const trace = join(folder, 'trace')
  const fail = join(folder, 'fail')
  const program = options.shell === undefined ? process.execPath : 'sh'
  const args = ['--conditions=@affidavit/source', join(here, 'wrapper.ts'), ...command]
  const child = spawn(program, options.shell === undefined ? args : ['-c', options.shell], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      WRAPPER_TRACE: trace,
      WRAPPER_FAIL: fail,
      WRAPPER_DELAY_MS: String(options.delayMs ?? 0),
      WRAPPER_LEVEL: options.level ?? 'arguments',
      ...options.env,
    },
  })
  const chunks: Buffer[] = []
  const errorChunks: Buffer[] = []
  const watchers = new Set<() => void>()
  let newlines = 0
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    newlines += countLines(chunk)
    for (const watch of watchers) watch()
  })
  child.stderr.on('data', (chunk: Buffer) => errorChunks.push(chunk))
  child.stdin.on('error', () => undefined)
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const output = () => Buffer.concat(chunks)
  const until = (condition: (output: Buffer) => boolean, limitMs = 20_000, linesMin = 0): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const check = () => {
        if (newlines < linesMin) return
        const now = output()
        if (!condition(now)) return
        watchers.delete(check)
        clearTimeout(timer)
        resolve(now)
      }
      const timer = setTimeout(() => {
        watchers.delete(check)
        reject(
          new Error(
            `stdout never got there; it is ${JSON.stringify(output().toString().slice(0, 2000))}, stderr ${errors()}`,
          ),
        )
      }, limitMs)
      watchers.add(check)
      check()
    })
  const errors = () => Buffer.concat(errorChunks).toString()
  const entries = () =>
    existsSync(trace)
      ? readFileSync(trace, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      : []
  const records = () => {
    const all = entries()
    const fault = all.find((entry) => 'invalid' in entry)
    if (fault !== undefined) throw new Error(`a record does not fit the format: ${fault.invalid}`)
    return all.filter((entry) => 'draft' in entry)
  }
  return {
    process: child,
    folder,
    write: (text) => child.stdin.write(text),
    end: () => child.stdin.end(),
    output,
    errors,
    until,
    lines: async (count, limitMs) => {
      const done = await until(() => true, limitMs, count)
      return done.toString().split('\n').slice(0, count)
    },
    exit,
    records,
    closed: () => entries().find((entry) => 'closed' in entry)?.closed,
    failStages: (...stages) => writeFileSync(fail, stages.join(' ')),
    dispose: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

export function request(id: unknown, method: string, params?: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })}\n`
}

export function call(id: unknown, name: string, args: unknown = {}): string {
  return request(id, 'tools/call', { name, arguments: args })
}

export const initialize = request(0, 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'tester', version: '1.2.3' },
})

export const stage = (records: TraceRecord[], name: string) => records.filter(({ draft }) => draft.stage === name)
export const kind = (records: TraceRecord[], name: string) => records.filter(({ draft }) => draft.kind === name)

export async function eventually(condition: () => boolean, limitMs = 10_000): Promise<void> {
  const start = Date.now()
  while (!condition()) {
    if (Date.now() - start > limitMs) throw new Error('it did not come to be in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie that nobody reaps is not alive.
    return !/^State:\s+Z/m.test(existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
