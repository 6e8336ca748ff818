import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { HmacSha256 } from '@affidavit/evidence/record/crypto'
import { digestValue, toCorrelationKey } from '@affidavit/evidence/record/digest'
import type { StreamHead } from '@affidavit/evidence/record/header'
import type { Effect } from '@affidavit/evidence/record/kinds'
import type { CaptureContext } from '../capture/context.ts'
import { sha256 } from '../crypto/node.ts'
import { openHome } from '../durable/home.ts'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { createRecorder, type Recorder } from '../spool/fail-mode.ts'
import { openStream, type SpoolStream } from '../spool/stream.ts'
import { diagnose } from './diagnostics.ts'

export interface RecorderOptions {
  homeDir: string
  failOpen: readonly Effect[]
  software: string
  spoolBytesMax?: number
  /** For benchmarks alone: how much longer every sync takes, as on a slow disk. */
  syncDelayMs?: number
}

/**
 * Records into the home folder's spool. A folder that cannot be used refuses call by call, and is tried again. The stream
 * is opened at once, not with the first record: its opening record is durable by the time the client has something to say.
 */
export function openRecorder(options: RecorderOptions): Recorder {
  const first: { stream: Promise<SpoolStream> | undefined } = { stream: openHomeStream(options) }
  // Its failure is told to the first record that needs it.
  first.stream?.catch(() => undefined)
  const recorder = createRecorder({
    failOpen: new Set(options.failOpen),
    open: (knownHead) => {
      const early = first.stream
      first.stream = undefined
      return early ?? openHomeStream(options, knownHead)
    },
  })
  return {
    emit: (draft, sections) => recorder.emit(draft, sections),
    async close(reason) {
      await recorder.close(reason)
      // Nothing was recorded in this session; the stream says so by being closed.
      const unused = first.stream
      first.stream = undefined
      if (unused !== undefined) await (await unused).close(reason)
    },
  }
}

async function openHomeStream(options: RecorderOptions, knownHead?: StreamHead): Promise<SpoolStream> {
  const { homeDir, software, spoolBytesMax } = options
  return openStream({
    home: await openHome(homeDir, await chooseLayer(options.syncDelayMs ?? 0)),
    software,
    ...(knownHead === undefined ? {} : { knownHead }),
    ...(spoolBytesMax === undefined ? {} : { spoolBytesMax }),
  })
}

async function chooseLayer(syncDelayMs: number): Promise<FileLayer> {
  if (!(syncDelayMs > 0)) return systemLayer
  const { delaySyncs } = await import('../durable/layer-delay.ts')
  return delaySyncs(systemLayer, syncDelayMs)
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

/** Keyed digests of this connection. OpenSSL sets a key up once per key object: ten times faster than once per digest. */
export function createDigester(key: Uint8Array): CaptureContext['digest'] {
  const correlation = toCorrelationKey(sha256, key)
  const secret = createSecretKey(key)
  const hmac: HmacSha256 = (_key, ...parts) => {
    const mac = createHmac('sha256', secret)
    for (const part of parts) mac.update(part)
    return mac.digest()
  }
  return (value) => digestValue(hmac, correlation, value)
}
