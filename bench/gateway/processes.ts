import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** Processes of the benchmark: all are ended by their ids, whatever happens. */

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

/** Path of a program in this folder. */
export const program = (name: string) => join(import.meta.dirname, 'programs', `${name}.ts`)

function start(argv: readonly string[], stdio: 'ignore' | 'pipe', env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(process.execPath, argv, { stdio: [stdio, stdio, 'pipe'], env })
  // That it listens is no news here.
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (!text.includes('AFD_LISTENING')) process.stderr.write(text)
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Asks it to end, and after five seconds makes it. */
async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}

/** A port nobody listens on; somebody may be quicker, then the program says so. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A program that listens. */
export interface Listening {
  port: number
  pid: number
  stop(): Promise<void>
}

/** Starts node with these arguments and waits until it listens on the port. */
export async function listen(argv: readonly string[], port: number, env?: NodeJS.ProcessEnv): Promise<Listening> {
  const child = start(argv, 'ignore', env)
  const deadline = performance.now() + 20_000
  while (!(await accepts(port))) {
    if (!running.has(child)) throw new Error(`${argv.join(' ')} ended with ${child.exitCode}`)
    if (performance.now() > deadline) throw new Error(`${argv.join(' ')} does not listen on ${port}`)
    await sleep(50)
  }
  return { port, pid: child.pid ?? 0, stop: () => end(child) }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  })
  socket.destroy()
  return isOpen
}

/** A load generator: one job at a time. */
export interface Generator<Job, Result> {
  pid: number
  run(job: Job): Promise<Result>
  stop(): Promise<void>
}

/** `parse` reads a line of its answers. */
export function startGenerator<Job, Result>(name: string, parse: (line: string) => Result): Generator<Job, Result> {
  const child = start([program(name)], 'pipe')
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new TypeError('started without pipes')
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    pid: child.pid ?? 0,
    async run(job) {
      stdin.write(`${JSON.stringify(job)}\n`)
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`${name} gave up`)
      return parse(value)
    },
    stop: () => end(child),
  }
}

/** Resident memory in MB; `peak` since the last resetPeak. Linux alone tells. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

/** proc(5): 5 in clear_refs resets the peak of resident memory to what it is now. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** CPU time of all threads in µs, from the scheduler: proc(5) stat counts ticks, which calls at a fixed rate fall between. */
export function cpuUsOf(pid: number): number {
  let ns = 0
  for (const thread of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  return ns / 1000
}

/** The process and all that it started, as far as it runs. */
export function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))]
}
