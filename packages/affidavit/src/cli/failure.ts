/** Exit codes of every command: 0 done, 1 the answer is no (INVALID, refused), 2 it could not be done. */
export const exitCodes = { done: 0, negative: 1, impossible: 2 } as const

/** All that a command of the read side can end with. Each is one line on stderr and one row of docs/CLI.md. */
export const commandErrorCodes = [
  'AFD_USAGE', 'AFD_NO_HOME', 'AFD_NO_LOG', 'AFD_NOT_FOUND',
  'AFD_AMBIGUOUS_ID', 'AFD_INDEX_AHEAD', 'AFD_FILE_UNREADABLE', 'AFD_FILE_UNWRITABLE',
  'AFD_NOT_PUBLISHED', 'AFD_SYSTEM_REFUSED',
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

/** A mistake in the arguments; the remedy always names the help that explains them, after what was meant, if that is known. */
export function usageError(command: string, problem: string, meant = ''): CommandError {
  return new CommandError('AFD_USAGE', problem, `${meant}Try 'affidavit ${command} --help'.`)
}

/** A file that an argument names and that cannot be read. */
export function unreadable(path: string, cause: unknown, remedy: string): CommandError {
  const why = isSystemError(cause) ? describeSystemCode(cause.code) : String(cause)
  return new CommandError('AFD_FILE_UNREADABLE', `cannot read ${path}: ${why}`, remedy, { cause })
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
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ')
  if (isSystemError(error)) return describeRefusal(error)
  if (isDatabaseError(error))
    return {
      message,
      code: 'AFD_SYSTEM_REFUSED',
      remedy: "A database of the home cannot be used: run 'affidavit verify'.",
    }
  const code = readStableCode(error)
  if (code === undefined) {
    return { message, code: 'AFD_DEFECT', remedy: 'This is a defect: please report it with the command you ran.' }
  }
  return { message, code: code.startsWith('AFD_') ? code : `AFD_${code.toUpperCase()}` }
}

/** Codes of our own layers are lower case; those of Node's own errors (ERR_…) mean that we called it wrongly. */
function readStableCode(error: Error): string | undefined {
  if (!('code' in error) || typeof error.code !== 'string' || error.code.startsWith('ERR_')) return undefined
  return error.code
}

interface SystemError extends Error {
  /** As in errno(3), e.g. `EISDIR`. */
  code: string
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)
}

function isDatabaseError(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

const systemCodes: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EISDIR: 'it is a directory',
  ENOTDIR: 'part of the path is no directory',
  ENOENT: 'it is not there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  EIO: 'the disk failed',
}

function describeSystemCode(code: string): string {
  const words = systemCodes[code]
  return words === undefined ? code : `${words} (${code})`
}

/** What the operating system refused: where, why, and what to look at. */
function describeRefusal(error: SystemError): { message: string; code: string; remedy: string } {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined
  const call = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'a call'
  const where = path === undefined ? `the system refused ${call}` : `the system refused ${call} of ${path}`
  return {
    message: `${where}: ${describeSystemCode(error.code)}`,
    code: 'AFD_SYSTEM_REFUSED',
    remedy: 'Check owner, mode and kind of that path and the free space, or choose another --home.',
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
