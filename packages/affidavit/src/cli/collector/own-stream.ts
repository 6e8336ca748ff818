import type { Home } from '@affidavit/sensor/durable/home'
import { openStream, type SpoolStream } from '@affidavit/sensor/spool/stream'
import type { Append } from '../../collect/recover.ts'

/** The collector's own spool stream, opened with its first record: a collector that has nothing to say leaves no trace. */
export interface OwnStream {
  append: Append
  /** Whether it is, or in this process was, the own stream. */
  has(streamId: string): boolean
  close(reason: 'idle' | 'signal'): Promise<void>
}

/** `adopt` tells the admission that the stream is ours, before anything on it is shipped. */
export function createOwnStream(home: Home, software: string, adopt: (streamId: string) => Promise<void>): OwnStream {
  let stream: Promise<SpoolStream> | undefined
  let current: SpoolStream | undefined
  const ids = new Set<string>()
  const open = async () => {
    const opened = await openStream({ home, software })
    ids.add(opened.streamId)
    // A crash here leaves a stream with nothing but its opening record, recovered like any other.
    await adopt(opened.streamId)
    current = opened
    return opened
  }
  return {
    append: async (draft, sections) => {
      // After a failure the stream accepts nothing any more, so a new one is opened.
      if (stream === undefined || current?.failure !== undefined) stream = open()
      try {
        return await (await stream).append(draft, sections)
      } catch (error) {
        if (current === undefined) stream = undefined
        throw error
      }
    },
    has: (streamId) => ids.has(streamId),
    close: async (reason) => {
      if (current !== undefined && current.failure === undefined) await current.close(reason)
    },
  }
}
