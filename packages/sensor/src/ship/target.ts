import type { Acknowledgement, Batch } from '@affidavit/evidence/wire/batch'

/** The collector as a shipper sees it. On one machine these are function calls; another way to it replaces them and nothing else. */
export interface ShipTarget {
  /**
   * Batches of a stream come in order, the next one possibly before the last is answered: what was answered with `retry`
   * must not be followed by anything but `retry` until it comes again.
   */
  submit(batch: Batch): Promise<Acknowledgement>
  /** Undefined for a stream the collector never saw. */
  position(streamId: string): Promise<StreamPosition | undefined>
  /** Tells the collector that the rest of a stream cannot be read. Its segments stay. */
  refuse(streamId: string, refusal: { code: 'segment_corrupt'; reason: string; seq: number }): Promise<void>
}

export interface StreamPosition {
  /** Everything below is durable at the collector. */
  nextSeq: number
  /** `ended`: closed, or recovered after its process died. `refused`: quarantined, a person must look. */
  standing: 'open' | 'ended' | 'refused'
}
