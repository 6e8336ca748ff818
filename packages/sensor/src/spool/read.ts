import type { Header, StreamHead } from '@affidavit/evidence/record/header'
import type { FileLayer } from '../durable/layer.ts'
import type { Preamble } from './preamble.ts'

/** Where reading can go on: behind a commit. Plain JSON, to be kept by whoever reads in several goes. */
export interface SegmentCursor {
  /** Number of the segment, from 1. */
  segment: number
  /** Byte offset in it; 0 is before the preamble. */
  offset: number
  /** The head so far; null before the first commit. */
  head: StreamHead | null
}

export interface ReadOptions {
  layer: FileLayer
  /** The spool folder. */
  directory: string
  streamId: string
  /** Default: the beginning. */
  from?: SegmentCursor
  /**
   * `live`: its process may be writing, so what lies behind the last commit says nothing yet. `dead`: it is a torn tail.
   * `closed`: there must be nothing but zeros.
   */
  state: 'live' | 'dead' | 'closed'
  /** Where the stream is known to have ended or at least come to; reading less is corruption. */
  expectedHead?: StreamHead
}

export interface SegmentRecord {
  header: Header
  /** As written. */
  headerBytes: Uint8Array
  /** Header hash, 32 bytes. */
  hash: Uint8Array
  /** Sealed; empty where the record has no sections. */
  body: Uint8Array
}

/** Records reach the reader only inside the commit that signs them. */
export type SegmentItem =
  | { type: 'preamble'; preamble: Preamble }
  | { type: 'commit'; records: SegmentRecord[]; head: StreamHead; signature: Uint8Array; cursor: SegmentCursor }
  /** Last item. `finished`: the stream's closing record was read. tornBytes: from the last commit to the last byte that is not zero; 0 while live. */
  | { type: 'end'; finished: boolean; tornBytes: number; cursor: SegmentCursor }

/** Throws SpoolCorrupt where a byte before the last commit is not as it was written. */
export declare function readSegments(options: ReadOptions): AsyncGenerator<SegmentItem>
