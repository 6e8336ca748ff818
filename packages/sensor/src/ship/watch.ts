import { type FSWatcher, watch } from 'node:fs'

export interface SpoolWatch {
  /** Resolves at the next change (`lingerMs` after it, so that one pass finds many) or when woken, after `pollMs` at the latest. */
  next(pollMs: number): Promise<'changed' | 'quiet'>
  wake(): void
  close(): void
}

/**
 * Watches a spool folder. Watches are best effort everywhere (and absent on some file systems), so whoever waits polls
 * as well; `onLost` says why there is none.
 */
export function watchSpool(directory: string, lingerMs: number, onLost: (reason: string) => void): SpoolWatch {
  let changed = false
  let release: (() => void) | undefined
  let linger: NodeJS.Timeout | undefined
  const wake = () => {
    clearTimeout(linger)
    linger = undefined
    changed = true
    release?.()
  }
  const onChange = () => {
    linger ??= setTimeout(wake, lingerMs)
  }
  const watcher = openWatch(directory, onChange, onLost)
  return {
    next: (pollMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(poll)
          release = undefined
          resolve(changed ? 'changed' : 'quiet')
          changed = false
        }
        const poll = setTimeout(done, changed ? 0 : pollMs)
        release = done
      }),
    wake,
    close: () => {
      clearTimeout(linger)
      watcher?.close()
      wake()
    },
  }
}

function openWatch(directory: string, onChange: () => void, onLost: (reason: string) => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, onChange)
    watcher.on('error', (error) => onLost(String(error)))
    return watcher
  } catch (error) {
    // Out of inotify watches, or a file system without them: polling goes on alone.
    onLost(String(error))
    return undefined
  }
}
