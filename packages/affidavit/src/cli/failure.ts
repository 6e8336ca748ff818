/** Exit codes of every command: 0 done, 1 the answer is no (INVALID, refused), 2 it could not be done. */
export const exitCodes = { done: 0, negative: 1, impossible: 2 } as const

/** All that a command of the read side can end with. Each is one line on stderr and one row of docs/CLI.md. */
export const commandErrorCodes = [
  'AFD_USAGE', 'AFD_NO_HOME', 'AFD_NO_LOG', 'AFD_LOG_UNREADABLE', 'AFD_STORE_UNREADABLE', 'AFD_NOT_FOUND',
  'AFD_AMBIGUOUS_ID', 'AFD_INDEX_UNREADABLE', 'AFD_INDEX_AHEAD', 'AFD_FILE_UNREADABLE', 'AFD_FILE_UNWRITABLE',
  'AFD_NOT_PUBLISHED', 'AFD_PROOF_INVALID',
] as const // biome-ignore format: one list, read as one
export type CommandErrorCode = (typeof commandErrorCodes)[number]

/** What went wrong and where, what to do about it, and a code that stays the same across versions. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: CommandErrorCode
  readonly retry: boolean
  readonly remedy: string

  constructor(
    code: CommandErrorCode,
    problem: string,
    remedy: string,
    options: { retry?: boolean; cause?: unknown } = {},
  ) {
    super(problem, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.retry = options.retry ?? false
    this.remedy = remedy
  }
}

/** A mistake in the arguments; the remedy always names the help that explains them. */
export function usageError(command: string, problem: string): CommandError {
  return new CommandError('AFD_USAGE', problem, `Try 'affidavit ${command} --help'.`)
}

/** The one line that a failed command writes: `affidavit: <what, where>. <remedy> [AFD_CODE]`. */
export function formatFailure(error: unknown): string {
  if (error instanceof CommandError) return `affidavit: ${sentence(error.message)} ${error.remedy} [${error.code}]\n`
  const { message, code, remedy } = readFailure(error)
  return `affidavit: ${sentence(message)}${remedy === undefined ? '' : ` ${remedy}`} [${code}]\n`
}

/** Errors of other layers carry their own stable code; anything else is a defect of ours and says so. */
function readFailure(error: unknown): { message: string; code: string; remedy?: string } {
  if (!(error instanceof Error)) return { message: String(error), code: 'AFD_DEFECT' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'defect'
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ')
  if (code === 'defect') {
    return { message, code: 'AFD_DEFECT', remedy: 'This is a defect: please report it with the command you ran.' }
  }
  return { message, code: code.startsWith('AFD_') ? code : `AFD_${code.toUpperCase()}` }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
