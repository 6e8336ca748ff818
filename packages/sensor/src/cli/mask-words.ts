import { randomBytes } from 'node:crypto'
import { hiddenValue, type Masker } from '../install/preview.ts'
import { judgeKey } from '../redact/key-names.ts'
import { createRedactor, type Redactor } from '../redact/redactor.ts'

/**
 * Takes secrets out of command lines and URLs for a terminal. Stricter than records need it: of an option, a variable, a
 * header or a query whose name speaks of a secret the value goes whatever it looks like, and queries always go.
 */
export function createMasker(): Masker {
  // Nothing is digested, so any key will do.
  const redactor = createRedactor({ correlationKey: randomBytes(32) })
  const text = (shown: string) => redactor.redactText(shown).text
  const url = (shown: string) => text(maskUrl(shown))
  return { text, url, words: (words) => redactWords(redactor, maskNamed(words).map(maskUrl)) }
}

function maskNamed(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const before = words[i - 1] ?? ''
    const assigned = /^([^=:\s]{2,}?)(=|:\s*)(.+)$/s.exec(word)
    if (assigned !== null && isSecretName(assigned[1] ?? '')) return `${assigned[1]}${assigned[2]}${hiddenValue}`
    return /^--?[A-Za-z]/.test(before) && isSecretName(before) ? hiddenValue : word
  })
}

function isSecretName(name: string): boolean {
  return judgeKey(name.replace(/^-+/, '')) !== undefined
}

function maskUrl(word: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(word) || !URL.canParse(word)) return word
  const url = new URL(word)
  if (url.password !== '') url.password = hiddenValue
  // Users are shown where they are no secret; a user without a password often is a token.
  if (url.username !== '' && url.password === '') url.username = hiddenValue
  const names = [...url.searchParams.keys()]
  if (names.length === 0 && url.password === '' && url.username === '') return word
  const query = names.map((name) => `${encodeURIComponent(name)}=${hiddenValue}`).join('&')
  url.search = ''
  url.hash = ''
  return query === '' ? url.href : `${url.href}?${query}`
}

/** As one JSON text, in which the redactor sees an option beside its value. */
function redactWords(redactor: Redactor, words: readonly string[]): string[] {
  const { text } = redactor.redactJson(Buffer.from(JSON.stringify(words)))
  const redacted = parseWords(Buffer.from(text).toString())
  return redacted.length === words.length ? redacted : words.map(() => hiddenValue)
}

function parseWords(text: string): string[] {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value.map(String) : []
}
