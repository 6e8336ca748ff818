import { suggestOption } from './near-word.ts'
import { isOptionWord } from './run-options.ts'
import { UsageError } from './usage-error.ts'

/** What to say of words that parseArgs did not take; whatever else went wrong is thrown on. */
export function toWordsError(
  error: unknown,
  { verb, argv, known }: { verb: string; argv: readonly string[]; known: object },
): UsageError {
  if (!(error instanceof TypeError)) throw error
  // Node's message repeats what was typed, which may hold anything: only a name is repeated.
  const unknown = argv.find((word) => isOptionWord(word) && !Object.hasOwn(known, word.replace(/^--/, '')))
  const near = unknown === undefined ? '' : suggestOption(unknown, Object.keys(known))
  const problem =
    unknown === undefined ? `an option of ${verb} has no value, or is none` : `${verb} knows no ${unknown}`
  return new UsageError('AFD_USAGE', problem, `${near}Try 'affidavit ${verb} --help'.`)
}
