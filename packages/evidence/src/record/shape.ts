import type { RecordErrorCode } from './error.ts'

/** What is wrong with a value, and where below it. */
export interface Flaw {
  code: RecordErrorCode
  /** Keys and positions joined by dots; empty for the value itself. */
  at: string
  message: string
}

/** Judges a value that came from JSON; undefined means it is what it should be. Never throws. */
export type Check = (value: unknown) => Flaw | undefined
export type JsonObject = Record<string, unknown>

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

/** Integers in min…max; what a double cannot tell apart is out of range already. */
export function integer(min = 0, max: number = integerMax): Check {
  const bad = flaw('bad_value', '', `expected an integer in ${min}…${max}`)
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? undefined : bad
}

/** A string the whole of which matches; `pattern` is anchored at both ends. */
export function matching(pattern: RegExp, what: string): Check {
  const bad = flaw('bad_value', '', `expected ${what}`)
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : bad)
}

export function oneOf(values: readonly unknown[]): Check {
  const allowed = new Set(values)
  const bad = flaw('bad_value', '', `expected one of ${values.map((value) => JSON.stringify(value)).join(', ')}`)
  return (value) => (allowed.has(value) ? undefined : bad)
}

export function nullOr(check: Check): Check {
  return (value) => (value === null ? undefined : check(value))
}

export function listOf(check: Check, lengthMax: number): Check {
  return (value) => {
    if (!Array.isArray(value)) return flaw('bad_value', '', 'expected an array')
    if (value.length > lengthMax) return flaw('too_large', '', `${value.length} items, at most ${lengthMax}`)
    for (const [i, item] of value.entries()) {
      const found = check(item)
      if (found !== undefined) return within(String(i), found)
    }
    return undefined
  }
}

/** An object with exactly these members; `rule` then judges what holds between them. */
export function object(
  fields: Record<string, Check | Optional>,
  rule: (value: JsonObject) => Flaw | undefined = noRule,
): Check {
  const checks = new Map(
    Object.entries(fields).map(([key, field]) => [key, typeof field === 'function' ? field : field.optional]),
  )
  const required = Object.keys(fields).filter((key) => typeof fields[key] === 'function')
  return (value) => {
    if (!isObject(value)) return flaw('bad_value', '', 'expected an object')
    for (const key of Object.keys(value)) {
      const found = checks.get(key)?.(value[key]) ?? (checks.has(key) ? undefined : unknownField)
      if (found !== undefined) return within(key, found)
    }
    for (const key of required) if (!Object.hasOwn(value, key)) return flaw('missing_field', key, 'a field is missing')
    return rule(value)
  }
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

const noRule = () => undefined

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys are the attacker's text: shown shortened, and as JSON where they are not plain. */
function within(key: string, found: Flaw): Flaw {
  const shown = /^[\w-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64))
  return { ...found, at: found.at === '' ? shown : `${shown}.${found.at}` }
}
