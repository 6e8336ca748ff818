/** What can be wrong with the derived index; the log itself is never in question here. */
export const indexErrorCodes = [
  'index_moved',
  'index_ahead',
  'index_missing',
  'index_unreadable',
  'bad_filter',
] as const
export type IndexErrorCode = (typeof indexErrorCodes)[number]

/** `index_moved` passes when the other writer ends; the others want `affidavit index rebuild` or another question. */
export class IndexError extends Error {
  override readonly name = 'IndexError'
  readonly code: IndexErrorCode
  readonly retry: boolean

  constructor(code: IndexErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retry = code === 'index_moved'
  }
}
