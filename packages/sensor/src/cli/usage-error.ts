import type { CatalogueErrorCode } from '../classify/catalogue-error.ts'
import type { PolicyErrorCode } from '../policy/policy-error.ts'
import type { PatternsErrorCode } from '../redact/patterns-error.ts'

export const usageErrorCodes = [
  'AFD_USAGE', 'AFD_NO_COLLECTOR', 'AFD_CONFIG_UNREADABLE', 'AFD_CONFIG_INVALID', 'AFD_LISTEN_FAILED',
  'AFD_SECRET_UNREADABLE', 'AFD_KEYS_UNREADABLE', 'AFD_PLUGIN_MISSING',
  'AFD_FEED_REFUSED', 'AFD_NOT_INSTALLED', 'AFD_NOT_CONFIRMED',
] as const // biome-ignore format: one list, read as one
export type UsageErrorCode = (typeof usageErrorCodes)[number] | PatternsErrorCode | PolicyErrorCode | CatalogueErrorCode

/**
 * What a command cannot start with. `remedy` says what to do, and `sample`, where there is one, is text to begin with: lines
 * that are printed after the sentence, to be copied as they are. The exit code is 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly retry = false
  readonly code: UsageErrorCode
  readonly remedy: string
  readonly sample: string

  constructor(code: UsageErrorCode, problem: string, remedy: string, sample = '') {
    super(problem)
    this.code = code
    this.remedy = remedy
    this.sample = sample
  }
}
