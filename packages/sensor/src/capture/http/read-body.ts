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
  if (!request.complete) {
    await held.close()
    return undefined
  }
  const { scanned, text, isUndecodable } = await copy.end()
  const { isEncoded } = copy
  return { held, scanned, text: isEncoded ? text : held.inMemory(), isEncoded, isUndecodable, failure }
}

/** What a body says, read from a copy while the body goes by. */
export interface BodyCopy {
  readonly isEncoded: boolean
  push(bytes: Uint8Array): Promise<void> | undefined
  /** Offset, among the bytes pushed, of the last one of the JSON value once it was seen. Of encoded bodies: any number. */
  readonly topEnd: number | undefined
  /** `text` where the body is encoded and what it says is at most memoryBytesMax. */
  end(): Promise<{ scanned: ScannedLine; text: Uint8Array | undefined; isUndecodable: boolean }>
}

export function openBodyCopy(rawHeaders: readonly string[], memoryBytesMax: number): BodyCopy {
  const scan = new LineScan()
  const decoder = openDecoder(rawHeaders)
  if (decoder === undefined)
    return {
      isEncoded: false,
      push(bytes) {
        scan.push(bytes)
        return undefined
      },
      get topEnd() {
        return scan.topEnd
      },
      end: async () => ({ scanned: scan.end(), text: undefined, isUndecodable: false }),
    }
  const parts: Uint8Array[] = []
  let length = 0
  let isUndecodable = false
  const take = (decoded: Uint8Array[]) => {
    for (const part of decoded) {
      scan.push(part)
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
    get topEnd() {
      return scan.topEnd
    },
    async end() {
      await step(() => decoder.end())
      return { scanned: scan.end(), text: length <= memoryBytesMax ? Buffer.concat(parts) : undefined, isUndecodable }
    },
  }
}
