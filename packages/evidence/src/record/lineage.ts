import { hash } from './digest.ts'
import type { Hash, Timestamp } from './header.ts'
import { type Check, integer, listOf, object, oneOf, optional } from './shape.ts'
import { shortText, text } from './text.ts'
import { timestamp } from './timestamp.ts'

/** One process as the kernel described it: attested, and worth nothing against another process of the same user. */
export interface Ancestor {
  pid: number
  /** Of the kernel, since boot: a pid that was given out again has another. */
  startTicks?: number
  startedAt?: Timestamp
  uid?: number
  /** Path of the executable, at most 1,024 bytes. */
  executable?: string
  /** SHA-256 of the bytes that run, whatever lies at the path by now. */
  hash?: Hash
  /** What lies at the path: the file that runs, another one, or none. */
  file?: (typeof fileStates)[number]
  /** Why something of the above is missing. */
  missing?: string
}

/** The processes above the sensor, from the one that started it upward. */
export interface Lineage {
  /** At most 16. */
  processes: Ancestor[]
  end: (typeof lineageEnds)[number]
}

export const fileStates = ['same', 'replaced', 'deleted'] as const

/**
 * Why the chain has no more: `init` is process 1 of the machine; `namespace` is where the process namespace of a container
 * ends, above which nothing can be seen; `bound` after 16; `ended` where a process was gone or another by the time it was
 * looked at; `hidden` where the system does not show it.
 */
export const lineageEnds = ['init', 'namespace', 'bound', 'ended', 'hidden'] as const

export const ancestorsMax = 16

const ancestor = object({
  pid: integer(),
  startTicks: optional(integer()),
  startedAt: optional(timestamp),
  uid: optional(integer()),
  executable: optional(text(1_024)),
  hash: optional(hash),
  file: optional(oneOf(fileStates)),
  missing: optional(shortText),
})

export const lineage: Check = object({ processes: listOf(ancestor, ancestorsMax), end: oneOf(lineageEnds) })
