import { readFileSync } from 'node:fs'
import type { Home } from '@affidavit/sensor/durable/home'
import { isProcessDead } from '@affidavit/sensor/durable/process'
import { z } from 'zod'

const processFile = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
})

/** Whether run/collector.json names a living process. A file that is missing or half written names none. */
export function isCollectorAlive(home: Home): boolean {
  return isProcessAlive(home.paths.collectorProcess)
}

export function isProcessAlive(path: string): boolean {
  const ref = readProcess(path)
  return ref !== undefined && !isProcessDead(ref)
}

export function readCollectorProcess(home: Home): z.infer<typeof processFile> | undefined {
  return readProcess(home.paths.collectorProcess)
}

function readProcess(path: string): z.infer<typeof processFile> | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  return parseProcess(text)
}

function parseProcess(text: string): z.infer<typeof processFile> | undefined {
  try {
    return processFile.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
