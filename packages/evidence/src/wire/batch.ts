import type { Header, StreamHead } from '../record/header.ts'

/** A record as it was spooled: the header line and the sealed body (empty where the record has no sections). */
export interface SpooledRecord {
  header: Uint8Array
  body: Uint8Array
  /**
   * What parseHeader and hashHeader (32 bytes) make of these very header bytes, where the shipper runs in the collector's
   * process and has done it already. Never crosses a wire: whoever decodes a batch leaves it out.
   */
  read?: { header: Header; hash: Uint8Array }
}

/** What opens the bodies of a stream: its secret, sealed once to the collector's X25519 key (sensor/crypto/seal-box). */
export interface SealedStreamSecret {
  /** First 8 hex digits of SHA-256 of the collector's public key. */
  keyId: string
  /** Ephemeral X25519 public key (32 bytes) ‖ AES-256-GCM ciphertext and tag. */
  sealed: Uint8Array
}

/** Consecutive records of one stream that end at a signed commit. Idempotent by (stream, seq, header hash). */
export interface Batch {
  streamId: string
  firstSeq: number
  records: SpooledRecord[]
  head: StreamHead
  /** Ed25519 over encodeCommitMessage(head), 64 bytes. */
  signature: Uint8Array
  secret: SealedStreamSecret
}

/** `acknowledged`: everything below nextSeq is durable at the collector. `refused`: the stream is quarantined, nothing is lost, a person must look. */
export type Acknowledgement =
  | { status: 'acknowledged'; nextSeq: number }
  | { status: 'retry'; code: string; reason: string }
  | { status: 'refused'; code: string; reason: string; seq: number }
