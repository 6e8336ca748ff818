import { readlinkSync } from 'node:fs'
import { arch, hostname, userInfo as readUser, release } from 'node:os'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Containment } from '@affidavit/evidence/record/containment'
import type { Host, Processes, ProcessFacts } from '@affidavit/evidence/record/environment-section'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import { clipText } from '@affidavit/evidence/record/text'
import { formatTimestamp } from '@affidavit/evidence/record/timestamp'
import { readContainment } from './container.ts'
import { systemCodeOf } from './proc-stat.ts'
import { readVersion } from './version.ts'

/** Who and what is around a call, as far as this machine can tell. */
export interface LocalFacts {
  host: Host
  processes: Processes
  /** What encloses this process. */
  containment?: Containment
  /** The operating system's user of this process. */
  user: Actor | Absent
  /** The process that started us: the agent, or what it runs in. */
  workload: Actor | Absent
}

/** The kernel's word about processes of one uid binds only other uids: any process of the user can pose as any other. */
const sameUid = 'any process of the same user could have made this call'
const executableBytesMax = 1024

/** Read once: none of it changes while we run. `serverPid` is absent where the server never started. */
export function readLocalFacts(serverPid: number | undefined): LocalFacts {
  const name = clipText(hostname())
  const containment = readContainment()
  const client = readProcess(process.ppid)
  return {
    host: {
      os: process.platform,
      arch: arch(),
      osVersion: clipText(release()),
      ...(name === '' ? {} : { name }),
      ...containerIdOf(containment),
    },
    containment,
    processes: {
      sensor: {
        pid: process.pid,
        startedAt: formatTimestamp(performance.timeOrigin),
        executable: clipText(process.execPath, executableBytesMax),
        version: readVersion(),
      },
      client,
      server: serverPid === undefined ? { absent: 'the server did not start' } : readProcess(serverPid),
    },
    user: identifyUser(),
    workload: identifyWorkload(client),
  }
}

/** Of a machine on which others' calls come in over the network. */
export function readGatewayFacts(): Pick<LocalFacts, 'host' | 'processes' | 'containment'> {
  const { host, processes, containment } = readLocalFacts(undefined)
  const elsewhere = { absent: 'reached over the network' }
  const facts = { host, processes: { sensor: processes.sensor, client: elsewhere, server: elsewhere } }
  return containment === undefined ? facts : { ...facts, containment }
}

function containerIdOf({ container }: Containment): Pick<Host, 'container'> {
  return 'absent' in container || container.id === undefined ? {} : { container: container.id }
}

/** Executables are told by /proc, hence on Linux only; elsewhere a process is known by its pid. */
function readProcess(pid: number): ProcessFacts {
  if (process.platform !== 'linux') return { pid }
  try {
    return { pid, executable: clipText(readlinkSync(`/proc/${pid}/exe`), executableBytesMax) }
  } catch (error) {
    // Ended already, or of another user, or hidden (hidepid).
    if (systemCodeOf(error) !== undefined) return { pid }
    throw error
  }
}

function identifyUser(): Actor | Absent {
  const attested = { kind: 'person', assurance: 'attested', method: 'os-user', reason: sameUid } as const
  try {
    const { username, uid } = readUser()
    const id = clipText(username)
    return { ...attested, id, name: id, source: 'user table', ...(uid >= 0 ? { uid } : {}) }
  } catch (error) {
    const uid = process.getuid?.()
    if (systemCodeOf(error) === undefined || uid === undefined) throw error
    // A uid without an entry in the user table, as containers like to have.
    return { ...attested, id: String(uid), source: 'uid', uid }
  }
}

function identifyWorkload(client: ProcessFacts): Actor | Absent {
  const { pid, executable } = client
  if (executable === undefined)
    return { absent: `the executable of parent process ${pid} cannot be read on ${process.platform}` }
  return attestWorkload(executable)
}

/** The process that started us, by the path of its executable. */
export function attestWorkload(executable: string): Actor {
  return {
    assurance: 'attested',
    method: 'parent-process',
    source: '/proc',
    reason: sameUid,
    kind: 'workload',
    id: clipText(executable),
  }
}
