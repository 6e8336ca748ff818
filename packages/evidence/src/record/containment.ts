import { type Absent, orAbsent } from './absent.ts'
import { integer, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'

/** What encloses a process, as the kernel shows it to the process itself. */
export interface Containment {
  container: Container | Absent
  /** Path of its control group, at most 1,024 bytes; the last one that is not the root. */
  cgroup?: string
  pidNamespace: PidNamespace | Absent
}

export interface Container {
  id?: string
  runtime?: string
  /** Uid of the pod, in Kubernetes. */
  podUid?: string
  /** `cgroup` and `mountinfo` are the kernel's word; a marker file is the word of whoever wrote it. */
  source: string
}

export interface PidNamespace {
  /** Inode number of the namespace. */
  id: number
  /** In a nested one, the processes above its first cannot be seen. */
  place: 'initial' | 'nested'
}

export const containment = object({
  container: orAbsent(
    object({
      id: optional(shortText),
      runtime: optional(shortText),
      podUid: optional(shortText),
      source: shortText,
    }),
  ),
  cgroup: optional(text(1_024)),
  pidNamespace: orAbsent(object({ id: integer(), place: oneOf(['initial', 'nested']) })),
})
