import { readFileSync, statSync } from 'node:fs'
import { toSystemCode } from './layer.ts'

/**
 * A file of some hundred bytes, read at once: while a home is opened, the threads that read files without waiting are busy
 * with syncs, and a start would wait for them. Undefined where there is none, or it is larger than `bytesMax`, or cannot be read.
 */
export function readSmall(path: string, bytesMax: number): string | undefined {
  try {
    return statSync(path).size > bytesMax ? undefined : readFileSync(path, 'utf8')
  } catch (error) {
    if (toSystemCode(error) === undefined) throw error
    return undefined
  }
}
