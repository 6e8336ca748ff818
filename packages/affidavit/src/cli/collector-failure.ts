import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Home } from '@affidavit/sensor/durable/home'
import { isCollectorAlive } from './collector-process.ts'

/** The end of the diagnostics that is searched for how the last collector went. */
const tailBytes = 64 * 1024

/**
 * Why there is no collector although there was one: a sentence with its reason and where the rest stands. Undefined where
 * one runs, or the last one ended as it should.
 */
export function describeCollectorFailure(home: Home): string | undefined {
  if (isCollectorAlive(home)) return undefined
  const path = home.paths.collectorDiagnostics
  const [time, code, ...words] = (findLastEnd(readTail(path)) ?? '').split(' ')
  if (code !== 'collector_failed') return undefined
  return `the collector failed at ${time}: ${toPrintable(words.join(' '))}; its diagnostics are in ${path}`
}

function findLastEnd(text: string): string | undefined {
  return text.split('\n').findLast((line) => /^\S+ collector_(failed|ended) /.test(line))
}

function readTail(path: string): string {
  const file = openIfThere(path)
  if (file === undefined) return ''
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, tailBytes))
    const count = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, count)
  } finally {
    closeSync(file)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
