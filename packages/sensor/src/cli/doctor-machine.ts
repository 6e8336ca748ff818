import { constants } from 'node:fs'
import { access, readdir, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toHomePaths } from '../durable/home-paths.ts'
import { toSystemCode } from '../durable/layer.ts'
import { findUncovered, type ProcessFacts, readProcesses } from '../install/processes.ts'
import { isCollectorRunning } from '../ship/keep-collector.ts'
import type { InstallMemory, MemoryFolder } from './install-memory.ts'
import type { GatewayUpstreams } from './install-upstreams.ts'

/** What covered servers need of this machine. `bad`: calls fail or are refused; `note`: worth knowing. */
export interface MachineFinding {
  check: 'home' | 'collector' | 'gateway' | 'disk' | 'copies'
  state: 'good' | 'note' | 'bad'
  text: string
}

export interface MachineParts {
  home: string
  upstreams: GatewayUpstreams
  memory: InstallMemory
  folder: MemoryFolder
  /** Whether any client calls the gateway. */
  usesGateway: boolean
  /** Files that hold entries of affidavit's; undefined where not all were looked at. */
  coveredFiles: ReadonlySet<string> | undefined
}

/** Whether this user may not even look into the folder, or into one above it. */
export async function isBarredFrom(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.X_OK)
    return false
  } catch (error) {
    const code = toSystemCode(error)
    if (code === undefined) throw error
    return code === 'EACCES' || code === 'EPERM'
  }
}

export async function checkMachine(parts: MachineParts): Promise<MachineFinding[]> {
  if (await isBarredFrom(parts.home))
    return [{ check: 'home', state: 'bad', text: `${parts.home}: this user may not look into it: calls are refused` }]
  return [
    await checkHome(parts.home),
    checkCollector(parts.home),
    await checkGateway(parts),
    await checkDisk(parts.home),
    await checkCopies(parts),
  ]
}

/** A home folder that cannot be written refuses every call, for none can be recorded. */
async function checkHome(home: string): Promise<MachineFinding> {
  const found = await stat(home).catch(unlessMissing)
  const say = (state: MachineFinding['state'], text: string): MachineFinding => ({
    check: 'home',
    state,
    text: `${home}: ${text}`,
  })
  if (found === undefined) {
    const isWritable = await canWrite(await nearestFolder(home))
    return isWritable ? say('good', 'made with the first call') : say('bad', 'it is not there and cannot be made')
  }
  if (!found.isDirectory()) return say('bad', 'it is no folder')
  if (!(await canWrite(home))) return say('bad', 'this user may not write there: calls are refused')
  return process.platform !== 'win32' && (found.mode & 0o077) !== 0
    ? say('note', 'others may look into it')
    : say('good', 'usable')
}

function checkCollector(home: string): MachineFinding {
  return isCollectorRunning(toHomePaths(home).collectorProcess)
    ? { check: 'collector', state: 'good', text: 'running' }
    : { check: 'collector', state: 'good', text: 'not running; starts with the next wrapped server' }
}

const answerTimeoutMs = 2_000

async function checkGateway({ upstreams, usesGateway }: MachineParts): Promise<MachineFinding> {
  const place = new URL(upstreams.origin).host
  const say = (state: MachineFinding['state'], text: string): MachineFinding => ({ check: 'gateway', state, text })
  if (upstreams.speaksTls) return say('note', `speaks TLS at ${place}: not asked whether it runs`)
  if (upstreams.problem !== undefined) return say('bad', `${upstreams.path}: ${upstreams.problem}`)
  if (upstreams.before === undefined && !usesGateway) return say('good', 'not configured, and no client calls it')
  const status = await fetch(`${upstreams.origin}/healthz`, { signal: AbortSignal.timeout(answerTimeoutMs) })
    .then((response) => response.status)
    .catch(noAnswer)
  if (status === 200) return say('good', `answers at ${place}`)
  const problem = status === undefined ? `does not answer at ${place}` : `answers ${status} at ${place}/healthz`
  return usesGateway ? say('bad', `${problem}: calls through it fail`) : say('note', `${problem}; no client calls it`)
}

function noAnswer(error: unknown): undefined {
  if (error instanceof TypeError || error instanceof DOMException) return undefined
  throw error
}

/** Less than a fresh segment and its reserve: calls would soon be refused. */
const lowBytes = 200_000_000

async function checkDisk(home: string): Promise<MachineFinding> {
  const { bavail, bsize } = await statfs(await nearestFolder(home))
  const free = bavail * bsize
  const text = `${(free / 1e9).toFixed(1)} GB free for records that wait`
  return free < lowBytes
    ? { check: 'disk', state: 'bad', text: `${text}: calls will be refused soon` }
    : { check: 'disk', state: 'good', text }
}

/** Copies hold what configuration files hold, tokens included: those that nobody needs should not lie around. */
async function checkCopies({ folder, memory, coveredFiles }: MachineParts): Promise<MachineFinding> {
  const names = (await readdir(folder.copies).catch(unlessMissing)) ?? []
  const files = memory.files.filter(({ location }) => coveredFiles?.has(location.path) !== false)
  const kept = new Set([...files.flatMap(({ copies }) => copies), memory.gateway?.copy])
  const stale = names.filter((name) => !kept.has(name)).length
  if (stale === 0)
    return { check: 'copies', state: 'good', text: `${names.length} of files as they were before affidavit` }
  return {
    check: 'copies',
    state: 'note',
    text: `${stale} of ${names.length} are no longer needed and may hold secrets: ${folder.copies}`,
  }
}

/** Undefined where the platform does not tell. */
export async function uncoveredProcesses(): Promise<ProcessFacts[] | undefined> {
  const uid = process.getuid?.()
  return process.platform !== 'linux' || uid === undefined ? undefined : findUncovered(await readProcesses(uid))
}

async function canWrite(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
    return false
  }
}

async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch(unlessMissing)
  return found !== undefined || dirname(path) === path ? path : nearestFolder(dirname(path))
}

function unlessMissing(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR'].includes(toSystemCode(error) ?? '')) return undefined
  throw error
}
