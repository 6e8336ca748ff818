import { AppendError, type AppendErrorCode, toAppendError } from '../durable/append.ts'
import { HomeError } from '../durable/home-keys.ts'

/**
 * What a stream answers when it cannot record.
 * - `spool_full`: no space on the disk or within the spool's limit. Retry: space may come back.
 * - `too_many_open`: as many calls are open as may set space aside for their outcomes. Retry: each that completes makes room.
 * - `spool_read_only`: the file system refuses writes. Retry: the recorder opens a new stream.
 * - `spool_replaced`: the segment was deleted, moved or replaced underneath. Retry: likewise.
 * - `spool_io`: a write or sync failed otherwise. Retry: likewise.
 * - `spool_closed`: the stream was closed by its owner.
 * - `record_too_large`: this record never fits; its sections must become smaller.
 * - `gap_not_durable`: failing open was configured, but not even the gap could be recorded.
 */
export const spoolErrorCodes = [
  'spool_full', 'spool_read_only', 'spool_replaced', 'spool_io', 'spool_closed', 'record_too_large', 'gap_not_durable',
  'too_many_open',
] as const // biome-ignore format: one list, read as one
export type SpoolErrorCode = (typeof spoolErrorCodes)[number]

const final: readonly SpoolErrorCode[] = ['spool_closed', 'record_too_large']

export class SpoolError extends Error {
  override readonly name = 'SpoolError'
  readonly code: SpoolErrorCode
  /** Whether the same record may be durable later. */
  readonly retry: boolean

  constructor(code: SpoolErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.code = code
    this.retry = !final.includes(code)
  }
}

/** A segment that cannot have come to be by a crash: someone, or the disk, changed it. Never worth a retry. */
export class SpoolCorrupt extends Error {
  override readonly name = 'SpoolCorrupt'
  readonly code = 'spool_corrupt'
  readonly retry = false
  /** File name of the segment. */
  readonly segment: string
  /** Byte offset in it. */
  readonly offset: number
  readonly why: string

  constructor(segment: string, offset: number, why: string) {
    super(`${segment}, byte ${offset}: ${why}`)
    this.segment = segment
    this.offset = offset
    this.why = why
  }
}

const codesOf: Record<AppendErrorCode, SpoolErrorCode> = {
  append_full: 'spool_full',
  append_read_only: 'spool_read_only',
  append_replaced: 'spool_replaced',
  append_io: 'spool_io',
}

/** What a stream answers for a failure below it. A defect of ours counts as `spool_io`: nothing may pass as recorded. */
export function toSpoolError(path: string, error: unknown): SpoolError {
  if (error instanceof SpoolError) return error
  // What the file system refused the home folder is what it would have refused the spool.
  const failed = toAppendError(path, error instanceof HomeError ? error.cause : error)
  if (failed instanceof AppendError) return new SpoolError(codesOf[failed.code], failed.message, { cause: error })
  return new SpoolError('spool_io', `${path}: ${String(error)}`, { cause: error })
}
