/** What stops a collector. A person must look: a retry meets the same store, tiles and signer. */
export const collectErrorCodes = [
  'signer_ahead', 'signer_fork', 'signer_origin', 'tree_corrupt', 'own_stream_refused',
  'collector_failed',
] as const // biome-ignore format: one list, read as one
export type CollectErrorCode = (typeof collectErrorCodes)[number]

export class CollectError extends Error {
  override readonly name = 'CollectError'
  readonly retry = false
  readonly code: CollectErrorCode

  constructor(code: CollectErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Why a stream was refused. It stays so: its segments are kept, a `violation` says so in the log, a person must look. */
export const refusalCodes = [
  'batch_empty', 'batch_too_large', 'batch_malformed', 'unknown_sensor', 'bad_opening', 'bad_signature', 'bad_record',
  'broken_chain', 'sequence_gap', 'equivocation', 'wrong_log', 'secret_unreadable', 'body_unreadable',
  'stream_ended', 'kind_reserved', 'segment_corrupt',
] as const // biome-ignore format: one list, read as one
export type RefusalCode = (typeof refusalCodes)[number]

/** Thrown inside admission, turned into an answer at its border (admit.ts). */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly retry = false
  readonly code: RefusalCode
  /** Sequence number at which it was noticed. */
  readonly seq: number

  constructor(code: RefusalCode, seq: number, reason: string) {
    super(reason)
    this.code = code
    this.seq = seq
  }
}
