import { isFiller } from './filler.ts'
import { matchOf } from './match.ts'
import type { Match, PrefixRule } from './rule.ts'
import { cloudPrefixes } from './rules/cloud.ts'
import { codePrefixes } from './rules/code.ts'
import { productPrefixes } from './rules/products.ts'

interface Trigger {
  prefix: string
  rule: PrefixRule
  index: number
}

export const prefixRules: readonly PrefixRule[] = [...codePrefixes, ...cloudPrefixes, ...productPrefixes]

/** Triggers by the codes of two characters, longest prefix first, so that the narrower format wins. Few words have any. */
const triggers: (Trigger[] | undefined)[][] = []
for (const [index, rule] of prefixRules.entries())
  for (const prefix of rule.prefixes) {
    const row = triggers[prefix.charCodeAt(0)] ?? []
    triggers[prefix.charCodeAt(0)] = row
    const seconds = prefix.length > 1 ? [prefix.charCodeAt(1)] : Array.from({ length: 128 }, (_, code) => code)
    for (const second of seconds) {
      const list = row[second] ?? []
      row[second] = list
      list.push({ prefix, rule, index })
    }
  }
for (const row of triggers) for (const list of row ?? []) list?.sort((a, b) => b.prefix.length - a.prefix.length)

const runOfWord = /[\w-]*/y

function runEnd(text: string, at: number): number {
  runOfWord.lastIndex = at
  runOfWord.test(text)
  return runOfWord.lastIndex
}

const isAlphanumeric = new Uint8Array(128)
for (const unit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
  isAlphanumeric[unit.charCodeAt(0)] = 1

/**
 * Finds every token that begins with a provider's prefix. Linear: a look per word start, and where a rule matched or turned
 * its match down, the same rule goes on behind it. An escape such as `\n` before a token ends the word before.
 */
export function matchPrefixes(text: string, onMatch: (match: Match) => void): void {
  let doneUntil: Map<number, number> | undefined
  let beforeIsWord = 0
  let escapeAt = -2
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((beforeIsWord === 0 || escapeAt === at - 2) && code < 128) {
      const candidates = triggers[code]?.[text.charCodeAt(at + 1)]
      if (candidates !== undefined) {
        doneUntil ??= new Map()
        const match = tryTriggers(text, at, candidates, doneUntil)
        if (match !== undefined) onMatch(match)
      }
    }
    if (code === 0x5c) escapeAt = at
    beforeIsWord = code < 128 ? (isAlphanumeric[code] ?? 0) : 0
  }
}

function tryTriggers(
  text: string,
  at: number,
  candidates: readonly Trigger[],
  doneUntil: Map<number, number>,
): Match | undefined {
  for (const { prefix, rule, index } of candidates) {
    if (!text.startsWith(prefix, at) || at < (doneUntil.get(index) ?? 0)) continue
    rule.tail.lastIndex = at + prefix.length
    if (!rule.tail.test(text)) {
      if (rule.failsByRun) doneUntil.set(index, runEnd(text, at))
      continue
    }
    const end = rule.tail.lastIndex
    doneUntil.set(index, end)
    const value = text.slice(at, end)
    const accepted = rule.accept === undefined ? !isFiller(value.slice(prefix.length)) : rule.accept(value)
    if (accepted && !isFiller(value.slice(prefix.length))) return matchOf(rule.id, 'secret', { value, start: at })
  }
  return undefined
}
