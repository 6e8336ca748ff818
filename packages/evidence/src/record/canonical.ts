import { encodeUtf8 } from './encode-utf8.ts'
import { RecordError, type RecordErrorCode } from './error.ts'
import { JsonScanner } from './json-scan.ts'
import { type Check, type Flaw, isObject, isPlainObject } from './shape.ts'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const depthMax = 512
const loneSurrogate = /\p{Surrogate}/u
const plain = /^[ !#-[\]-~]*$/

/**
 * Canonical JSON of a value (RFC 8785): keys sorted by UTF-16 code units, no white space, ECMAScript's numbers and
 * shortest escapes. Takes what JSON can say and nothing else. Throws RecordError `bad_value` for the rest (non-finite
 * numbers, lone surrogates, `undefined`, class instances) and `too_deep` beyond 512 levels.
 */
export function encodeCanonical(value: unknown): Uint8Array {
  return encodeUtf8(canonicalText(value))
}

/** Like encodeCanonical, as text. */
export function canonicalText(value: unknown): string {
  return write(value, [])
}

/** `path` leads to the value and is as it was afterwards; its length is the depth. */
function write(value: unknown, path: (string | number)[]): string {
  if (typeof value === 'string') return writeString(value, path)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value === 'boolean' || value === null) return String(value)
  if (typeof value !== 'object') throw refusal('bad_value', path, `${typeof value} has no canonical form`)
  if (path.length >= depthMax) throw refusal('too_deep', path, `more than ${depthMax} levels`)
  if (Array.isArray(value)) return `[${Array.from(value, (item, i) => writeMember(item, i, path)).join(',')}]`
  if (!isPlainObject(value)) throw refusal('bad_value', path, 'only plain objects have a canonical form')
  let members = ''
  for (const key of Object.keys(value).sort()) {
    if (members !== '') members += ','
    members += `${writeString(key, path)}:${writeMember(value[key], key, path)}`
  }
  return `{${members}}`
}

function writeMember(value: unknown, key: string | number, path: (string | number)[]): string {
  path.push(key)
  const text = write(value, path)
  path.pop()
  return text
}

function refusal(code: RecordErrorCode, path: readonly (string | number)[], message: string): RecordError {
  return new RecordError(code, path.length === 0 ? 'top' : path.slice(0, 16).join('.').slice(0, 256), message)
}

/** JSON.stringify escapes as RFC 8785 §3.2.2.2 wants, but would write a lone surrogate as an escape. */
function writeString(text: string, path: readonly (string | number)[]): string {
  if (plain.test(text)) return `"${text}"`
  if (loneSurrogate.test(text)) throw refusal('bad_value', path, 'lone surrogate')
  return JSON.stringify(text)
}

/** Canonical bytes of a value that `check` accepts; whatever parseCanonical would refuse, this refuses the same way. */
export function encodeShape(value: unknown, check: Check, bytesMax: number): Uint8Array {
  const text = check.text?.(value)
  if (text === undefined) refuse(check(value))
  const bytes = encodeUtf8(text ?? canonicalText(value))
  refuseSize(bytes, bytesMax)
  return bytes
}

/**
 * Reads bytes that must be canonical JSON of a known shape. `bytesMax` bounds the work, `check` decides the shape.
 * Throws RecordError: `too_large`, `not_utf8`, `not_json`, `duplicate_key`, `not_canonical`, or what `check` found.
 *
 * The proof of canonical form is cheap because the shape comes first: a value whose shape is known has bounded depth and
 * well-formed strings, so with its keys in order JSON.stringify writes exactly what RFC 8785 does, and text that differs
 * from that had white space, duplicates, other escapes or other spellings of numbers.
 */
export function parseCanonical(bytes: Uint8Array, bytesMax: number, check: Check): unknown {
  refuseSize(bytes, bytesMax)
  const text = decodeUtf8(bytes)
  const value = parseJson(bytes, text)
  refuse(check(value))
  if (!hasSortedKeys(value) || JSON.stringify(value) !== text) throw notCanonical(bytes)
  return value
}

function refuse(flaw: Flaw | undefined): void {
  if (flaw !== undefined) throw new RecordError(flaw.code, flaw.at === '' ? 'top' : flaw.at, flaw.message)
}

function refuseSize(bytes: Uint8Array, bytesMax: number): void {
  if (bytes.length > bytesMax)
    throw new RecordError('too_large', `byte ${bytesMax}`, `${bytes.length} bytes, at most ${bytesMax}`)
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) throw explain(bytes, 'not_utf8')
    throw error
  }
}

function parseJson(bytes: Uint8Array, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Some engines parse recursively and run out of stack where others say what is wrong.
    if (error instanceof SyntaxError || error instanceof RangeError) throw explain(bytes, 'not_json')
    throw error
  }
}

/** The scanner names the place; `code` stands where it finds nothing wrong. */
function explain(bytes: Uint8Array, code: 'not_json' | 'not_utf8'): RecordError {
  const scanner = new JsonScanner(() => undefined)
  scanner.push(bytes)
  const problem = scanner.end() ?? { code, offset: 0 }
  return new RecordError(problem.code, `byte ${problem.offset}`, 'not one JSON value in UTF-8')
}

/** Fresh from JSON.parse, objects have no enumerable members but their own. */
function hasSortedKeys(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(hasSortedKeys)
  if (!isObject(value)) return true
  let last: string | undefined
  for (const key in value) {
    if (last !== undefined && key <= last) return false
    const item = value[key]
    if (typeof item === 'object' && !hasSortedKeys(item)) return false
    last = key
  }
  return true
}

function notCanonical(bytes: Uint8Array): RecordError {
  const key = findDuplicateKey(bytes)
  if (key !== undefined) return new RecordError('duplicate_key', key, 'a key appears twice in one object')
  return new RecordError('not_canonical', 'top', 'JSON, but not in canonical form (RFC 8785)')
}

/** The first key that an object holds twice, compared by value: `"a"` and `"\\u0061"` are the same key. */
function findDuplicateKey(bytes: Uint8Array): string | undefined {
  const open: Set<string>[] = []
  let duplicate: string | undefined
  const scanner = new JsonScanner(({ type, raw }) => {
    if (type === 'beginObject') open.push(new Set())
    if (type === 'endObject') open.pop()
    if (type !== 'key' || raw === undefined) return
    const key = String(JSON.parse(strictUtf8.decode(raw)))
    const seen = open.at(-1)
    if (seen?.has(key)) duplicate ??= key
    seen?.add(key)
  })
  scanner.push(bytes)
  return duplicate
}
