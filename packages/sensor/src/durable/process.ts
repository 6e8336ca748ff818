import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { toSystemCode } from './layer.ts'

/**
 * Which process it was: pids are reused, so one alone names nobody. Each part is the empty string where the platform
 * does not tell (everything but Linux has no cheap way to); then isProcessDead can say less.
 */
export interface ProcessRef {
  pid: number
  /** Clock ticks between boot and start of the process (/proc/PID/stat, field 22), decimal. */
  startTime: string
  /** Kernel boot id (/proc/sys/kernel/random/boot_id). */
  bootId: string
  /** `pid:[4026531836]`: containers that share a home count their pids apart. */
  pidNamespace: string
}

function readProc<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    // No /proc on this platform, no such process, or one that is hidden from us (hidepid).
    if (toSystemCode(error) !== undefined) return undefined
    throw error
  }
}

/** Field 22 of /proc/PID/stat. The name in field 2 may hold blanks and parentheses, so counting starts behind its last one. */
const readStartTime = (pid: number): string | undefined => {
  const stat = readProc(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

let ownBootId: string | undefined

/** Kernel boot id where the platform has one, else a random id of this process: within it monotonic times compare. */
export function readBootId(): string {
  ownBootId ??= readKernelBootId() || randomUUID()
  return ownBootId
}

const readKernelBootId = () => readProc(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))?.trim() ?? ''

/** This process. Three small reads. */
export function readOwnProcess(): ProcessRef {
  return {
    pid: process.pid,
    startTime: readStartTime(process.pid) ?? '',
    bootId: readKernelBootId(),
    pidNamespace: readProc(() => readlinkSync('/proc/self/ns/pid')) ?? '',
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    const code = toSystemCode(error)
    if (code === 'ESRCH') return false
    // It exists and belongs to someone else.
    if (code === 'EPERM') return true
    throw error
  }
}

/**
 * True only where it is certain: another boot, no such pid, or the pid's process started at another time. A process of
 * another pid namespace cannot be seen from here and therefore never counts as dead before the machine boots again.
 */
export function isProcessDead(ref: ProcessRef): boolean {
  const here = readOwnProcess()
  if (ref.bootId !== '' && here.bootId !== '' && ref.bootId !== here.bootId) return true
  if (ref.pidNamespace !== here.pidNamespace) return false
  if (!pidExists(ref.pid)) return true
  const startTime = readStartTime(ref.pid)
  return startTime !== undefined && ref.startTime !== '' && startTime !== ref.startTime
}
