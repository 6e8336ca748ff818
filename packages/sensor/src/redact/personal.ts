import { isIP } from 'node:net'
import { isCardNumber, isIban, isLuhn, isSsn } from './checks.ts'
import { matchOf } from './match.ts'
import type { Match, RuleClass } from './rule.ts'

type Enabled = ReadonlySet<RuleClass>
type OnMatch = (match: Match) => void

/** Personal numbers and addresses in text, with check digits where the plan has them. */
export function matchPersonal(text: string, enabled: Enabled, onMatch: OnMatch): void {
  if (enabled.has('email') && text.includes('@')) matchEmails(text, onMatch)
  const digits = digitsIn(text)
  if (digits >= 4 && text.length >= 15 && enabled.has('iban')) matchIbans(text, onMatch)
  if (digits >= 12 && enabled.has('card')) matchCards(text, onMatch)
  if (digits >= 9 && enabled.has('ssn')) matchSsns(text, onMatch)
  if (digits >= 7 && enabled.has('phone')) matchPhones(text, onMatch)
  if (enabled.has('ip') && (digits >= 4 || text.includes('::'))) matchAddresses(text, onMatch)
  if (enabled.has('url') && text.includes('://')) matchUrls(text, onMatch)
  if (enabled.has('domain') && text.includes('.')) matchDomains(text, onMatch)
}

/** Digits up to a dozen: fewer spare most strings the search for numbers. */
function digitsIn(text: string): number {
  let digits = 0
  for (let at = 0; at < text.length && digits < 12; at++) {
    const code = text.charCodeAt(at)
    if (code >= 48 && code <= 57) digits++
  }
  return digits
}

const domainAfterAt =
  /(?:[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,62})\.){1,8}(?:[A-Za-z\u00a1-\uffff]{2,24}|xn--[a-z0-9-]{2,59})(?![A-Za-z0-9@])/y
const notTopLevel = /\.(?:png|jpe?g|gif|svg|webp|css|js|ts|json|html?|txt|local|internal)$/i

/** RFC 5321 addresses in the form people use, without quoted local parts. `git@host:path` is a place, not a person. */
function matchEmails(text: string, onMatch: OnMatch): void {
  let doneUntil = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at, doneUntil)
    if (start === at) continue
    domainAfterAt.lastIndex = at + 1
    if (!domainAfterAt.test(text)) continue
    const value = text.slice(start, domainAfterAt.lastIndex)
    if (notTopLevel.test(value) || /^(?:git|hg|svn)@/.test(value) || isUrlUser(text, start)) continue
    doneUntil = start + value.length
    onMatch(matchOf('email', 'email', { value, start }))
  }
}

