import { createHash, type Hash } from 'node:crypto'
import { clipText } from '@affidavit/evidence/record/text'
import { decodeString, type ScannedMessage } from './message.ts'

const toolsMax = 20_000
const blocksMax = 64
const rawBytesMax = 2048
const textKeys = new Set(['name', 'type', 'mimeType'])

/** An element of `result.tools` or `result.content` while it goes by: a few of its strings, its size, a tool's hash. */
export class ListElement {
  readonly #kind: 'tool' | 'block'
  readonly #start: number
  readonly #hash: Hash | undefined
  readonly #texts = new Map<string, string>()
  #hashedTo: number
  #key = ''

  constructor(kind: 'tool' | 'block', start: number) {
    this.#kind = kind
    this.#start = start
    this.#hashedTo = start
    this.#hash = kind === 'tool' ? createHash('sha256') : undefined
  }

  takeKey(raw: Uint8Array | undefined): void {
    const key = raw === undefined ? '' : decodeString(raw)
    this.#key = textKeys.has(key) ? key : ''
  }

  takeText(raw: Uint8Array | undefined): void {
    if (this.#key !== '' && raw !== undefined && raw.length <= rawBytesMax)
      this.#texts.set(this.#key, decodeString(raw))
  }

  /** Hashes up to offset `to`; `chunk` begins at `chunkStart` and holds everything since the last call. */
  hashTo(to: number, chunk: Uint8Array, chunkStart: number): void {
    if (this.#hash === undefined || to <= this.#hashedTo) return
    this.#hash.update(chunk.subarray(Math.max(this.#hashedTo, chunkStart) - chunkStart, to - chunkStart))
    this.#hashedTo = to
  }

  /** The element is over: what a record needs of it goes to the message. */
  finish(message: ScannedMessage, end: number): void {
    if (this.#kind === 'block') {
      message.blockCount++
      const mimeType = this.#texts.get('mimeType')
      if (message.blocks.length < blocksMax)
        message.blocks.push({
          type: clipText(this.#texts.get('type') ?? ''),
          bytes: end - this.#start,
          ...(mimeType === undefined ? {} : { mimeType: clipText(mimeType) }),
        })
      return
    }
    const name = this.#texts.get('name')
    if (name === undefined || this.#hash === undefined) return
    message.toolCount++
    if (message.tools.length >= toolsMax) return
    message.tools.push({ name, definition: this.#hash.digest('base64'), start: this.#start, end })
  }
}
