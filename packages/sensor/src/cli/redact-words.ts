import { randomBytes } from 'node:crypto'
import { clipText } from '@affidavit/evidence/record/text'
import { createRedactor, type Redactor } from '../redact/redactor.ts'

/** The name of a server as records hold it: whoever gave it may have given a secret with it. */
export function redactName(redactor: Redactor, name: string): string {
  return clipText(redactor.redactText(name).text)
}

/**
 * A sentence that quotes what somebody typed, fit for a diagnostic. For mistakes that are found before there is a session;
 * nothing is digested, so any key will do.
 */
export function redactSentence(sentence: string): string {
  return createRedactor({ correlationKey: randomBytes(32) }).redactText(sentence).text
}
