/** Everything that can be wrong with bytes that claim to prove something. None is worth a retry: the bytes stay what they are. */
export const verifyErrorCodes = [
  'bad_hash_length', 'bad_index', 'bad_size', 'empty_tree', 'bad_proof_length', 'root_mismatch', 'bad_tile_path',
  'bad_tile', 'bad_bundle', 'bad_base64', 'bad_key', 'bad_note', 'bad_signature', 'no_known_signature',
  'bad_checkpoint', 'origin_mismatch', 'bad_cosignature', 'bad_witness_message', 'bad_proof_file',
] as const // biome-ignore format: one list, read as one
export type VerifyErrorCode = (typeof verifyErrorCodes)[number]

/** What was expected and what was found, as text: hashes in base64, sizes in decimal. */
export type Evidence = Readonly<Record<string, string>>

export class VerifyError extends Error {
  override readonly name = 'VerifyError'
  readonly retry = false
  readonly code: VerifyErrorCode
  readonly evidence: Evidence

  constructor(code: VerifyErrorCode, message: string, evidence: Evidence = {}) {
    super(message)
    this.code = code
    this.evidence = evidence
  }
}
