import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isProcessDead, type ProcessRef } from '../durable/process.ts'

const checkEveryMs = 3000
/** A collector that just started has not written its process file yet. */
const patienceMs = 10_000

/**
 * Starts this home's collector where none is running, and again whenever it has gone. `onFailure` hears the system's code
 * where it cannot be started. Returns what ends the watching.
 */
export function keepCollector(
  home: { dir: string; processFile: string },
  command: readonly string[],
  onFailure: (code: string) => void,
): () => void {
  let startedAt = Number.NEGATIVE_INFINITY
  const check = () => {
    if (isCollectorRunning(home.processFile) || Date.now() - startedAt < patienceMs) return
    startedAt = Date.now()
    startCollector([...command, '--home', home.dir], onFailure)
  }
  check()
  const timer = setInterval(check, checkEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** In a session of its own and with nothing of ours open: it outlives us and serves every wrapper of this home. */
function startCollector([program, ...args]: readonly string[], onFailure: (code: string) => void): void {
  if (program === undefined) return
  const child = spawn(program, args, { detached: true, stdio: 'ignore', cwd: '/', windowsHide: true })
  child.on('error', (error: NodeJS.ErrnoException) => onFailure(error.code ?? 'unknown'))
  child.unref()
}

/** Whether a process file names a living collector. */
export function isCollectorRunning(processFile: string): boolean {
  const ref = readProcessFile(processFile)
  return ref !== undefined && !isProcessDead(ref)
}

function readProcessFile(path: string): ProcessRef | undefined {
  try {
    return parseProcessRef(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    // No collector has run here yet, or its file is being replaced by something else: start one, its lock decides.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

function parseProcessRef(value: unknown): ProcessRef | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
    return undefined
  const text = (key: string) => {
    const member: unknown = Object.entries(value).find(([name]) => name === key)?.[1]
    return typeof member === 'string' ? member : ''
  }
  return {
    pid: value.pid,
    startTime: text('startTime'),
    bootId: text('bootId'),
    pidNamespace: text('pidNamespace'),
  }
}
