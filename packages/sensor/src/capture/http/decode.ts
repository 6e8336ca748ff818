import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { type RawHeaders, valuesOf } from './raw-headers.ts'

/** A copy of an encoded body, decoded while it goes by. The body itself is never touched. */
export interface BodyDecoder {
  /** What these bytes decode to, as far as it can be known yet. Rejects with DecodeError, then and ever after. */
  push(bytes: Uint8Array): Promise<Uint8Array[]>
  /** The body is over. Rejects with DecodeError where the encoding was not. */
  end(): Promise<Uint8Array[]>
}

/** The content encoding is unknown, or the bytes are not of it: the copy cannot be read. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code = 'AFD_UNDECODABLE'
  readonly retry = false
}

/**
 * Decoded bytes per encoded byte at which a body is taken for a bomb and no longer read. Real JSON stays below 50. Counted
 * while it expands: 1 KiB of brotli or zstd may hold gigabytes.
 */
const expansionMax = 100
const expansionFloor = 16 * 1024 * 1024
/** Nobody encodes a body more often, and each layer multiplies what the next one expands to. */
const codingsMax = 3

/** Undefined where the body is not encoded. Several encodings are undone in reverse order (RFC 9110 §8.4). */
export function openDecoder(raw: RawHeaders): BodyDecoder | undefined {
  const codings = valuesOf(raw, 'content-encoding')
    .join()
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length === 0) return undefined
  if (codings.length > codingsMax) return unreadable('there are too many content encodings')
  return codings.reverse().map(openCoding).reduce(chain)
}

/** What a coding may give for what it took. */
function openAllowance(): { take(bytes: Uint8Array): void; give(bytes: Uint8Array): DecodeError | undefined } {
  let taken = 0
  let given = 0
  return {
    take: ({ length }) => {
      taken += length
    },
    give: ({ length }) => {
      given += length
      const isBomb = given > expansionFloor && given > taken * expansionMax
      return isBomb ? new DecodeError('the body expands beyond what is read of it') : undefined
    },
  }
}

function openCoding(coding: string): BodyDecoder {
  // What was decoded must come out at once: events are judged as they arrive, and ends may be cut.
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH }
  if (coding === 'gzip' || coding === 'x-gzip') return fromTransform(zlib.createGunzip(flush))
  if (coding === 'deflate') return fromTransform(zlib.createInflate(flush))
  if (coding === 'br')
    return fromTransform(zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH }))
  if (coding === 'zstd') return openZstd()
  return unreadable(`content encoding ${/^[a-z0-9-]{1,16}$/.test(coding) ? coding : 'of that name'} is not known`)
}

function unreadable(reason: string): BodyDecoder {
  const fail = () => Promise.reject(new DecodeError(reason))
  return { push: fail, end: fail }
}

function fromTransform(transform: Transform): BodyDecoder {
  const allowance = openAllowance()
  let failure: DecodeError | undefined
  const step = (start: (done: (error?: Error | null) => void) => void): Promise<Uint8Array[]> =>
    new Promise((resolve, reject) => {
      const parts: Uint8Array[] = []
      const finish = (error?: Error | null) => {
        transform.off('readable', take)
        transform.off('error', finish)
        if (error) failure ??= toDecodeError(error)
        if (failure === undefined) take()
        if (failure === undefined) resolve(parts)
        else reject(giveUp(transform, failure))
      }
      // More than one buffer of output waits to be read before the input counts as taken.
      const take = () => {
        for (let part: unknown = transform.read(); part !== null; part = transform.read()) {
          if (!(part instanceof Uint8Array)) continue
          parts.push(part)
          failure = allowance.give(part)
          if (failure !== undefined) return finish()
        }
      }
      transform.on('readable', take)
      transform.on('error', finish)
      if (failure !== undefined) finish()
      else start(finish)
    })
  return {
    push: (bytes) => {
      allowance.take(bytes)
      if (transform.readableEnded) failure ??= new DecodeError('the body goes on where its encoding ends')
      return step((done) => transform.write(bytes, done))
    },
    end: () =>
      step((done) => {
        if (transform.readableEnded) return done()
        transform.once('end', () => done())
        transform.end()
        transform.read(0)
      }),
  }
}

function toDecodeError(error: Error): DecodeError {
  const code = 'code' in error ? error.code : ''
  return new DecodeError(`the body is not what its content encoding says (${code})`)
}

function giveUp(transform: Transform, failure: DecodeError): DecodeError {
  // What it still says is about the same failure.
  transform.on('error', () => failure)
  transform.destroy()
  return failure
}

/** In JavaScript, since Node 20 brings none. */
function openZstd(): BodyDecoder {
  const allowance = openAllowance()
  let parts: Uint8Array[] = []
  const stream = new Decompress((part) => {
    parts.push(part)
    const failure = allowance.give(part)
    if (failure !== undefined) throw failure
  })
  const step = async (bytes: Uint8Array, place: 'within' | 'last'): Promise<Uint8Array[]> => {
    parts = []
    allowance.take(bytes)
    try {
      stream.push(bytes, place === 'last')
    } catch (error) {
      throw new DecodeError(`the body is not zstd (${error instanceof Error ? error.name : ''})`)
    }
    return parts
  }
  return { push: (bytes) => step(bytes, 'within'), end: () => step(new Uint8Array(0), 'last') }
}

function chain(outer: BodyDecoder, inner: BodyDecoder): BodyDecoder {
  const pass = async (parts: Uint8Array[]) => {
    const out: Uint8Array[] = []
    for (const part of parts) out.push(...(await inner.push(part)))
    return out
  }
  return {
    push: async (bytes) => pass(await outer.push(bytes)),
    end: async () => [...(await pass(await outer.end())), ...(await inner.end())],
  }
}
