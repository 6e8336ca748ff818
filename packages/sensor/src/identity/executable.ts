import { readlinkSync, type Stats, statSync } from 'node:fs'
import type { Ancestor } from '@affidavit/evidence/record/lineage'
import { clipText } from '@affidavit/evidence/record/text'
import { systemCodeOf } from './proc-stat.ts'

/** A file by what tells it from others. Whoever may write to it can give another one the same times: no proof of its bytes. */
export interface FileMark {
  dev: number
  ino: number
  size: number
  mtimeMs: number
  ctimeMs: number
}

/** The executable of a running process. */
export interface Executable {
  path: string
  /** Through /proc/PID/exe: the file that runs, whatever lies at the path. Undefined where the system refuses. */
  mark: FileMark | undefined
  file: Ancestor['file']
}

const pathBytesMax = 1024
const deletedMark = ' (deleted)'

/** The system's error code where not even the path is told: another user's process, or one that is gone. */
export function readExecutable(pid: number): Executable | string {
  const link = `/proc/${pid}/exe`
  const shown = attempt(() => readlinkSync(link))
  if ('code' in shown) return shown.code
  const running = attempt(() => statSync(link))
  const path = withoutMark(shown.value, 'value' in running ? running.value : undefined)
  return {
    path: clipText(path, pathBytesMax),
    mark: 'value' in running ? toMark(running.value) : undefined,
    file: 'value' in running ? compare(pid, path, running.value) : undefined,
  }
}

/** The kernel adds the mark where the name is gone. A file that still has a name may be called like that, too. */
function withoutMark(shown: string, running: Stats | undefined): string {
  const isGone = shown.endsWith(deletedMark) && running !== undefined && running.nlink === 0
  return isGone ? shown.slice(0, -deletedMark.length) : shown
}

/** The path is looked up from the root of that process, which in a container is another than ours. */
function compare(pid: number, path: string, running: Stats): Ancestor['file'] {
  const there = attempt(() => statSync(`/proc/${pid}/root${path}`))
  if ('value' in there) return there.value.dev === running.dev && there.value.ino === running.ino ? 'same' : 'replaced'
  return there.code === 'ENOENT' ? 'deleted' : undefined
}

export function toMark({ dev, ino, size, mtimeMs, ctimeMs }: Stats): FileMark {
  return { dev, ino, size, mtimeMs, ctimeMs }
}

export function formatMark({ dev, ino, size, mtimeMs, ctimeMs }: FileMark): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(':')
}

function attempt<T>(read: () => T): { value: T } | { code: string } {
  try {
    return { value: read() }
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    return { code }
  }
}
