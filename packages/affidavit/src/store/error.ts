/** What can be wrong with a store, beyond the input/output errors of the disk, which pass through with their own codes. */
export const storeErrorCodes = [
  'store_moved', 'store_version', 'store_missing', 'store_closed', 'tile_missing', 'tile_corrupt', 'wrap_key_corrupt',
  'signer_lost', 'signer_malformed', 'log_key_lost',
] as const // biome-ignore format: one list, read as one
export type StoreErrorCode = (typeof storeErrorCodes)[number]

/** None heals by a retry: somebody else writes, or bytes are not what they were. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly retry = false
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
