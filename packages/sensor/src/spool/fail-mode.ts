import type { Draft, StreamHead } from '@affidavit/evidence/record/header'
import type { Effect } from '@affidavit/evidence/record/kinds'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { CloseReason, Receipt, SpoolStream } from './stream.ts'

export interface RecorderOptions {
  /** Opens a stream; called again, at most every 500 ms, after one failed. Pass `known` to openStream as knownHead. */
  open: (known?: StreamHead) => Promise<SpoolStream>
  /** Effect classes whose calls pass unrecorded, under a durable gap, when they cannot be recorded. */
  failOpen: ReadonlySet<Effect>
}

export interface Recorder {
  /** Resolves when the record is durable, or when it may pass unrecorded. Rejects with SpoolError: then it must not pass. */
  emit(draft: Draft, sections: Sections): Promise<Receipt>
  /** Closes an open gap and the stream. */
  close(reason: CloseReason): Promise<void>
}

export declare function createRecorder(options: RecorderOptions): Recorder
