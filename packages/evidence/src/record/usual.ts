import type { Check, Rule } from './shape.ts'
import { isObject } from './shape.ts'

/** A shape that most texts have, as one regular expression over the whole text and a rule for what it cannot say. */
export interface Usual {
  line: RegExp
  rule: Rule
}

export function toUsual(check: Check, rule: Rule = () => undefined): Usual {
  // Without a line of its own the shape is never the usual one.
  return { line: new RegExp(check.line === undefined ? '(?!)' : `^${check.line}$`), rule }
}

const usualBytesMax = 4_096
/** Lines match ASCII only, so what is not UTF-8 and becomes U+FFFD here matches none. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The value of a text that is surely canonical and of one of the shapes, read in little more than half the time: a line matches only
 * canonical texts of valid values (shape.ts), so nothing is left to check but the rule. Undefined means nothing is known
 * and parseCanonical has to judge. Never throws.
 */
export function parseUsual(bytes: Uint8Array, shapes: readonly Usual[]): unknown {
  if (bytes.length > usualBytesMax) return undefined
  const text = utf8.decode(bytes)
  const usual = shapes.find(({ line }) => line.test(text))
  if (usual === undefined) return undefined
  const value: unknown = JSON.parse(text)
  return isObject(value) && usual.rule(value) === undefined ? value : undefined
}
