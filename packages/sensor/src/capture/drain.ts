import type { Readable } from 'node:stream'
import { Pieces } from './pieces.ts'

/** Codes that mean: the other end is gone. Normal at the end of every session, in either order. */
const goneCodes = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'EIO', 'EOF'])

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
      flush()
      if (busy === undefined) resolve()
      else busy.then(resolve, reject)
    }
    if (stream.readableEnded || stream.destroyed) {
      resolve()
      return
    }
    const pieces = new Pieces()
    const flush = () => {
      for (const chunk of gather(pieces.take())) give(chunk)
    }
    const give = (chunk: Uint8Array) => {
      // A paused stream may still give a chunk, where something else resumed it: it waits for its turn.
      const wait = busy === undefined ? take(chunk) : busy.then(() => take(chunk))
      if (wait === undefined) return
      stream.pause()
      const turn = wait.then(() => {
        if (busy !== turn) return
        busy = undefined
        if (!ended) stream.resume()
      })
      busy = turn
      turn.catch(reject)
    }
    stream.on('data', (chunk: Buffer) => {
      if (pieces.length === 0) process.nextTick(flush)
      pieces.push(chunk)
    })
    stream.on('end', finish)
    stream.on('close', finish)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (goneCodes.has(error.code ?? '')) finish()
      else reject(error)
    })
    // Whoever held the stream for us (child.ts) lets go; with a listener for 'data' there it begins to flow, paused or not.
    if (stream.listenerCount('readable') > 0) stream.removeAllListeners('readable')
  })
}

/** Pieces of this size on average cost more to copy than to take one by one. */
const largeBytes = 4096

/** What one read of a connection brought is one chunk, in however many pieces HTTP sent it, unless that copies much. */
function gather(pieces: Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return pieces.length < 2 || length >= pieces.length * largeBytes ? pieces : [Buffer.concat(pieces, length)]
}
