import type { Absent } from '@affidavit/evidence/record/absent'
import type { Hash } from '@affidavit/evidence/record/header'
import type { Actor } from '@affidavit/evidence/record/identity-section'
import type { Lineage } from '@affidavit/evidence/record/lineage'
import { readPidNamespace } from './container.ts'
import { formatMark } from './executable.ts'
import { type HashMemory, hashOnce } from './hash-executable.ts'
import { attestWorkload } from './local.ts'
import { type Chain, type Link, readChain } from './process-chain.ts'

/** What the kernel says of the processes that led to this one. */
export interface Parentage {
  workload: Actor | Absent
  lineage: Lineage | Absent
}

export interface AttestedParents {
  /** A new object whenever more is known of them. */
  readonly current: Parentage
  /** Takes the hashes of files that were hashed on this machine before. */
  recall(known: ReadonlyMap<string, Hash>): void
  /** Hashes the other executables; some tenths of a second each, which nothing waits for. Resolves when it is done. */
  hash(memory: HashMemory): Promise<void>
}

const pending = 'its executable is being hashed; a later record has the hash'

/** `parentPid`: of who started this process, as it was then. Reads /proc at once, which takes a millisecond or two. */
export function attestParents(parentPid: number): AttestedParents {
  if (process.platform !== 'linux') {
    const absent = { absent: `${process.platform} does not show a process who started it` }
    return { current: { workload: absent, lineage: absent }, recall: () => undefined, hash: async () => undefined }
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
    recall(known) {
      for (const link of chain.links) {
        const hash = link.mark === undefined ? undefined : known.get(formatMark(link.mark))
        if (hash !== undefined) hashes.set(link, hash)
      }
      current = describe(chain, hashes)
    },
    async hash(memory) {
      for (const link of chain.links) {
        if (link.mark === undefined || hashes.has(link)) continue
        hashes.set(link, await hashOnce(link.ancestor.pid, link.mark, memory))
        current = describe(chain, hashes)
      }
    },
  }
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
    ...attestWorkload(executable),
    ...(uid === undefined ? {} : { uid }),
    ...(hash === undefined ? {} : { executable: hash }),
  }
}
