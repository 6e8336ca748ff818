import { JsonScanner } from '@affidavit/evidence/record/json-scan'
import { wellFormed } from './clip.ts'

/** Values as Cedar's JSON has them: no null, no fractions, integers of 64 bits. */
export type CedarValue = boolean | number | string | CedarValue[] | { [key: string]: CedarValue }

/** What stands in the way of judging arguments: two parsers would read them differently, or the engine cannot take them. */
export type ArgumentProblem =
  | 'arguments_not_json'
  | 'arguments_ambiguous'
  | 'arguments_too_deep'
  | 'arguments_too_large'

const depthMax = 48
/** Keys by which Cedar's JSON means entities and extension functions: a client must not be able to name any. */
const reserved = new Set(['__entity', '__extn', '__expr'])
const decoder = new TextDecoder()

/**
 * The arguments of a call as values that policies compare, only those that `keys` names. Null is left out, so that `has`
 * tells it; fractions and integers beyond 2^53 are text, as written by JavaScript.
 */
export function toArguments(
  json: Uint8Array,
  keys: ReadonlySet<string> | 'all',
): { values: Record<string, CedarValue> } | { problem: ArgumentProblem } {
  const problem = scanProblem(json)
  if (problem !== undefined) return { problem }
  const parsed: unknown = JSON.parse(decoder.decode(json))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { values: {} }
  const values: Record<string, CedarValue> = {}
  for (const [key, member] of Object.entries(parsed)) {
    if (keys !== 'all' && !keys.has(key)) continue
    const value = reserved.has(key) ? undefined : toCedarValue(member)
    if (value !== undefined) define(values, wellFormed(key), value)
  }
  return { values }
}

/** `__proto__` is a member like any other. */
function define(record: Record<string, CedarValue>, key: string, value: CedarValue): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Undefined: policies see nothing there. What is nested deeper than the engine takes is left out. */
export function toCedarValue(value: unknown, depth = 0): CedarValue | undefined {
  if (depth > depthMax) return undefined
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value)
  if (Array.isArray(value))
    return value.map((item) => toCedarValue(item, depth + 1)).filter((item) => item !== undefined)
  if (typeof value !== 'object' || value === null) return undefined
  const record: Record<string, CedarValue> = {}
  for (const [key, member] of Object.entries(value)) {
    const converted = reserved.has(key) ? undefined : toCedarValue(member, depth + 1)
    if (converted !== undefined) define(record, wellFormed(key), converted)
  }
  return record
}

/** JSON.parse takes the last of two equal keys, other parsers the first: then nobody knows what the server will do. */
function scanProblem(json: Uint8Array): ArgumentProblem | undefined {
  const keys: Set<string>[] = []
  let isAmbiguous = false
  const scanner = new JsonScanner(
    ({ type, depth, raw }) => {
      if (type === 'beginObject') keys[depth + 1] = new Set()
      if (type !== 'key') return
      const known = keys[depth]
      const key = raw === undefined ? '' : readKey(raw)
      if (known === undefined || known.has(key)) isAmbiguous = true
      else known.add(key)
    },
    { depthMax, tokenBytesMax: 64 * 1024 },
  )
  scanner.push(json)
  const problem = scanner.end()
  if (problem !== undefined) return problem.code === 'too_deep' ? 'arguments_too_deep' : 'arguments_not_json'
  return isAmbiguous ? 'arguments_ambiguous' : undefined
}

function readKey(raw: Uint8Array): string {
  const text = decoder.decode(raw)
  const value: unknown = text.includes('\\') ? JSON.parse(text) : text.slice(1, -1)
  return String(value)
}
