import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { headerOf, type RawHeaders } from './raw-headers.ts'

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

/** Decoded bytes per encoded byte at which a body is taken for a bomb and no longer read. Real JSON stays below 50. */
const expansionMax = 1100
const expansionFloor = 16 * 1024 * 1024

/** Undefined where the body is not encoded. Several encodings are undone in reverse order (RFC 9110 §8.4). */
export function openDecoder(raw: RawHeaders): BodyDecoder | undefined {
  const codings = (headerOf(raw, 'content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length === 0) return undefined
  return limitExpansion(codings.reverse().map(openCoding).reduce(chain))
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
  let failure: DecodeError | undefined
  const take = (): Uint8Array[] => {
    const parts: Uint8Array[] = []
    for (let part: unknown = transform.read(); part !== null; part = transform.read())
      if (part instanceof Uint8Array) parts.push(part)
    return parts
  }
  const step = (start: (done: (error?: Error | null) => void) => void): Promise<Uint8Array[]> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) {
        reject(failure)
        return
      }
      const parts: Uint8Array[] = []
      // More than one buffer of output waits to be read before the input counts as taken.
      const onReadable = () => parts.push(...take())
      const onError = (error: Error) => finish(error)
      const finish = (error?: Error | null) => {
        transform.off('readable', onReadable)
        transform.off('error', onError)
        if (error) {
          failure = new DecodeError(
            `the body is not what its content encoding says (${'code' in error ? error.code : ''})`,
          )
          transform.on('error', () => failure)
          reject(failure)
        } else resolve([...parts, ...take()])
      }
      transform.on('readable', onReadable)
      transform.on('error', onError)
      start(finish)
    })
  return {
    push: (bytes) => step((done) => transform.write(bytes, done)),
    end: () =>
      step((done) => {
        transform.once('end', () => done())
        transform.end()
        transform.read(0)
      }),
  }
}

/** In JavaScript, since Node 20 brings none. */
function openZstd(): BodyDecoder {
  let parts: Uint8Array[] = []
  const stream = new Decompress((part) => parts.push(part))
  const step = async (bytes: Uint8Array, place: 'within' | 'last'): Promise<Uint8Array[]> => {
    parts = []
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

function limitExpansion(decoder: BodyDecoder): BodyDecoder {
  let taken = 0
  let given = 0
  const count = (parts: Uint8Array[]): Uint8Array[] => {
    for (const part of parts) given += part.length
    if (given > expansionFloor && given > taken * expansionMax)
      throw new DecodeError('the body expands beyond what is read of it')
    return parts
  }
  return {
    push: async (bytes) => {
      taken += bytes.length
      return count(await decoder.push(bytes))
    },
    end: async () => count(await decoder.end()),
  }
}
