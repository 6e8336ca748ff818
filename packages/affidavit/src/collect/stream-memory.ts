import type { SequenceStore, StreamState } from '../store/contract.ts'

/** A stream as far as it was admitted, which is ahead of what is sequenced. */
export interface KnownStream {
  state: StreamState
  /** Opened from the batch's sealed secret; forgotten with the stream. */
  secret?: Uint8Array
}

/** Streams this process has seen, and the counters they claimed. Filled from the store on first sight. */
export interface StreamMemory {
  find(streamId: string): Promise<KnownStream | undefined>
  /** Stream that claimed this number of this sensor. */
  findByCounter(sensorId: string, counter: number): Promise<string | undefined>
  keep(stream: KnownStream): void
  /** Drops a stream that ended and is sequenced; the store answers for it from then on. */
  forget(streamId: string): void
}

export function createStreamMemory(store: SequenceStore): StreamMemory {
  const streams = new Map<string, KnownStream>()
  const claims = new Map<string, string>()
  return {
    find: async (streamId) => {
      const known = streams.get(streamId)
      if (known !== undefined) return known
      const state = await store.readStream(streamId)
      return streams.get(streamId) ?? (state === undefined ? undefined : { state })
    },
    findByCounter: async (sensorId, counter) =>
      claims.get(`${sensorId}/${counter}`) ?? (await store.findByCounter(sensorId, counter)),
    keep: (stream) => {
      const { opening, streamId } = stream.state
      streams.set(streamId, stream)
      if (opening !== undefined) claims.set(`${opening.sensorId}/${opening.counter}`, streamId)
    },
    forget: (streamId) => {
      const opening = streams.get(streamId)?.state.opening
      streams.delete(streamId)
      if (opening !== undefined) claims.delete(`${opening.sensorId}/${opening.counter}`)
    },
  }
}
