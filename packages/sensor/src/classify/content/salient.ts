import { resistsGuessing } from '@affidavit/evidence/record/guessing'

/** A value that is told from others by itself, in its one spelling; `weight` chooses among too many, the same everywhere. */
export interface Salient {
  value: string
  weight: number
  kind: 'name' | 'passage'
}

/** Letters and digits of any script, and what stands inside addresses and identifiers. */
const token = /[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}_.@+-]*/gu
const isKeyAfter = /"\s*:/y
const digits = /(?<![\p{L}\p{N}_])\d(?:[ -]?\d){12,30}(?![\p{L}\p{N}_])/gu
const iban = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: [A-Z0-9]{2,4}){3,8}(?![A-Za-z0-9])/g
/** Times are guessed by the second. */
const date = /^\d{4}-?\d{2}-?\d{2}(?:t[\d.+-]*)?z?$/
const clock = /^1(?:\d{12}|\d{15}|\d{18})$/
const wordsOnlyMin = 20

/** Words of a passage; of so many passages in a row the one of least weight stands for them. */
const passageWords = 6
const passageCharsMin = 30
const windowPassages = 8

/**
 * Values in a text that are worth finding again (docs/VALUES.md): addresses, identifiers and numbers that resist guessing, long
 * words, and passages of words, of which a part stands for all. The same value gives the same spelling wherever it stands. Keys of
 * JSON are none. Linear in the text.
 */
export function* findSalient(text: string): Generator<Salient> {
  const words: string[] = []
  for (const { 0: found, index } of text.matchAll(token)) {
    isKeyAfter.lastIndex = index + found.length
    if (isKeyAfter.test(text)) continue
    const value = found.replace(/[.@+-]+$/, '').toLowerCase()
    words.push(value)
    if (isName(value)) yield { value, weight: weigh(value), kind: 'name' }
  }
  for (const pattern of [digits, iban])
    for (const [found] of text.matchAll(pattern)) {
      const value = found.replace(/[ -]/g, '').toLowerCase()
      if (!clock.test(value)) yield { value, weight: weigh(value), kind: 'name' }
    }
  yield* findPassages(words)
}

function isName(value: string): boolean {
  if (value.length < 8 || date.test(value)) return false
  if (/.@./.test(value)) return resistsGuessing(value)
  const hasDigit = /\p{N}/u.test(value)
  if (!hasDigit) return value.length >= wordsOnlyMin && !/[.@+-]/.test(value)
  return /\p{L}/u.test(value) && resistsGuessing(value)
}

/**
 * Winnowing: of every eight passages in a row the lightest is taken, so that two texts which share thirteen words in a row share a
 * passage, whatever stands around it.
 */
function* findPassages(words: readonly string[]): Generator<Salient> {
  const weights = weighPassages(words.map(weigh))
  let last = -1
  for (let from = 0; from === 0 || from + windowPassages <= weights.length; from++) {
    const at = lightestOf(weights, from, last)
    if (at === undefined || at === last) continue
    last = at
    const value = words.slice(at, at + passageWords).join(' ')
    if (value.length >= passageCharsMin) yield { value, weight: weights[at] ?? 0, kind: 'passage' }
  }
}

/** By the place of its first word. */
function weighPassages(weights: readonly number[]): number[] {
  const passages: number[] = []
  for (let at = 0; at + passageWords <= weights.length; at++) {
    let weight = 0
    for (let i = at; i < at + passageWords; i++) weight = Math.imul(weight, 0x01000193) ^ (weights[i] ?? 0)
    passages.push(mix(weight))
  }
  return passages
}

/** The last of the lightest in the window; `before`: of the window one earlier, so that mostly one place has to be looked at. */
function lightestOf(weights: readonly number[], from: number, before: number): number | undefined {
  const end = Math.min(weights.length, from + windowPassages)
  let lightest = before >= from ? before : undefined
  for (let at = lightest === undefined ? from : end - 1; at < end; at++)
    if (lightest === undefined || (weights[at] ?? 0) <= (weights[lightest] ?? 0)) lightest = at
  return lightest
}

/** FNV-1a over UTF-16 units: it orders, and hides nothing. */
function weigh(value: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** So that neighbours weigh nothing alike (the finaliser of MurmurHash3). */
function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
