import type { Host, HostSource, ProcessFacts } from '@affidavit/evidence/record/environment-section'
import { clipText } from '@affidavit/evidence/record/text'
import { readExecutable } from './executable.ts'
import { type HashMemory, hashOnce } from './hash-executable.ts'
import type { LocalFacts } from './local.ts'
import { readProcStat } from './proc-stat.ts'

/** Where a machine is, and what runs on it, as others than the kernel tell. */
export type Place = Pick<Host, (typeof placeMembers)[number]>

export const placeMembers = ['region', 'zone', 'node', 'pod', 'namespace', 'container', 'image'] as const

export interface Surroundings {
  /** What is known by now; its members are read anew for each record. */
  readonly facts: Pick<LocalFacts, 'host' | 'processes' | 'containment'>
  /** What is known of the place already stays: who is asked first is believed. */
  learn(place: Place, source: string): void
  /** Hashes what the server's process runs. */
  hashServer(pid: number, memory: HashMemory): Promise<void>
}

export function createSurroundings(from: Pick<LocalFacts, 'host' | 'processes' | 'containment'>): Surroundings {
  let { host, processes } = from
  return {
    facts: {
      ...from,
      get host() {
        return host
      },
      get processes() {
        return processes
      },
    },
    learn(place, source) {
      host = withPlace(host, place, source)
    },
    async hashServer(pid, memory) {
      const server = await describeServer(pid, memory)
      if (server !== undefined) processes = { ...processes, server }
    },
  }
}

function withPlace(host: Host, place: Place, source: string): Host {
  const sources: HostSource[] = [...(host.sources ?? [])]
  const learned: Place = {}
  for (const member of placeMembers) {
    const value = place[member]
    if (value === undefined || value === '' || host[member] !== undefined) continue
    learned[member] = clipText(value)
    sources.push({ member, source: clipText(source) })
  }
  return sources.length === 0 ? host : { ...host, ...learned, sources }
}

/** A program that starts another in its place, as npx and shells do, is described as what it is by then. */
async function describeServer(pid: number, memory: HashMemory): Promise<ProcessFacts | undefined> {
  const stat = readProcStat(pid)
  const executable = stat === undefined ? 'ended' : readExecutable(pid)
  if (stat === undefined || typeof executable === 'string' || executable.mark === undefined) return undefined
  const hash = await hashOnce(pid, executable.mark, memory)
  const known = { pid, startTicks: stat.startTicks, executable: executable.path }
  return typeof hash === 'string' ? { ...known, executableHash: hash } : known
}
