import type { Readable, Writable } from 'node:stream'
import { defer } from '../deferred.ts'

/** Codes that mean: the other end is gone. Normal at the end of every session, in either order. */
const goneCodes = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'EIO', 'EOF'])

/** The writing half of a pipe. Writing to a pipe whose reader went away is silence, not a crash. */
export interface Sink {
  /** Undefined: go on. A promise: the pipe is full, wait before the next write. Never rejects. */
  write(bytes: Uint8Array): Promise<void> | undefined
  /** Resolves once everything written has left this process, or the other end is gone. What is written later is dropped. */
  end(): Promise<void>
  readonly gone: boolean
}

/** `onGone` is called once, with the error code, when the reader went away; at once where it has already. */
export function openSink(stream: Writable, onGone: (code: string) => void): Sink {
  const state = { gone: false, ended: false, corked: false, waiting: new Set<() => void>() }
  const wake = () => {
    for (const resume of state.waiting) resume()
    state.waiting.clear()
  }
  // Lines that one commit releases together leave in one system call, and wake their reader once.
  const gather = () => {
    if (state.corked) return
    state.corked = true
    stream.cork()
    process.nextTick(() => {
      state.corked = false
      stream.uncork()
    })
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
    get gone() {
      return state.gone
    },
    write(bytes) {
      if (state.gone || state.ended || bytes.length === 0) return undefined
      gather()
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

/**
 * Feeds `take` with every chunk in order; where it returns a promise, the pipe is not read until that settles, so that
 * back-pressure reaches the writer. Resolves at end of input, or when the writer went away; at once where it has already.
 */
export function drain(stream: Readable, take: (chunk: Uint8Array) => Promise<void> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = false
    let busy: Promise<void> | undefined
    const finish = () => {
      if (ended) return
      ended = true
      if (busy === undefined) resolve()
      else busy.then(resolve, reject)
    }
    if (stream.readableEnded || stream.destroyed) {
      resolve()
      return
    }
    stream.on('data', (chunk: Buffer) => {
      const wait = take(chunk)
      if (wait === undefined) return
      stream.pause()
      busy = wait
      wait.then(() => {
        busy = undefined
        if (!ended) stream.resume()
      }, reject)
    })
    stream.on('end', finish)
    stream.on('close', finish)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (goneCodes.has(error.code ?? '')) finish()
      else reject(error)
    })
    // Whoever held the stream for us (child.ts) lets go; with a listener for 'data' there it begins to flow.
    stream.removeAllListeners('readable')
  })
}
