import { setTimeout as pause } from 'node:timers/promises'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Hash } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Lineage } from '@affidavit/evidence/record/lineage'
import { clipText } from '@affidavit/evidence/record/text'
import { readPidNamespace } from './container.ts'
import { formatMark } from './executable.ts'
import { type HashMemory, hashExecutable } from './hash-executable.ts'
import { sameUid } from './local.ts'
import { type Chain, type Link, readChain } from './process-chain.ts'

/** What the kernel says of the processes that led to this one. */
export interface Parentage {
  workload: Actor | Absent
  lineage: Lineage | Absent
}

export interface AttestedParents {
  /** A new object whenever more is known of them. */
  readonly current: Parentage
  /**
   * Hashes the executables; nothing waits for that. Resolves when it is done. Of a file that was hashed on this machine
   * before, the memory knows the hash; a new one takes some tenths of a second.
   */
  hash(memory: HashMemory): Promise<void>
}

/** By then client and server have met. Before, hashing would take from them what they need to begin. */
const afterStartMs = 400
const pending = 'its executable is being hashed; a later record has the hash'

/** `parentPid`: of who started this process, as it was then. Reads /proc at once, which takes less than a millisecond. */
export function attestParents(parentPid: number): AttestedParents {
  if (process.platform !== 'linux') {
    const absent = { absent: `${process.platform} does not show a process who started it` }
    return { current: { workload: absent, lineage: absent }, hash: async () => undefined }
  }
  const namespace = readPidNamespace()
  const place = 'absent' in namespace ? undefined : namespace.place
  const chain = readChain(process.pid, parentPid, place)
  const hashes = new Map<Link, Hash | { missing: string }>()
  let current = describe(chain, hashes)
  return {
    get current() {
      return current
    },
    async hash(memory) {
      await hashLinks(chain.links, memory, (link, hash) => {
        hashes.set(link, hash)
        current = describe(chain, hashes)
      })
    },
  }
}

type Found = (link: Link, hash: Hash | { missing: string }) => void

/** What the memory knows is told at once; the rest is read when the start is over, the nearest first. */
async function hashLinks(links: readonly Link[], memory: HashMemory, found: Found): Promise<void> {
  const known = new Map(await memory.load())
  const isNew = (link: Link): boolean => {
    const hash = link.mark === undefined ? undefined : known.get(formatMark(link.mark))
    if (hash !== undefined) found(link, hash)
    return link.mark !== undefined && hash === undefined
  }
  const unknown = links.filter(isNew)
  if (unknown.length === 0) return
  await pause(afterStartMs, undefined, { ref: false })
  const fresh = new Map<string, Hash>()
  for (const link of unknown) {
    if (link.mark === undefined || !isNew(link)) continue
    const hash = await hashExecutable(link.ancestor.pid, link.mark)
    found(link, hash)
    if (typeof hash !== 'string') continue
    known.set(formatMark(link.mark), hash)
    fresh.set(formatMark(link.mark), hash)
  }
  if (fresh.size > 0) await memory.save(fresh)
}

function describe({ links, end }: Chain, hashes: ReadonlyMap<Link, Hash | { missing: string }>): Parentage {
  const processes = links.map((link) => {
    if (link.mark === undefined) return link.ancestor
    const hash = hashes.get(link) ?? { missing: pending }
    return { ...link.ancestor, ...(typeof hash === 'string' ? { hash } : hash) }
  })
  return { workload: toWorkload(processes[0], end), lineage: { processes, end } }
}

const ends: Record<Lineage['end'], string> = {
  init: 'process 1 of the machine started it',
  namespace: 'the process that started us lies outside our namespace of processes',
  bound: 'nothing was looked at',
  ended: 'the process that started us had ended before it was looked at',
  hidden: 'the process that started us is not shown to us',
}

function toWorkload(parent: Lineage['processes'][number] | undefined, end: Lineage['end']): Actor | Absent {
  if (parent === undefined) return { absent: ends[end] }
  const { executable, hash, uid, missing } = parent
  if (executable === undefined) return { absent: `the process that started us: ${missing ?? 'nothing is known of it'}` }
  return {
    assurance: 'attested',
    method: 'parent-process',
    source: '/proc',
    reason: sameUid,
    kind: 'workload',
    id: clipText(executable),
    ...(uid === undefined ? {} : { uid }),
    ...(hash === undefined ? {} : { executable: hash }),
  }
}
