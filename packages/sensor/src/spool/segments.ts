import { join } from 'node:path'
import { type AllocatedFile, type AppendFile, allocateAppendFile } from '../durable/append.ts'
import type { FileLayer } from '../durable/layer.ts'
import { tryUnlink } from '../durable/write.ts'
import { SpoolError } from './error.ts'
import { formatSegmentName, toSegmentName } from './segment-name.ts'

/** Bytes of all segments in the folder. */
export async function measureSpool(layer: FileLayer, directory: string): Promise<number> {
  let bytes = 0
  for (const name of await layer.list(directory)) {
    if (toSegmentName(name) !== undefined) bytes += (await layer.identify(join(directory, name)))?.size ?? 0
  }
  return bytes
}

export interface SegmentsOptions {
  layer: FileLayer
  directory: string
  streamId: string
  /** The preamble's frame for the segment with this number. */
  preambleFrame: (segment: number) => Uint8Array
  segmentBytesMax: number
  spoolBytesMax: number
}

/** Step in which space is allocated: what was used so far, between these bounds, so that small streams stay small. */
const stepBytesMin = 256 * 1024
const stepBytesMax = 4 * 1024 * 1024
const preambleBytesMax = 4096
/**
 * The segment files of one stream: the one in use, and the next one once it is prepared. Crash order: a segment appears
 * under its name only with its preamble durable, and is written to only after everything in the one before is durable.
 */
export class Segments {
  readonly #options: SegmentsOptions
  #current: AppendFile
  #next: AppendFile | undefined
  #segment = 1
  /** Written to the segments before the one in use. */
  #writtenBefore = 0
  readonly #stopping = new AbortController()
  #listener: () => void = () => undefined

  /** Begins the stream in space that allocateFirst returned. `opening` follows the first preamble. Durable when it resolves. */
  static async begin(options: SegmentsOptions, space: AllocatedFile, opening: Uint8Array): Promise<Segments> {
    let segments: Segments | undefined
    const first = Buffer.concat([options.preambleFrame(1), opening])
    const file = await space.publish(first, () => {
      if (segments !== undefined) segments.#listener()
    })
    segments = new Segments(options, file)
    return segments
  }

  private constructor(options: SegmentsOptions, first: AppendFile) {
    this.#options = options
    this.#current = first
  }

  /** The listener is called when `ready` became true without an append having settled. */
  onReady(listener: () => void): void {
    this.#listener = listener
  }

  /** Allocated and not yet written, in the segment in use. */
  get roomBytes(): number {
    return this.#current.allocated - this.#current.end
  }

  /** How little room is left when more is to be allocated. */
  get lowWaterBytes(): number {
    return this.#stepBytes / 2
  }

  get #stepBytes(): number {
    return Math.min(stepBytesMax, Math.max(stepBytesMin, this.#writtenBefore + this.#current.end))
  }

  /** A new segment is prepared and takes over once the old one is drained and this much fits. */
  takesOver(bytes: number): boolean {
    return this.#next !== undefined && bytes <= this.#next.allocated - this.#next.end
  }

  get inFlight(): number {
    return this.#current.inFlight
  }

  get ready(): boolean {
    return this.#current.ready
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#current.append(bytes)
  }

  /**
   * Allocates room for at least `bytes` more: in the segment in use, or, where enough is written to that, in the next one,
   * which must hold all of `carriedBytes` as well. Rejects with AppendError `append_full` or SpoolError `spool_full`.
   * Resolves without more room once stopGrowing was called.
   */
  async grow(bytes: number, carriedBytes: number): Promise<void> {
    const { signal } = this.#stopping
    try {
      await this.#grow(Math.max(this.#stepBytes, bytes), carriedBytes, signal)
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error
    }
  }

  async #grow(step: number, carriedBytes: number, signal: AbortSignal): Promise<void> {
    if (this.#next === undefined && !this.#isLeft(carriedBytes)) {
      await refuseAboveLimit(this.#options, step)
      return this.#current.extend(step, signal)
    }
    const needed = preambleBytesMax + step + carriedBytes
    const there = this.#next === undefined ? 0 : this.#next.allocated - this.#next.end
    await refuseAboveLimit(this.#options, needed - there)
    if (this.#next !== undefined) return this.#next.extend(Math.max(step, needed - there), signal)
    const segment = this.#segment + 1
    const space = await allocateSegment(this.#options, segment, needed, signal)
    this.#next = await space.publish(this.#options.preambleFrame(segment), () => this.#listener())
  }

  /**
   * What was written decides, not what is allocated: many open calls reserve more than a segment holds. What they reserved
   * is allocated again in the next segment, so this one takes at least as much before: zeros never outgrow the records.
   */
  #isLeft(carriedBytes: number): boolean {
    return this.#current.end >= Math.max(this.#options.segmentBytesMax, carriedBytes)
  }

  /** For the end of the stream, which needs no more room: a long allocation is given up, and leaves nothing behind. */
  stopGrowing(): void {
    this.#stopping.abort()
  }

  /** Only when nothing is in flight. */
  async takeOver(): Promise<void> {
    if (this.#next === undefined) return
    const old = this.#current
    this.#current = this.#next
    this.#next = undefined
    this.#segment += 1
    this.#writtenBefore += old.end
    await old.close()
  }

  /** Not while grow is running. A next segment that nothing was written to is removed; where that fails, readers skip it. */
  async close(): Promise<void> {
    const unused = this.#next
    // Nothing takes over from here on.
    this.#next = undefined
    await this.#current.close()
    if (unused === undefined) return
    await unused.close()
    await tryUnlink(this.#options.layer, unused.path)
  }
}

async function refuseAboveLimit({ layer, directory, spoolBytesMax }: SegmentsOptions, bytes: number): Promise<void> {
  const used = await measureSpool(layer, directory)
  if (used + bytes > spoolBytesMax)
    throw new SpoolError(
      'spool_full',
      `${directory} holds ${used} of ${spoolBytesMax} bytes; see that the collector runs, or raise the limit`,
    )
}

function allocateSegment(
  { layer, directory, streamId }: SegmentsOptions,
  segment: number,
  bytes: number,
  signal?: AbortSignal,
): Promise<AllocatedFile> {
  return allocateAppendFile(layer, join(directory, formatSegmentName({ streamId, segment })), bytes, signal)
}

/** Space for a stream's first segment. Rejects with AppendError `append_full` or SpoolError `spool_full`. */
export async function allocateFirst(options: SegmentsOptions): Promise<AllocatedFile> {
  await refuseAboveLimit(options, stepBytesMin)
  return allocateSegment(options, 1, stepBytesMin)
}
