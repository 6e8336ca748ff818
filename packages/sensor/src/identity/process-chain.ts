import { type Ancestor, ancestorsMax, type Lineage } from '@affidavit/evidence/record/lineage'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import { type FileMark, readExecutable } from './executable.ts'
import { type ProcStat, readProcStat, readProcText, ticksPerSecond } from './proc-stat.ts'

/** A process of the chain, with what its executable is known by until it is hashed. */
export interface Link {
  ancestor: Ancestor
  mark: FileMark | undefined
}

export interface Chain {
  links: Link[]
  end: Lineage['end']
}

/**
 * The processes above `pid`, whose parent was `parentPid` when it started. Everything is read twice around the part that
 * could change: a process that ends meanwhile, or whose pid was given to another, ends the chain as `ended` instead of being
 * taken for somebody else. `isNested`: whether our process namespace is inside another one. On Linux only.
 */
export function readChain(pid: number, parentPid: number, place: 'initial' | 'nested' | undefined): Chain {
  const links: Link[] = []
  const bootMs = readBootMs()
  let child = { pid, stat: readProcStat(pid) }
  if (child.stat === undefined) return { links, end: 'hidden' }
  // Whoever started us may be gone: then we were handed to another process, which has nothing to do with us.
  if (child.stat.parentPid !== parentPid) return { links, end: 'ended' }
  while (links.length < ancestorsMax) {
    const parent = child.stat?.parentPid ?? 0
    // Of processes in a namespace further out the kernel shows 0.
    if (parent === 0) return { links, end: endAt(child.pid, place) }
    const stat = readProcStat(parent)
    if (stat === undefined) return { links, end: isAlive(parent) ? 'hidden' : 'ended' }
    const link = readLink(parent, stat, bootMs)
    if (!isUnchanged(child, parent) || readProcStat(parent)?.startTicks !== stat.startTicks)
      return { links, end: 'ended' }
    // A parent is older than its child. One that is younger is another process under a pid that was given out again.
    if (stat.startTicks > (child.stat?.startTicks ?? 0)) return { links, end: 'ended' }
    links.push(link)
    child = { pid: parent, stat }
  }
  return { links, end: 'bound' }
}

function isUnchanged({ pid, stat }: { pid: number; stat: ProcStat | undefined }, parentPid: number): boolean {
  const now = readProcStat(pid)
  return now !== undefined && now.startTicks === stat?.startTicks && now.parentPid === parentPid
}

function endAt(pid: number, place: 'initial' | 'nested' | undefined): Lineage['end'] {
  return pid === 1 && place === 'initial' ? 'init' : 'namespace'
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readLink(pid: number, stat: ProcStat, bootMs: number | undefined): Link {
  const uid = readUid(pid)
  const known = {
    pid,
    startTicks: stat.startTicks,
    ...(bootMs === undefined ? {} : { startedAt: toStart(stat, bootMs) }),
    ...(uid === undefined ? {} : { uid }),
  }
  const executable = readExecutable(pid)
  if (typeof executable === 'string')
    return { ancestor: { ...known, missing: `its executable cannot be read (${executable})` }, mark: undefined }
  const { path, mark, file } = executable
  return { ancestor: { ...known, executable: path, ...(file === undefined ? {} : { file }) }, mark }
}

/** The effective user, second of four in /proc/PID/status (proc(5)): the owner of the folder is root where a program may not be traced. */
function readUid(pid: number): number | undefined {
  const [, uid] = /^Uid:\t\d+\t(\d+)\t/m.exec(readProcText(`/proc/${pid}/status`) ?? '') ?? []
  return uid === undefined ? undefined : Number(uid)
}

/** When the machine started, to a hundredth of a second by its own clock. */
export function readBootMs(): number | undefined {
  const [, seconds] = /^(\d+\.\d+) /.exec(readProcText('/proc/uptime') ?? '') ?? []
  return seconds === undefined ? undefined : Date.now() - Number(seconds) * 1000
}

export function toStart({ startTicks }: ProcStat, bootMs: number): string {
  return formatTimestamp(bootMs + (startTicks / ticksPerSecond) * 1000)
}
