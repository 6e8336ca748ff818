import { existsSync, readlinkSync } from 'node:fs'
import type { Absent } from '@affidavit/evidence/record/absent'
import type { Container, Containment, PidNamespace } from '@affidavit/evidence/record/containment'
import { clipText } from '@affidavit/evidence/record/text'
import { readProcText, systemCodeOf } from './proc-stat.ts'

/** What encloses this process, as /proc shows it. */

const pathBytesMax = 1024
/** The kernel gives the first namespace of processes always this inode number (include/linux/proc_ns.h). */
const initialPidNamespace = 0xeffffffc
const noneSeen: Absent = { absent: 'none seen: neither the control groups nor the mounts nor a marker file name one' }

export function readContainment(): Containment {
  if (process.platform !== 'linux') {
    const absent = { absent: `${process.platform} does not tell a process what encloses it` }
    return { container: absent, pidNamespace: absent }
  }
  const cgroups = readProcText('/proc/self/cgroup') ?? ''
  const cgroup = cgroupPathOf(cgroups)
  const container =
    containerOfCgroups(cgroups) ?? containerOfMounts(readProcText('/proc/self/mountinfo') ?? '') ?? containerOfMarkers()
  return {
    container: container ?? noneSeen,
    ...(cgroup === undefined ? {} : { cgroup: clipText(cgroup, pathBytesMax) }),
    pidNamespace: readPidNamespace(),
  }
}

export function readPidNamespace(): PidNamespace | Absent {
  try {
    const [, number] = /^pid:\[(\d+)\]$/.exec(readlinkSync('/proc/self/ns/pid')) ?? []
    if (number === undefined) return { absent: 'the kernel names no namespace of processes' }
    const id = Number(number)
    return { id, place: id === initialPidNamespace ? 'initial' : 'nested' }
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    return { absent: `/proc/self/ns/pid cannot be read (${code})` }
  }
}

/** Paths in /proc/self/cgroup: `ID:CONTROLLERS:PATH` (cgroups(7)), v2 with the id 0 and no controllers. */
function cgroupPaths(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\d+:[^:]*:(.*)$/s.exec(line)?.[1] ?? [])
}

/** The path of v2 where it says something, else the longest of v1. */
export function cgroupPathOf(text: string): string | undefined {
  const [, unified] = /^0::(.*)$/m.exec(text) ?? []
  const telling = [unified, ...cgroupPaths(text).sort((a, b) => b.length - a.length)]
  return telling.find((path) => path !== undefined && path !== '' && path !== '/')
}

const id = '([0-9a-f]{64}|[0-9a-f]{32}-\\d{1,10})'
const bareId = new RegExp(`^${id}$`)
/** Last segment of a control group's path, by the runtime that chose it. */
const scopes: readonly (readonly [RegExp, runtime: string])[] = [
  [new RegExp(`^docker-${id}\\.scope$`), 'docker'],
  [new RegExp(`^cri-containerd-${id}\\.scope$`), 'containerd'],
  [new RegExp(`^crio-${id}(?:\\.scope)?$`), 'cri-o'],
  [new RegExp(`^libpod-${id}(?:\\.scope)?$`), 'podman'],
  [/^lxc\.payload\.([\w.-]{1,128})$/, 'lxc'],
  [/^machine-([\w.\\-]{1,128})\.scope$/, 'systemd-nspawn'],
]
/** Segment before a bare id, by the runtime that chose it. */
const parents: readonly (readonly [RegExp, runtime: string | undefined])[] = [
  [/^docker$/, 'docker'],
  [/^lxc$/, 'lxc'],
  [/^ecs$|^[0-9a-f]{32}$/, 'ecs'],
  [/^pod[0-9a-f-]{36}$/, undefined],
  [/^cri-containerd$|^k8s\.io$/, 'containerd'],
]
const podUidPattern = /(?:^|[/-])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})(?:\.slice)?(?:\/|$)/

/** Of the first path that names one. Undefined where none does, as in a namespace of control groups of its own. */
export function containerOfCgroups(text: string): Container | undefined {
  for (const path of cgroupPaths(text)) {
    const found = containerOfPath(path)
    if (found !== undefined) return found
  }
  return undefined
}

function containerOfPath(path: string): Container | undefined {
  const [, pod] = podUidPattern.exec(path) ?? []
  const podUid = pod === undefined ? {} : { podUid: pod.replaceAll('_', '-') }
  const segments = path.split('/')
  for (const [i, segment] of segments.entries()) {
    for (const [pattern, runtime] of scopes) {
      const [, found] = pattern.exec(segment) ?? []
      if (found !== undefined) return { id: clipText(found), runtime, ...podUid, source: 'cgroup' }
    }
    const before = segments[i - 1] ?? ''
    const parent = parents.find(([pattern]) => pattern.test(before))
    const isName = parent?.[1] === 'lxc' && /^[\w.-]{1,128}$/.test(segment)
    if (parent !== undefined && (isName || bareId.test(segment)))
      return { id: segment, ...(parent[1] === undefined ? {} : { runtime: parent[1] }), ...podUid, source: 'cgroup' }
  }
  return pod === undefined ? undefined : { ...podUid, source: 'cgroup' }
}

/** Files that a runtime mounts into each of its containers, from a folder that is named after it. */
const mounted: readonly (readonly [RegExp, runtime: string])[] = [
  [/\/docker\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf)$/, 'docker'],
  [
    /\/overlay-containers\/([0-9a-f]{64})\/userdata\/(?:hostname|hosts|resolv\.conf|\.containerenv|run\/\.containerenv)$/,
    'podman',
  ],
]
const podMount = /\/pods\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:etc-hosts|containers\/|volumes\/)/
/** containerd and cri-o mount files of the pod's sandbox, whose id is not the container's. */
const sandboxMount = /\/io\.containerd\.grpc\.v1\.cri\/sandboxes\/[0-9a-f]{64}\//

/** By the fourth field of /proc/self/mountinfo: what of its file system is mounted (proc(5)). */
export function containerOfMounts(text: string): Container | undefined {
  const roots = text.split('\n').map((line) => line.split(' ')[3] ?? '')
  const [, podUid] = roots.map((root) => podMount.exec(root)).find((match) => match !== null) ?? []
  const pod = podUid === undefined ? {} : { podUid }
  for (const root of roots)
    for (const [pattern, runtime] of mounted) {
      const [, found] = pattern.exec(root) ?? []
      if (found !== undefined) return { id: found, runtime, ...pod, source: 'mountinfo' }
    }
  const runtime = roots.some((root) => sandboxMount.test(root)) ? { runtime: 'containerd' } : {}
  return 'runtime' in runtime || podUid !== undefined ? { ...runtime, ...pod, source: 'mountinfo' } : undefined
}

/** Files that docker and podman leave in the root of a container. Anybody may write such a file, or start a machine from an image that has it. */
function containerOfMarkers(): Container | undefined {
  for (const [path, runtime] of [
    ['/run/.containerenv', 'podman'],
    ['/.dockerenv', 'docker'],
  ] as const)
    if (existsSync(path)) return { runtime, source: path }
  return undefined
}
