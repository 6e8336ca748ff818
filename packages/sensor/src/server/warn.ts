/** Diagnostics of a library are warnings of the process: its author decides where they go (process.on('warning')). */

const quietMs = 10_000
const lastSaid = new Map<string, number>()

/** A stable code and a sentence, never values. The same code is told at most every ten seconds: a full disk refuses every call. */
export function warn(code: string, sentence: string): void {
  const now = Date.now()
  if (now - (lastSaid.get(code) ?? Number.NEGATIVE_INFINITY) < quietMs) return
  lastSaid.set(code, now)
  process.emitWarning(sentence, { type: 'AffidavitWarning', code })
}
