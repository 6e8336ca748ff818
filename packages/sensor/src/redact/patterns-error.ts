export const patternsErrorCodes = ['AFD_PATTERNS_NOT_YAML', 'AFD_PATTERNS_INVALID', 'AFD_PATTERNS_REGEX', 'AFD_PATTERNS_EXAMPLE'] as const // biome-ignore format: one list
export type PatternsErrorCode = (typeof patternsErrorCodes)[number]

/** What is wrong with a patterns file. Never worth a retry: the file stays what it is. */
export class PatternsError extends Error {
  override readonly name = 'PatternsError'
  readonly retry = false
  readonly code: PatternsErrorCode
  /** 1-based line in the YAML text. */
  readonly line: number
  /** The key in question, such as `rules.0.pattern`; empty for the file as a whole. */
  readonly key: string
  readonly remedy: string

  constructor(
    code: PatternsErrorCode,
    place: { line: number; key: string },
    problem: { message: string; remedy: string },
  ) {
    const where = place.key === '' ? `line ${place.line}` : `line ${place.line}, ${place.key}`
    super(`${where}: ${problem.message}. ${problem.remedy}`)
    this.code = code
    this.line = place.line
    this.key = place.key
    this.remedy = problem.remedy
  }
}
