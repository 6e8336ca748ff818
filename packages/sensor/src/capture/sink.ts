import type { Writable } from 'node:stream'
import { defer } from './deferred.ts'

/** The writing half of a pipe or connection. Writing to one whose reader went away is silence, not a crash. */
export interface Sink {
  /** Undefined: go on. A promise: the pipe is full, wait before the next write. Never rejects. */
  write(bytes: Uint8Array): Promise<void> | undefined
  /** Resolves once everything written has left this process, or the other end is gone. What is written later is dropped. */
  end(): Promise<void>
  /**
   * A method, not a getter: a getter in an object literal gives every object a hidden class of its own, which lives in the old
   * generation and holds all that the getter can reach until the next full collection.
   */
  isGone(): boolean
}

/**
 * Lines that one commit releases together leave in one system call, and wake their reader once. For pipes only: Node ends a
 * chunked HTTP body before what is corked in it.
 */
export function gatherWrites(stream: Writable): () => void {
  let isCorked = false
  return () => {
    if (isCorked) return
    isCorked = true
    stream.cork()
    process.nextTick(() => {
      isCorked = false
      stream.uncork()
    })
  }
}

/** `onGone` is called once, with the error code, when the reader went away; at once where it has already. */
export function openSink(stream: Writable, onGone: (code: string) => void, beforeWrite: () => void = noop): Sink {
  const state = { gone: false, ended: false, waiting: new Set<() => void>() }
  const wake = () => {
    for (const resume of state.waiting) resume()
    state.waiting.clear()
  }
  const leave = (code: string) => {
    if (state.gone) return
    state.gone = true
    wake()
    onGone(code)
  }
  stream.on('drain', wake)
  stream.on('error', (error: NodeJS.ErrnoException) => leave(error.code ?? 'unknown'))
  stream.on('close', () => leave('closed'))
  // A server that ended before we were ready told nobody.
  if (stream.destroyed) leave('closed')
  return {
    isGone: () => state.gone,
    write(bytes) {
      if (state.gone || state.ended || bytes.length === 0) return undefined
      beforeWrite()
      if (stream.write(bytes)) return undefined
      const { promise, resolve } = defer<void>()
      state.waiting.add(resolve)
      return promise
    },
    end() {
      const { promise, resolve } = defer<void>()
      state.ended = true
      if (state.gone) resolve()
      else {
        state.waiting.add(resolve)
        stream.end(resolve)
      }
      return promise
    },
  }
}

const noop = () => undefined

/** Writes in order; waits where the receiver is slower than the sender. */
export async function writeAll(sink: Sink, ...parts: readonly (Uint8Array | undefined)[]): Promise<void> {
  for (const bytes of parts) {
    const wait = bytes === undefined ? undefined : sink.write(bytes)
    if (wait !== undefined) await wait
  }
}
