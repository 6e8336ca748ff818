import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const bytesMax = 1024 * 1024

/** Program output of the collector: codes, ids and sentences of ours, never values from records. */
export interface Diagnostics {
  /** One line: time, code, sentence. */
  write(code: string, sentence: string): void
}

/** Keeps at most two files of 1 MiB: this one and the one before, `<path>.1`. */
export function openDiagnostics(path: string): Diagnostics {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return {
    write: (code, sentence) => {
      const line = `${new Date().toISOString()} ${code} ${sentence.replaceAll(/\s*[\r\n]+\s*/g, ' ')}\n`
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) + line.length > bytesMax) renameSync(path, `${path}.1`)
      appendFileSync(path, line, { mode: 0o600 })
    },
  }
}
