import type { RecordErrorCode } from './error.ts'

/** What is wrong with a value, and where below it. */
export interface Flaw {
  code: RecordErrorCode
  /** Keys and positions joined by dots; empty for the value itself. */
  at: string
  message: string
}

export type JsonObject = Record<string, unknown>

/** Judges a value that came from JSON; undefined means it is what it should be. Never throws. */
export interface Check {
  (value: unknown): Flaw | undefined
  /**
   * Source of a regular expression that matches only canonical texts of values that the check accepts, if not all of
   * them: text without escapes, numbers of at most 15 digits. Absent where nobody needed it to be read fast.
   */
  line?: string
  /**
   * Canonical text of a value that the check surely accepts, in one pass and without a look at what the shape rules out.
   * Undefined means nothing is known, and check and canonicalText have to judge. Absent where nobody needs it to be fast.
   */
  text?: (value: unknown) => string | undefined
}

type ToText = Check['text']

/** A member that may be missing. */
export interface Optional {
  optional: Check
}

export const integerMax = Number.MAX_SAFE_INTEGER

export function flaw(code: RecordErrorCode, at: string, message: string): Flaw {
  return { code, at, message }
}

export function optional(check: Check): Optional {
  return { optional: check }
}

function withFast(check: Check, fast: { line?: string | undefined; text?: ToText }): Check {
  const { line, text } = fast
  if (line !== undefined) check.line = line
  if (text !== undefined) check.text = text
  return check
}

/** Integers in min…max; what a double cannot tell apart is out of range already. */
export function integer(min = 0, max: number = integerMax): Check {
  const bad = flaw('bad_value', '', `expected an integer in ${min}…${max}`)
  const isIn = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  return withFast((value) => (isIn(value) ? undefined : bad), {
    line: integerLine(min, max),
    text: (value) => (isIn(value) ? String(value) : undefined),
  })
}

function integerLine(min: number, max: number): string | undefined {
  if (max === integerMax && min === 0) return '(?:0|[1-9]\\d{0,14})'
  if (max === integerMax && min === -integerMax) return '(?:0|-?[1-9]\\d{0,14})'
  // Ranges such as 100…599, where the first digit decides.
  const [low, high] = [String(min), String(max)]
  const isByFirstDigit = low.length === high.length && /^[1-9]0*$/.test(low) && /^[1-9]9*$/.test(high)
  return isByFirstDigit ? `[${low[0]}-${high[0]}]\\d{${low.length - 1}}` : undefined
}

/** A string the whole of which matches; `pattern` is anchored at both ends. */
export function matching(pattern: RegExp, what: string): Check {
  const bad = flaw('bad_value', '', `expected ${what}`)
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : bad)
}

/** Like matching, for a pattern that admits no character JSON would escape. */
export function matchingPlain(pattern: RegExp, what: string): Check {
  return withFast(matching(pattern, what), {
    line: `"(?:${pattern.source.slice(1, -1)})"`,
    text: (value) => (typeof value === 'string' && pattern.test(value) ? `"${value}"` : undefined),
  })
}

