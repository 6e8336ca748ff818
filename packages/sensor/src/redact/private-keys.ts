import { matchOf } from './match.ts'
import type { Match } from './rule.ts'

const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const keyText = /(?:[A-Za-z0-9+/=\s:,.()<>-]|\\[rn]|\\\\[rn]|%[0-9A-F]{2})*/y
const puttyBegin = /Private-Lines: \d{1,4}(?:\r?\n|\\n)/g
const bodyCharsMin = 32

/**
 * PEM and PGP private keys (RFC 7468, RFC 9580) with their armour, and PuTTY's. A key that is cut off is removed as far as it
 * goes. The search for the end starts behind each beginning and never goes back, so it is linear.
 */
export function matchPrivateKeys(text: string, onMatch: (match: Match) => void): void {
  if (text.includes('PRIVATE KEY')) matchArmoured(text, onMatch)
  if (text.includes('Private-Lines: ')) matchPutty(text, onMatch)
}

function matchArmoured(text: string, onMatch: (match: Match) => void): void {
  let doneUntil = 0
  for (const found of text.matchAll(begin)) {
    if (found.index < doneUntil) continue
    const bodyStart = found.index + found[0].length
    const endMark = text.indexOf('-----END ', bodyStart)
    const body = endMark < 0 ? bodyFrom(text, bodyStart) : text.slice(bodyStart, endMark)
    doneUntil = bodyStart + body.length
    if (body.replace(/[\s\\]/g, '').length < bodyCharsMin) continue
    const tail =
      endMark < 0 ? '' : (/^-----END [A-Z0-9 ]{0,60}-----/.exec(text.slice(endMark, endMark + 80))?.[0] ?? '')
    doneUntil += tail.length
    onMatch(matchOf('private-key', 'secret', { value: text.slice(found.index, doneUntil), start: found.index }))
  }
}

function matchPutty(text: string, onMatch: (match: Match) => void): void {
  for (const found of text.matchAll(puttyBegin)) {
    const start = found.index + found[0].length
    const value = bodyFrom(text, start).replace(/\s*Private-MAC.*$/s, '')
    if (value.length >= bodyCharsMin) onMatch(matchOf('private-key', 'secret', { value, start }))
  }
}

function bodyFrom(text: string, start: number): string {
  keyText.lastIndex = start
  return keyText.exec(text)?.[0] ?? ''
}
