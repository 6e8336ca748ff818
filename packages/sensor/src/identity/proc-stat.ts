import { readFileSync } from 'node:fs'

/** What the kernel says of a process in /proc/PID/stat (proc(5)). */
export interface ProcStat {
  parentPid: number
  /** Clock ticks between the machine's start and the process's. With the pid it names one process and no other. */
  startTicks: number
}

/** Ticks per second that the kernel shows to programs, on every architecture that Node runs on (USER_HZ). */
export const ticksPerSecond = 100
const parentField = 4
const startField = 22

/** The name of a program may hold blanks, parentheses and line feeds: fields are counted from its last parenthesis. */
export function parseProcStat(text: string): ProcStat | undefined {
  const end = text.lastIndexOf(')')
  const fields =
    end < 0
      ? []
      : text
          .slice(end + 2)
          .trim()
          .split(' ')
  // The field after the name is number 3.
  const [parentPid, startTicks] = [fields[parentField - 3], fields[startField - 3]].map(toCount)
  return parentPid === undefined || startTicks === undefined ? undefined : { parentPid, startTicks }
}

function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Undefined where the process is gone, hidden (hidepid), or of a system without /proc. */
export function readProcStat(pid: number): ProcStat | undefined {
  const text = readProcText(`/proc/${pid}/stat`)
  return text === undefined ? undefined : parseProcStat(text)
}

/** Files of /proc are small and come from memory: reading them waits for nothing. Undefined where it cannot be read. */
export function readProcText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return undefined
  }
}

export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
