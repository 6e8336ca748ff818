import { type ChildProcess, spawn } from 'node:child_process'

/** A raw JSON-RPC client over stdio: no SDK, so that what is measured is the wire. */
export class StdioClient {
  readonly child: ChildProcess
  readonly #waiting = new Map<number, () => void>()
  #id = 0
  #rest = ''

  constructor(command: string[], env: NodeJS.ProcessEnv = process.env) {
    const [file = '', ...args] = command
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#receive(chunk))
  }

  #receive(chunk: string) {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const id = Number(/"id":(\d+)/.exec(line)?.[1])
      this.#waiting.get(id)?.()
      this.#waiting.delete(id)
    }
  }

  /** Resolves with the milliseconds between writing the request and reading its response. */
  call(method: string, params: unknown): Promise<number> {
    const id = ++this.#id
    const start = performance.now()
    return new Promise((resolve) => {
      this.#waiting.set(id, () => resolve(performance.now() - start))
      this.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  /** Calls a tool every 10 ms, whether earlier calls have come back or not. Resolves with the milliseconds of each. */
  async atRate(params: unknown, count: number): Promise<number[]> {
    const calls: Promise<number>[] = []
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      calls.push(this.call('tools/call', params))
      const waitMs = Math.max(0, start + (i + 1) * 10 - performance.now())
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
    return Promise.all(calls)
  }

  async open() {
    await this.call('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    })
    await this.call('tools/list', {})
  }

  async close() {
    const gone = new Promise((resolve) => this.child.once('close', resolve))
    this.child.stdin?.end()
    await gone
  }
}
