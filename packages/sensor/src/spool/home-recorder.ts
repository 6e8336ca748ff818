import type { StreamHead } from '@affidavit/evidence/record/header'
import type { Effect } from '@affidavit/evidence/record/kinds'
import { openHome } from '../durable/home.ts'
import { type FileLayer, systemLayer } from '../durable/layer.ts'
import { createRecorder, type Recorder } from './fail-mode.ts'
import { openStream, type SpoolStream } from './stream.ts'

export interface HomeRecorderOptions {
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
export function openHomeRecorder(options: HomeRecorderOptions): Recorder {
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
    probe: () => recorder.probe(),
    async close(reason) {
      await recorder.close(reason)
      // Nothing was recorded in this session; the stream says so by being closed.
      const unused = first.stream
      first.stream = undefined
      if (unused !== undefined) await (await unused).close(reason)
    },
  }
}

async function openHomeStream(options: HomeRecorderOptions, knownHead?: StreamHead): Promise<SpoolStream> {
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
