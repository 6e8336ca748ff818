import type { PatternsErrorCode } from '../redact/patterns-error.ts'

/** What a command cannot start with. `remedy` says what to do; the exit code is 2. */
export const usageErrorCodes = [
  'AFD_USAGE', 'AFD_NO_COLLECTOR', 'AFD_CONFIG_UNREADABLE', 'AFD_CONFIG_INVALID', 'AFD_LISTEN_FAILED',
  'AFD_SECRET_UNREADABLE',
  'AFD_NOT_INSTALLED', 'AFD_NOT_CONFIRMED',
] as const // biome-ignore format: one list, read as one
export type UsageErrorCode = (typeof usageErrorCodes)[number] | PatternsErrorCode

export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly retry = false
  readonly code: UsageErrorCode
  readonly remedy: string

  constructor(code: UsageErrorCode, problem: string, remedy: string) {
    super(problem)
    this.code = code
    this.remedy = remedy
  }
}
