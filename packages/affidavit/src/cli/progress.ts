import type { Terminal } from '@affidavit/sensor/cli/terminal'
import { formatCount } from './format.ts'

export interface Progress {
  /** How far the work is; `total` where it is known. Cheap: writes at most ten times a second. */
  report(done: number, total?: number, what?: string): void
  /** Takes the line away again. */
  done(): Promise<void>
}

const intervalMs = 100

/** One line that rewrites itself, on a terminal only: in a file it would be noise. */
export function createProgress(terminal: Terminal, verb: string): Progress {
  let shownAt = 0
  let shown = false
  const write = (text: string) => terminal.write(`\r\u001b[2K${text}`)
  return {
    report: (done, total, what) => {
      const now = performance.now()
      if (!terminal.isTerminal || now - shownAt < intervalMs) return
      shownAt = now
      shown = true
      const share =
        total === undefined || total === 0 ? '' : ` of ${formatCount(total)} (${Math.floor((100 * done) / total)} %)`
      // Nobody waits for it: the next report replaces it.
      void write(`${verb} ${formatCount(done)}${share}${what === undefined ? '' : ` ${what}`}`)
    },
    done: async () => {
      if (shown) await write('')
    },
  }
}
