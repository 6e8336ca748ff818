import type { Draft, StreamHead } from '@affidavit/evidence/record/header'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { Home } from '../durable/home.ts'
import type { FileLayer } from '../durable/layer.ts'

/** Says that a record is durable, or (`recorded` false) that it was let pass under an open, durable gap. */
export interface Receipt {
  recorded: boolean
  /** Of the record; where it passed unrecorded, of the `gap` record that says so. */
  seq: number
  /** Header hash, 32 bytes; likewise. */
  hash: Uint8Array
}

export type CloseReason = 'exit' | 'signal' | 'idle' | 'error'

export interface StreamOptions {
  home: Home
  /** Default: the home's. */
  layer?: FileLayer
  /** Name and version of the program, for the opening record. */
  software: string
  /** Where a stream before this one ended, as far as this process knows better than the home folder. */
  knownHead?: StreamHead
  /** Bytes of all segments in the home at which new requests are refused. Default 4 GiB. */
  spoolBytesMax?: number
}

export interface SpoolStream {
  readonly streamId: string
  /** The last record known to be durable. */
  readonly head: StreamHead
  append(draft: Draft, sections: Sections): Promise<Receipt>
  close(reason: CloseReason): Promise<void>
}

export declare function openStream(options: StreamOptions): Promise<SpoolStream>
