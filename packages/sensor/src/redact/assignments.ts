import { readName, separators } from './assigned-name.ts'
import { isMask, isPlaceholderWord, isReference, looksSecret } from './filler.ts'
import { judgeKey, type KeyVerdict, wordsOf } from './key-names.ts'
import { isMarker } from './marker.ts'
import { matchOf } from './match.ts'
import type { ContextRule, Match } from './rule.ts'
import { passwordOfBasic } from './rules/anchored.ts'
import { contextRulesFor } from './rules/contextual.ts'

/** A value behind a name, in text that need not be JSON: `name=value`, `name: "value"`, `<name>value</name>`, `--name value`. */
interface Assigned {
  name: string
  value: string
  start: number
  isQuoted: boolean
  /** What joined them: a colon in prose means less than an equals sign. */
  separator: string
  /** No space between name, separator and value, as in `password=x`; code has spaces. */
  isTight: boolean
}

const valueCharsMax = 16_384
const triesPerRunMax = 16
/** Rest of the operator, a block scalar of YAML, a default (`:-`), a wrapper such as `SecretStr(`, and an opening quote. */
const afterSeparator =
  /[=:>~?|-]{0,3}[ \t]{0,16}(?:[|>][+-]?[ \t]{0,8}\r?\n[ \t]{1,40}|\\[rnt])?(?:(?:from_?string|SecretStr|Secret|SecureString|String|str|bytes|Some|Buffer\.from|ConvertTo-SecureString(?: -String)?)[ (]{1,2})?(?:[bfruBFRU@$]?(\\{0,3}["'`]))?/y
const quotedValue: Record<string, RegExp> = { '"': /[^"\n]*/y, "'": /[^'\n]*/y, '`': /[^`]*/y }
const plainValue = /[^\s,;&|<>()"'`{}[\]\\]*/y
/** References keep their brackets: `${{ secrets.X }}`, `<token>`, `{user}`, `[PASSWORD]`, and a marker is one word. */
const bracketed =
  /(?:\$?\{\{[^{}\n]{0,200}\}\}|\$\{[^{}\n]{0,200}\}|\$\([^()\n]{0,200}\)|<[^<>\n]{0,100}>|\{[^{}\n]{0,200}\}|\[[A-Z][^[\]\n]{0,100}\])[^\s,;&|<>()"'`{}[\]\\]*/y
/** Only what an end tag follows is an element's text. */
const elementText = /[^<>\n]{1,4096}(?=<\/)/y
const headerValue = /[^"'`\r\n\\]*/y

/** Finds secrets by the name in front of them. Linear: every name is bounded, and values are read once. */
export function matchAssignments(text: string, onMatch: (match: Match) => void): void {
  let valueEnd = 0
  const run = { end: 0, tries: 0 }
  for (const separator of text.matchAll(separators)) {
    const at = separator.index
    if (at < valueEnd || text[at + 1] === '=' || text[at + 1] === ':') continue
    const name = readName(text, at)
    if (name === undefined) continue
    const verdict = judgeKey(name)
    const context = contextFor(name)
    if (verdict === undefined && context.length === 0) continue
    if (at < run.end && run.tries >= triesPerRunMax) continue
    const assigned = readValue(text, at + separator[0].length, {
      name,
      separator: separator[0],
      isTight: isTight(text, at),
    })
    const match = mayTry(run, assigned) ? judgeAssigned(assigned, verdict, context) : undefined
    if (match === undefined) continue
    valueEnd = match.end
    onMatch(match)
  }
}

/** `token=token=token=…` would be read to its end from every sign; after so many turned down the rest of the run is left. */
function mayTry(run: { end: number; tries: number }, { start, value }: Assigned): boolean {
  run.tries = start < run.end ? run.tries + 1 : 0
  run.end = Math.max(run.end, start + value.length)
  return run.tries < triesPerRunMax
}

const contextCache = new Map<string, readonly ContextRule[]>()

const otherwiseNamed =
  /^(?:commit|sha\d*|rev|revision|hash|checksum|digest|etag|md|version|trace|span|request|tenant|org|organization|project|workspace|branch|tag|url|uri|path|host|name|region|dsn)$/
const idWithKey = /^(?:access|client|app|api|key)$/

function contextFor(name: string): readonly ContextRule[] {
  const known = contextCache.get(name)
  if (known !== undefined) return known
  const words = wordsOf(name)
  const last = words.at(-1) ?? ''
  const isAbout = otherwiseNamed.test(last) || (/^ids?$/.test(last) && !idWithKey.test(words.at(-2) ?? ''))
  const found = isAbout ? [] : contextRulesFor(words)
  if (contextCache.size > 5_000) contextCache.clear()
  contextCache.set(name, found)
  return found
}

function isTight(text: string, at: number): boolean {
  return text[at] === '=' && /\S/.test(text[at - 1] ?? ' ') && /\S/.test(text[at + 1] ?? ' ')
}

function readValue(text: string, from: number, named: Pick<Assigned, 'name' | 'separator' | 'isTight'>): Assigned {
  afterSeparator.lastIndex = from
  const opened = afterSeparator.exec(text)
  const quote = opened?.[1]
  const start = from + (opened?.[0].length ?? 0)
  if (named.separator === '>')
    return { ...named, value: readWith(elementText, text, from), start: from, isQuoted: true }
  const isHeader = /^(?:proxy[-_])?authorization$|cookie$/i.test(named.name)
  const value =
    quote !== undefined ? readQuoted(text, start, quote) : isHeader ? readHeader(text, start) : readPlain(text, start)
  return { ...named, value, start, isQuoted: quote !== undefined }
}

/** Up to the same quote; behind an escaped quote up to the next escape. */
function readQuoted(text: string, start: number, quote: string): string {
  const pattern = quote.length > 1 ? /[^\\"'`\n]*/y : (quotedValue[quote] ?? plainValue)
  return readWith(pattern, text, start)
}

function readHeader(text: string, start: number): string {
  return readWith(headerValue, text, start).trimEnd()
}

function readPlain(text: string, start: number): string {
  return readWith(bracketed, text, start) || readWith(plainValue, text, start)
}

function readWith(pattern: RegExp, text: string, start: number): string {
  const bounded = text.length - start > valueCharsMax ? text.slice(start, start + valueCharsMax) : text
  pattern.lastIndex = bounded === text ? start : 0
  return pattern.exec(bounded)?.[0] ?? ''
}

function judgeAssigned(
  assigned: Assigned,
  verdict: KeyVerdict | undefined,
  context: readonly ContextRule[],
): Match | undefined {
  const { value, start, name } = assigned
  if (value === '' || isMarker(value)) return undefined
  for (const rule of context)
    if (rule.value.test(value) && (rule.accept === undefined || rule.accept(value)))
      return matchOf(rule.id, 'secret', { value, start })
  if (verdict === undefined || (verdict.strength === 'weak' && /(?:key|secret|token)s$/i.test(name))) return undefined
  const scheme = verdict.rule === 'authorization' ? schemeOf(value) : ''
  const secret = value.slice(scheme.length)
  if (!isSecretValue(secret, verdict, assigned)) return undefined
  const plain = /^basic/i.test(scheme) ? (passwordOfBasic(secret) ?? secret) : secret
  return matchOf(verdict.rule, verdict.class, { value: secret, start: start + scheme.length, plain })
}

/** `Bearer `, `Basic ` and the like, which stay readable; RFC 9110 §11.4. */
export function schemeOf(value: string): string {
  return (
    /^(?:Bearer|Basic|Digest|Token|Api-?Key|Api-?Token|Negotiate|NTLM|SSWS|Bot|GoogleLogin|AWS4-HMAC-SHA256|Signature|Key|OAuth|Splunk|GenieKey|DPoP)[ \t]+/i.exec(
      value,
    )?.[0] ?? ''
  )
}

function isSecretValue(value: string, verdict: KeyVerdict, assigned: Assigned): boolean {
  if (value === '' || isMarker(value)) return false
  if (verdict.strength === 'pin') return /^\d{3,8}$/.test(value)
  if (verdict.strength === 'card' || verdict.strength === 'ssn') return /^\d[\d -]{7,22}$/.test(value)
  if (verdict.strength === 'iban') return /^[A-Z]{2}\d{2}[A-Z0-9 ]{11,38}$/i.test(value)
  if (verdict.strength === 'password') return isPasswordValue(value, assigned)
  if (verdict.rule === 'cookie') return /^[\w.$!#%&*+^|~-]{1,128}=[^\s;,]{6,}/.test(value)
  if (verdict.rule === 'authorization')
    return !/\s/.test(value) ? looksSecret(value) : /(?:Signature|response|token)=/i.test(value)
  return looksSecret(value)
}

/** A password has no shape of its own, so what it stands in decides: prose, code and type names are not passwords. */
function isPasswordValue(value: string, { isQuoted, isTight, name, separator }: Assigned): boolean {
  if (
    value.length < 4 ||
    value.toLowerCase() === name.toLowerCase() ||
    isReference(value) ||
    isMask(value) ||
    isPlaceholderWord(value)
  )
    return false
  if (/^(?:[A-Za-z]:\\|\.{0,2}\/|~\/)/.test(value) && /pwd$/i.test(name)) return false
  if (/^[,(|?]/.test(separator))
    return value.length >= 6 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/\s/.test(value)
  if (isQuoted) return value.length <= 512 && !/^[A-Za-z]+(?: [A-Za-z]+){2,}[.:!?]?$/.test(value)
  if (/^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$#][\w$]*)+$/.test(value)) return false
  if (!isTight && /^[A-Za-z_$][A-Za-z_$]*$/.test(value)) return false
  if (/^[A-Z][a-z]+-[A-Z][A-Za-z]+$/.test(value)) return false
  if (/^\W+$/.test(value)) return value.length >= 6
  if (/^[A-Za-z][a-z]*[.,:!?]?$/.test(value)) return isTight && value.toLowerCase() !== name.toLowerCase()
  return true
}