function localStart(text: string, at: number, least: number): number {
  let start = at
  const startMin = Math.max(least, at - 64)
  while (start > startMin && /[\p{L}\p{N}.!#$&'*+/?^_{|}~-]/u.test(text[start - 1] ?? '')) start--
  while (start < at && /[.'/{|}?&#*!-]/.test(text[start] ?? '')) start++
  return start
}

/** `https://user:password@host` is judged by the rule for URLs. */
function isUrlUser(text: string, start: number): boolean {
  return /:\/\/[^\s/@]{0,128}$/.test(text.slice(Math.max(0, start - 136), start))
}

const ibanShape = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g
const ibanLower = /(?<![A-Za-z0-9])[a-z]{2}\d{2}[a-z0-9]{11,30}(?![A-Za-z0-9])/g

function matchIbans(text: string, onMatch: OnMatch): void {
  for (const shape of [ibanShape, ibanLower])
    for (const found of text.matchAll(shape)) {
      const value = ibanWithin(found[0])
      if (value !== undefined) onMatch(matchOf('iban', 'iban', { value, start: found.index }))
    }
}

/** Groups of a spaced IBAN may be followed by a word in capitals: try to end earlier, at a space. */
function ibanWithin(shape: string): string | undefined {
  for (let value = shape; value.length >= 15; value = value.slice(0, value.lastIndexOf(' '))) {
    if (isIban(value.replaceAll(' ', '').toUpperCase())) return value
    if (!value.includes(' ')) return undefined
  }
  return undefined
}

const cardShape = /(?<![\d.,]|[A-Za-z0-9]-|\w)\d(?:[ -]?\d){11,18}(?!\d|[.,]\d|-?[A-Za-z0-9])/g
const cardContext = /card|visa|master|maestro|amex|discover|credit|debit|payment|\bpan\b|\bcc\b/i

/** 13 to 16 digits in an issuer's range are a card; so are 12 to 19 in groups. Other lengths and ranges need a word about cards nearby. */
function matchCards(text: string, onMatch: OnMatch): void {
  for (const found of text.matchAll(cardShape)) {
    const value = found[0]
    const digits = value.replace(/[ -]/g, '')
    if (!isLuhn(digits)) continue
    const isUsual = isCardNumber(digits) && (value !== digits || (digits.length >= 13 && digits.length <= 16))
    if (!isUsual && !cardContext.test(around(text, found.index, value.length))) continue
    onMatch(matchOf('card', 'card', { value, start: found.index }))
  }
}

const ssnShape = /(?<![\w-])(?<![\d] )\d{3}([- ])\d{2}\1\d{4}(?![\w]|-\w| \d)/g
const ssnBare = /(?<![\w.-])\d{9}(?![\w-]|\.\d)/g
const ssnContext = /\bssn\b|social.?security/i

function matchSsns(text: string, onMatch: OnMatch): void {
  for (const found of text.matchAll(ssnShape))
    if (isSsn(found[0].replace(/\D/g, ''))) onMatch(matchOf('ssn', 'ssn', { value: found[0], start: found.index }))
  if (!ssnContext.test(text)) return
  for (const found of text.matchAll(ssnBare))
    if (isSsn(found[0]) && ssnContext.test(around(text, found.index, 9)))
      onMatch(matchOf('ssn', 'ssn', { value: found[0], start: found.index }))
}

const phoneInternational =
  /(?<![\w+])(?:\+|00(?=[1-9]\d[ ()-]))[1-9]\d{0,3}(?:[ .()/-]{0,3}\d){6,13}(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?!\d)/g
const phoneNanp =
  /(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d{2}\)[ ]?|[2-9]\d{2}([ .-]))[2-9]\d{2}[.-]\d{4}(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?![\w-]|\.\d)/g
const phoneLoose =
  /(?<![\w.+/:-]|\d[ ,])\(?\d{2,5}\)?(?:[ .-]\d{1,8}){1,5}(?:x\d{1,6})?(?![\d/:]|[.,-]\d)|(?<![\w.+/:-])\d{7,12}(?![\w/:]|[.,]\d)/g
const phoneBefore =
  /(?:(?:phone|mobile|cell|fax|tel|telephone|call|called|calling|dial|text|sms|whatsapp|reach|answering|messages?|registered)\b[^\d\n]{0,20}\s{0,2}[^\d\n]{0,2}|(?:desk|office|home|work|contact)[ \t]{0,2}(?:no\.?|number)?[:=\s]{1,4}[^\w\n]{0,2})$/i
const phoneAfter = /^[\s-]{0,2}(?:phone|mobile|cell|fax|tel|desk|office|home|work)\b/i

const isDateOrSsn = /^(?:(?:19|20)\d\d[-.]\d\d[-.]\d\d|\d\d?[-.]\d\d?[-.](?:19|20)\d\d|\d{3}-\d{2}-\d{4}$)/

/** With a country code, in the North American form, or in any grouping where a word next to it says that it is a phone number. */
function matchPhones(text: string, onMatch: OnMatch): void {
  for (const shape of [phoneInternational, phoneNanp])
    for (const found of text.matchAll(shape))
      onMatch(matchOf('phone', 'phone', { value: found[0], start: found.index }))
  for (const found of text.matchAll(phoneLoose)) {
    const digits = found[0].replace(/x.*$/, '').replace(/\D/g, '')
    if (digits.length < 7 || digits.length > 15 || isDateOrSsn.test(found[0])) continue
    const end = found.index + found[0].length
    const isNamed =
      phoneBefore.test(text.slice(Math.max(0, found.index - 40), found.index)) ||
      phoneAfter.test(text.slice(end, end + 16))
    if (isNamed) onMatch(matchOf('phone', 'phone', { value: found[0], start: found.index }))
  }
}

const v4Shape = /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g
const v6Shape = /(?<![\w:.])[0-9A-Fa-f:]{2,39}(?::\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])/g

function matchAddresses(text: string, onMatch: OnMatch): void {
  for (const found of text.matchAll(v4Shape))
    if (isIP(found[0]) === 4) onMatch(matchOf('ip', 'ip', { value: found[0], start: found.index }))
  if (!text.includes(':')) return
  for (const found of text.matchAll(v6Shape))
    if (found[0].split(':').length > 2 && found[0] !== '::' && isIP(found[0]) === 6)
      onMatch(matchOf('ip', 'ip', { value: found[0], start: found.index }))
}

const urlShape = /(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}:\/\/[^\s"'<>`{}|\\^]{1,4096}/g

function matchUrls(text: string, onMatch: OnMatch): void {
  for (const found of text.matchAll(urlShape)) {
    const value = found[0].replace(/[.,;:!?)\]]+$/, '')
    onMatch(matchOf('url', 'url', { value, start: found.index }))
  }
}

const domainShape =
  /(?<![\w@.-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}([A-Za-z]{2,24})(?![\w@-]|\.\w)/g
const topLevel =
  /^(?:com|org|net|edu|gov|mil|int|info|biz|dev|app|cloud|online|site|shop|store|tech|xyz|club|pro|mobi|name|museum|travel|agency|email|live|news|blog|ai|io|co|me|tv|cc|(?!py$|rs$|md$|sh$|pl$|ps$|so$|js$|ts$|go$|cs$|rb$|vb$|db$|cc$|hs$|ml$|mm$|st$)[a-z]{2})$/i

function matchDomains(text: string, onMatch: OnMatch): void {
  for (const found of text.matchAll(domainShape)) {
    if (!topLevel.test(found[1] ?? '')) continue
    onMatch(matchOf('domain', 'domain', { value: found[0], start: found.index }))
  }
}

function around(text: string, start: number, length: number): string {
  return text.slice(Math.max(0, start - 64), start + length + 32)
}
