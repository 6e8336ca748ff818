import { formatDiagnostic, toSentence } from './diagnostics.ts'
import { UsageError } from './usage-error.ts'

/** Tells a mistake in arguments or configuration on stderr, and returns exit code 2. Throws whatever else it is given. */
export async function reportUsage(error: unknown): Promise<2> {
  if (!(error instanceof UsageError)) throw error
  // It quotes what was typed, and stderr ends up in clients' log files.
  const { redactSentence } = await import('./redact-words.ts')
  const sentence = redactSentence([error.message, error.remedy].map(toSentence).join(' ').trim())
  process.stderr.write(formatDiagnostic(error.code, sentence) + error.sample)
  return 2
}
