import { randomBytes } from 'node:crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { Effect } from '@affidavit/evidence/record/kinds'
import type { CaptureContext } from '../capture/context.ts'
import { hmacSha256, sha256 } from '../crypto/node.ts'
import { type Home, openHome } from '../durable/home.ts'
import { createRecorder, type Recorder } from '../spool/fail-mode.ts'
import { openStream } from '../spool/stream.ts'
import { diagnose } from './diagnostics.ts'

export interface RecorderOptions {
  homeDir: string
  failOpen: readonly Effect[]
  software: string
  spoolBytesMax?: number
}

/** Records into the home folder's spool. A folder that cannot be used refuses call by call, and is tried again. */
export function openRecorder(options: RecorderOptions): Recorder {
  const { homeDir, software, spoolBytesMax } = options
  let home: Promise<Home> | undefined
  return createRecorder({
    failOpen: new Set(options.failOpen),
    open: async (knownHead) => {
      home ??= openHome(homeDir)
      const opened = await home.catch((error: unknown) => {
        home = undefined
        throw error
      })
      return openStream({
        home: opened,
        software,
        ...(knownHead === undefined ? {} : { knownHead }),
        ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
      })
    },
  })
}

/**
 * The home's correlation key. Where it cannot be had, calls are refused anyway (or pass unrecorded under a gap); until the
 * home comes back a random key stands in, so that no value is ever digested without one.
 */
export async function loadCorrelationKey(homeDir: string): Promise<Uint8Array> {
  try {
    const home = await openHome(homeDir)
    return (await home.correlationKey()).key
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    diagnose(
      'AFD_HOME_UNUSABLE',
      `the home folder cannot be used (${code}); see 'affidavit status' and its permissions`,
    )
    return randomBytes(32)
  }
}

export function createDigester(key: Uint8Array): CaptureContext['digest'] {
  const correlation = toCorrelationKey(sha256, key)
  return (value) => digestValue(hmacSha256, correlation, value)
}
