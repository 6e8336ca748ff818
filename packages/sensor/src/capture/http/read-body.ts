import type { IncomingMessage } from 'node:http'
import { drain } from '../drain.ts'
import { HeldBytes } from '../hold.ts'
import type { ScannedLine } from '../message.ts'
import { LineScan } from '../scan.ts'
import { openDecoder } from './decode.ts'

/** Requests up to this size wait in memory, larger ones in an encrypted temporary file. */
const requestMemoryBytesMax = 4 * 1024 * 1024

/** A request's body, read whole; nothing of it has gone on. */
export interface RequestBody {
  held: HeldBytes
  scanned: ScannedLine
  /** What the body says, where it is in memory. */
  text: Uint8Array | undefined
  isEncoded: boolean
  isUndecodable: boolean
  /** Why it could not be held; then it was read to its end and dropped. */
  failure: unknown
}

/** Undefined where the client went away before the end of its request. */
export async function readRequestBody(request: IncomingMessage): Promise<RequestBody | undefined> {
  const held = new HeldBytes(requestMemoryBytesMax)
  const copy = openBodyCopy(request.rawHeaders, requestMemoryBytesMax)
  let failure: unknown
  const keep = async (bytes: Uint8Array): Promise<void> => {
    try {
      await held.append(bytes)
    } catch (error) {
      failure = error
    }
  }
  await drain(request, (bytes) => {
    const wait = copy.push(bytes)
    const isHeld = failure === undefined && held.length + bytes.length <= requestMemoryBytesMax
    const kept = isHeld ? held.append(bytes) : failure === undefined ? keep(bytes) : undefined
    return wait === undefined || kept === undefined ? (wait ?? kept) : Promise.all([wait, kept]).then(() => undefined)
  })
  // Node throws away what it has read of a request whose client is gone.
  if (!request.complete || !request.readableEnded) {
    await held.close()
    return undefined
  }
  const { scanned, text, isUndecodable } = await copy.end()
  const { isEncoded } = copy
  return { held, scanned, text: isEncoded ? text : held.inMemory(), isEncoded, isUndecodable, failure }
}

const byteOrderMark = [0xef, 0xbb, 0xbf]
const space = 0x20

/**
 * The official clients and servers skip a byte order mark at the beginning of a body (Fetch, `json()`). In the copy that is
 * read blanks stand for it, so that offsets stay true. What only begins like one is handed on as it is.
 */
function openMarkBlanker(): (bytes: Uint8Array) => Uint8Array {
  let at = 0
  return (bytes) => {
    const from = at
    at += bytes.length
    if (from > 2 || bytes[0] !== byteOrderMark[from]) return bytes
    const mark = byteOrderMark.slice(from, from + bytes.length)
    const isMark = mark.every((byte, i) => bytes[i] === byte)
    return isMark ? Uint8Array.from(bytes, (byte, i) => (i < mark.length ? space : byte)) : bytes
  }
}

/** What a body says, read from a copy while the body goes by. */
export interface BodyCopy {
  readonly isEncoded: boolean
  push(bytes: Uint8Array): Promise<void> | undefined
  /** Offset, among the bytes pushed, of the last one of the JSON value once it was seen. Of encoded bodies: any number. */
  topEnd(): number | undefined
  /** `text` where the body is encoded and what it says is at most memoryBytesMax. */
  end(): Promise<{ scanned: ScannedLine; text: Uint8Array | undefined; isUndecodable: boolean }>
}

export function openBodyCopy(rawHeaders: readonly string[], memoryBytesMax: number): BodyCopy {
  const scan = new LineScan()
  const blankMark = openMarkBlanker()
  const decoder = openDecoder(rawHeaders)
  if (decoder === undefined)
    return {
      isEncoded: false,
      push(bytes) {
        scan.push(blankMark(bytes))
        return undefined
      },
      topEnd: () => scan.topEnd,
      end: async () => ({ scanned: scan.end(), text: undefined, isUndecodable: false }),
    }
  const parts: Uint8Array[] = []
  let length = 0
  let isUndecodable = false
  const take = (decoded: Uint8Array[]) => {
    for (const part of decoded) {
      scan.push(blankMark(part))
      length += part.length
      if (length <= memoryBytesMax) parts.push(part)
      else parts.length = 0
    }
  }
  const step = async (decode: () => Promise<Uint8Array[]>): Promise<void> => {
    if (isUndecodable) return
    try {
      take(await decode())
    } catch (error) {
      // What cannot be read is said in a violation; the bytes go on all the same.
      isUndecodable = error instanceof Error
    }
  }
  return {
    isEncoded: true,
    push: (bytes) => step(() => decoder.push(bytes)),
    topEnd: () => scan.topEnd,
    async end() {
      await step(() => decoder.end())
      return { scanned: scan.end(), text: length <= memoryBytesMax ? Buffer.concat(parts) : undefined, isUndecodable }
    },
  }
}
