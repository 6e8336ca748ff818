import type { StreamHead } from '@affidavit/evidence/record/header'

/** `spool/streams/<sensorId>-<counter>.json`: the counter is taken by this stream. */
export interface StreamClaim {
  v: 1
  sensorId: string
  counter: number
  streamId: string
  /** As far as it was known when the claim was last written; absent until the opening record is durable. */
  head?: StreamHead
  /** `closed`: head is final. `abandoned`: a write or sync failed, nothing follows; its process may live on. */
  ended?: 'closed' | 'abandoned'
}
