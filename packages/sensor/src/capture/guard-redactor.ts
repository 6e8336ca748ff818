import { encodeCanonical } from '@affidavit/evidence/record/canonical'
import type { Redactor } from '../redact/redactor.ts'
import type { CaptureContext } from './context.ts'
import { elideFailure } from './elide.ts'

/**
 * A redactor that throws costs the value, never the record, and nothing unredacted gets through: what it failed on is
 * replaced as a whole.
 */
export function guardRedactor({ redactor, diagnose }: Pick<CaptureContext, 'redactor' | 'diagnose'>): Redactor {
  const report = () =>
    diagnose('AFD_REDACTION_FAILED', 'a value could not be redacted; its record holds an elision instead')
  return {
    redactJson(text) {
      try {
        return redactor.redactJson(text)
      } catch (error) {
        report()
        return { text: encodeCanonical(elideFailure(error, text.length)), removed: [] }
      }
    },
    redactText(text) {
      try {
        return redactor.redactText(text)
      } catch (error) {
        report()
        return { text: `[REDACTED:${error instanceof Error ? 'failed' : 'unknown'}]`, removed: [] }
      }
    },
  }
}
