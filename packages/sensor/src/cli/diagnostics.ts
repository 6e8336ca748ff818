/** Program output of the write side: one line on stderr, `affidavit: sentence [CODE]`, never values. */

const quietMs = 10_000
const lastSaid = new Map<string, number>()

/** Says it unless the same code was said within the last ten seconds: a full disk refuses every call. */
export function diagnose(code: string, sentence: string): void {
  const now = Date.now()
  if (now - (lastSaid.get(code) ?? Number.NEGATIVE_INFINITY) < quietMs) return
  lastSaid.set(code, now)
  process.stderr.write(formatDiagnostic(code, sentence))
}

export function formatDiagnostic(code: string, sentence: string): string {
  return `affidavit: ${toSentence(sentence.replaceAll(/[\r\n]+/g, ' '))} [${code}]\n`
}

export function toSentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`
}