const plain = /^[ !#-[\]-~]*$/

/** Text that `check` accepts wherever it is printable ASCII of min to max characters; and never where it is ill-formed. */
export function plainText(check: Check, min: number, max: number): Check {
  const toText = (value: unknown) => {
    if (typeof value !== 'string') return undefined
    if (value.length >= min && value.length <= max && plain.test(value)) return `"${value}"`
    // Of well-formed text JSON.stringify writes the canonical form (RFC 8785 §3.2.2.2).
    return check(value) === undefined ? JSON.stringify(value) : undefined
  }
  return withFast(check, { line: `"[ !#-[\\]-~]{${min},${max}}"`, text: toText })
}

export function oneOf(values: readonly (string | number)[]): Check {
  const allowed = new Set<unknown>(values)
  const all = values.map((value) => JSON.stringify(value))
  const bad = flaw('bad_value', '', `expected one of ${all.join(', ')}`)
  const line = all.every((each) => /^["\w-]+$/.test(each)) ? `(?:${all.join('|')})` : undefined
  const texts = new Map<unknown, string>(values.map((value, i) => [value, all[i] ?? '']))
  return withFast((value) => (allowed.has(value) ? undefined : bad), { line, text: (value) => texts.get(value) })
}

export function nullOr(check: Check): Check {
  return (value) => (value === null ? undefined : check(value))
}

export function listOf(check: Check, lengthMax: number): Check {
  const { line } = check
  return withFast(
    (value) => {
      if (!Array.isArray(value)) return flaw('bad_value', '', 'expected an array')
      if (value.length > lengthMax) return flaw('too_large', '', `${value.length} items, at most ${lengthMax}`)
      for (const [i, item] of value.entries()) {
        const found = check(item)
        if (found !== undefined) return within(String(i), found)
      }
      return undefined
    },
    { line: line && `\\[(?:${line}(?:,${line}){0,${lengthMax - 1}})?\\]`, text: listText(check.text, lengthMax) },
  )
}

function listText(itemText: ToText, lengthMax: number): ToText {
  if (itemText === undefined) return undefined
  return (value) => {
    if (!Array.isArray(value) || value.length > lengthMax) return undefined
    let items = ''
    for (const [i, item] of value.entries()) {
      const text = itemText(item)
      if (text === undefined) return undefined
      items += i === 0 ? text : `,${text}`
    }
    return `[${items}]`
  }
}

/** An object with exactly these members. */
export function object(fields: Record<string, Check | Optional>): Check {
  const checks = new Map(
    Object.entries(fields).map(([key, field]) => [key, isOptional(field) ? field.optional : field]),
  )
  const required = Object.keys(fields).filter((key) => typeof fields[key] === 'function')
  const check: Check = (value) => {
    if (!isObject(value)) return flaw('bad_value', '', 'expected an object')
    for (const key of Object.keys(value)) {
      const check = checks.get(key)
      const found = check === undefined ? unknownField : check(value[key])
      if (found !== undefined) return within(key, found)
    }
    for (const key of required) if (!Object.hasOwn(value, key)) return flaw('missing_field', key, 'a field is missing')
    return undefined
  }
  return withFast(check, { line: objectLine(fields), text: objectText(fields) })
}

/** Members in canonical order. What has members besides these, or lacks one, is not what it should be. */
function objectText(fields: Record<string, Check | Optional>): ToText {
  const members = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => {
      const { text } = isOptional(field) ? field.optional : field
      return { key, start: `${JSON.stringify(key)}:`, isOptional: isOptional(field), text }
    })
  return (value) => {
    if (!isObject(value) || !isPlainObject(value)) return undefined
    let written = ''
    let count = 0
    for (const { key, start, isOptional, text } of members) {
      const member = value[key]
      if (member === undefined && isOptional) continue
      const memberText = text?.(member)
      if (memberText === undefined) return undefined
      written += count++ === 0 ? start + memberText : `,${start}${memberText}`
    }
    return count === Object.keys(value).length ? `{${written}}` : undefined
  }
}

function isOptional(field: Check | Optional): field is Optional {
  return typeof field !== 'function'
}

/** Members in canonical order, each followed by a comma or the end; optional ones without a line never match. */
function objectLine(fields: Record<string, Check | Optional>): string | undefined {
  let members = ''
  for (const key of Object.keys(fields).sort()) {
    const field = fields[key]
    if (field === undefined) continue
    const { line } = isOptional(field) ? field.optional : field
    const member = line && `"${key}":${line}(?:,|(?=}))`
    if (!isOptional(field) && member === undefined) return undefined
    if (member !== undefined) members += isOptional(field) ? `(?:${member})?` : member
  }
  return `\\{${members}(?<!,)\\}`
}

/** What holds between the members of an object that `check` accepts. */
export type Rule = (value: JsonObject) => Flaw | undefined

export function ruled(check: Check, rule: Rule): Check {
  return withFast((value) => check(value) ?? (isObject(value) ? rule(value) : undefined), {
    text: (value) => {
      const text = check.text?.(value)
      return text === undefined || (isObject(value) && rule(value) !== undefined) ? undefined : text
    },
  })
}

/** Either shape, by whether the member is there. */
export function byMember(key: string, present: Check, absent: Check): Check {
  const line = present.line && absent.line && `(?:${present.line}|${absent.line})`
  const checkOf = (value: unknown) => (isObject(value) && Object.hasOwn(value, key) ? present : absent)
  return withFast((value) => checkOf(value)(value), { line, text: (value) => checkOf(value).text?.(value) })
}

/** An object whose member `key` says which of the checks applies. */
export function variants(key: string, cases: Record<string, Check>): Check {
  const checks = new Map(Object.entries(cases))
  return (value) => {
    if (!isObject(value)) return flaw('bad_value', '', 'expected an object')
    if (!Object.hasOwn(value, key)) return flaw('missing_field', key, 'a field is missing')
    const check = typeof value[key] === 'string' ? checks.get(value[key]) : undefined
    return check === undefined
      ? flaw('bad_value', key, `expected one of ${[...checks.keys()].join(', ')}`)
      : check(value)
  }
}

const unknownField = flaw('unknown_field', '', 'this version has no such field')

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether it is no instance of a class: those have no canonical form. */
export function isPlainObject(value: object): value is JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Keys are the attacker's text: shown shortened, and as JSON where they are not plain. */
function within(key: string, found: Flaw): Flaw {
  const shown = /^[\w-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64))
  return { ...found, at: found.at === '' ? shown : `${shown}.${found.at}` }
}
