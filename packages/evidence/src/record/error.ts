/** Everything that can be wrong with bytes that claim to be a record. None is worth a retry: the bytes stay what they are. */
export const recordErrorCodes = [
  'not_utf8', 'not_json', 'not_canonical', 'too_large', 'too_deep', 'duplicate_key', 'unknown_field', 'missing_field',
  'bad_value', 'bad_version', 'unknown_kind', 'bad_entry', 'bad_body', 'bad_frame', 'bad_checksum', 'sealed_corrupt',
  'commitment_mismatch',
] as const // biome-ignore format: one list, read as one
export type RecordErrorCode = (typeof recordErrorCodes)[number]

export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly retry = false
  readonly code: RecordErrorCode
  /** Where: a JSON path such as `detail.count`, or a byte offset. */
  readonly at: string

  constructor(code: RecordErrorCode, at: string, message: string) {
    super(`${message} (at ${at})`)
    this.code = code
    this.at = at
  }
}
