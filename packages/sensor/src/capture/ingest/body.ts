import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { IngestProblem } from './problem.ts'

/** Of a body as it comes, and again of what it unpacks to. */
const bodyBytesMax = 4 * 1024 * 1024

const unpack = promisify(gunzip)

/** How much of a body there may be in memory: what its length says, and where that says little, the most there can be. */
export function bodyBytesOf({ headers }: IncomingMessage): number {
  const length = Number(headers['content-length'])
  return headers['content-encoding'] === undefined && length < bodyBytesMax ? length : bodyBytesMax
}

/** The client went away before its body was complete: there is nobody to answer. */
export class Aborted extends Error {
  override readonly name = 'Aborted'
}

/** The body, unpacked. Holds at most twice bodyBytesMax. Throws IngestProblem and Aborted. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const encoding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new IngestProblem('AFD_INGEST_MEDIA_TYPE', 'Content-Encoding', 'identity and gzip are understood')
  if (Number(req.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge()
  const bytes = await collect(req)
  return encoding === 'gzip' ? unzip(bytes) : bytes
}

async function collect(req: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a body arrives as bytes')
      length += chunk.length
      if (length > bodyBytesMax) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof IngestProblem || error instanceof TypeError) throw error
    throw new Aborted('the body ended early', { cause: error })
  }
  return Buffer.concat(chunks)
}

async function unzip(bytes: Buffer): Promise<Buffer> {
  try {
    return await unpack(bytes, { maxOutputLength: bodyBytesMax })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new IngestProblem('AFD_INGEST_MALFORMED', 'Content-Encoding', `not gzip (${String(code)})`)
  }
}

function tooLarge(): IngestProblem {
  return new IngestProblem('AFD_INGEST_TOO_LARGE', '', `a body has at most ${bodyBytesMax} bytes, unpacked`)
}
