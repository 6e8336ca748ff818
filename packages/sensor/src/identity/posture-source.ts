import { execFile } from 'node:child_process'
import { EndpointError, fetchJson } from './fetch-json.ts'
import { systemCodeOf } from './proc-stat.ts'
import { readBounded } from './read-bounded.ts'

/** Who says in what state the machine is. */
export type PostureSource =
  | { file: string }
  /** Program and arguments; no shell. Its output is the answer. */
  | { command: readonly [string, ...string[]] }
  /** https, or http to this machine. */
  | { http: string }

export interface PostureAnswer {
  json: string
  /** Of a file, when it was written: reading it again makes nothing newer. */
  takenMs: number
}

/** Why there is no answer; a word of ours or the system's code, never anything the source said. */
export class PostureError extends Error {
  override readonly name = 'PostureError'
  readonly code: string

  constructor(code: string) {
    super(`the posture source: ${code}`)
    this.code = code
  }
}

const answerBytesMax = 64 * 1024
const timeoutMs = 5_000
/** Clocks of file servers differ a little. */
const aheadMsMax = 60_000

export function sourceKind(source: PostureSource): 'file' | 'command' | 'http' {
  if ('file' in source) return 'file'
  return 'command' in source ? 'command' : 'http'
}

/** Throws PostureError. */
export async function askPosture(source: PostureSource, signal: AbortSignal): Promise<PostureAnswer> {
  if ('file' in source) return readPostureFile(source.file)
  return 'command' in source ? runPosture(source.command, signal) : fetchPosture(source.http, signal)
}

async function readPostureFile(path: string): Promise<PostureAnswer> {
  try {
    const { text, modifiedMs } = await readBounded(path, answerBytesMax)
    // It would never grow old.
    if (modifiedMs > Date.now() + aheadMsMax) throw new PostureError('from_the_future')
    return { json: text, takenMs: modifiedMs }
  } catch (error) {
    if (error instanceof PostureError) throw error
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    throw new PostureError(code)
  }
}

/** Variables AFFIDAVIT_* are addressed to us, and may hold secrets. */
function runPosture([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<PostureAnswer> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AFFIDAVIT_')))
  const bounds = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: answerBytesMax } as const
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { ...bounds, env, signal, windowsHide: true }, (error, stdout) => {
      if (error === null) resolve({ json: stdout, takenMs: Date.now() })
      else reject(new PostureError(sayExit(error)))
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end()
  })
}

function sayExit(error: Error & { code?: string | number | null; killed?: boolean }): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'too_large'
  if (error.killed === true) return 'timeout'
  return typeof error.code === 'string' ? error.code : `exit_${error.code ?? 'signal'}`
}

async function fetchPosture(url: string, signal: AbortSignal): Promise<PostureAnswer> {
  try {
    const { status, json } = await fetchJson(fetch, { url, method: 'GET', headers: {}, timeoutMs, signal })
    if (status !== 200) throw new PostureError(`status_${status}`)
    return { json: JSON.stringify(json), takenMs: Date.now() }
  } catch (error) {
    if (error instanceof EndpointError) throw new PostureError(error.code)
    throw error
  }
}
