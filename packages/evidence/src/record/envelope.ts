import type { Hash, Timestamp } from './header.ts'

/** The collector's line of an entry. `subject` and `credential` are random references into a deletable table. */
export interface Envelope {
  v: 1
  observedTime: Timestamp
  /** `s_` and 16 hex digits. */
  subject?: string
  /** `c_` and 16 hex digits. */
  credential?: string
  /** Commitment of the section `enrichment`. */
  enrichment?: Hash
  /** Sensor's Ed25519 signature over the stream head at this record (hash.ts), base64 of 64 bytes, on the last record of a batch. */
  signature?: string
}
