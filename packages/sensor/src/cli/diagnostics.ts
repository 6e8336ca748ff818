/** Program output of the write side: one line on stderr, for people or as JSON for collectors of such lines; never values. */

export const diagnosticForms = ['text', 'json'] as const
type DiagnosticForm = (typeof diagnosticForms)[number]

const quietMs = 10_000
const saidMax = 1000
const lastSaid = new Map<string, number>()
let form: DiagnosticForm = 'text'

/** For the whole process, as a configuration has it. */
export function chooseDiagnosticForm(chosen: DiagnosticForm): void {
  form = chosen
}

/** Says it unless the same was said within the last ten seconds: a full disk refuses every call. */
export function diagnose(code: string, sentence: string): void {
  const now = Date.now()
  const key = `${code} ${sentence}`
  if (now - (lastSaid.get(key) ?? Number.NEGATIVE_INFINITY) < quietMs) return
  if (lastSaid.size >= saidMax) lastSaid.clear()
  lastSaid.set(key, now)
  process.stderr.write(formatDiagnostic(code, sentence))
}

/** What this code told of is over: when it comes again, it is told again at once. */
export function settleDiagnostic(code: string): void {
  for (const key of lastSaid.keys()) if (key.startsWith(`${code} `)) lastSaid.delete(key)
}

/** `affidavit: sentence [CODE]`, or an object with time, code and message. */
export function formatDiagnostic(code: string, sentence: string): string {
  const message = toSentence(sentence.replaceAll(/[\r\n]+/g, ' '))
  if (form === 'text') return `affidavit: ${message} [${code}]\n`
  return `${JSON.stringify({ time: new Date().toISOString(), code, message })}\n`
}

export function toSentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`
}
