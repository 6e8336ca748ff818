import { readdirSync, readFileSync } from 'node:fs'

const graceMs = 1500
const pollMs = 25

/** Ends a process group: SIGTERM, and SIGKILL after 1.5 s. Resolves when nobody in it is alive. */
export async function endProcessGroup(groupId: number): Promise<void> {
  if (!signalProcessGroup(groupId, 'SIGTERM')) return
  for (let waited = 0; waited < graceMs; waited += pollMs) {
    await new Promise((resolve) => setTimeout(resolve, pollMs))
    if (!isGroupAlive(groupId)) return
  }
  signalProcessGroup(groupId, 'SIGKILL')
}

/** False where the group is empty (or, on macOS, holds nothing but zombies: EPERM). Signal 0 only asks. */
export function signalProcessGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')) return false
    throw error
  }
}

/** In containers nobody may reap orphans, and a group of zombies looks alive to kill(2) for ever; /proc tells better. */
function isGroupAlive(groupId: number): boolean {
  if (!signalProcessGroup(groupId, 0)) return false
  if (process.platform !== 'linux') return true
  return readdirSync('/proc').some((name) => isLivingMember(name, groupId))
}

/** Fields 3 and 5 of /proc/PID/stat: state and process group. The name in field 2 may hold anything, so count from its end. */
function isLivingMember(pid: string, groupId: number): boolean {
  if (!/^\d+$/.test(pid)) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(group) === groupId && state !== 'Z' && state !== 'X'
  } catch (error) {
    // It ended while we looked.
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
