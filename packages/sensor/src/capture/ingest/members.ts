import { type JsonProblem, JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { decodeString } from '../message.ts'
import { IngestProblem } from './problem.ts'

/** As deep as captured messages may be. */
const depthMax = 1_000_000
/** What may be parsed into values; the rest stays bytes. */
const parsedBytesMax = 256 * 1024
const parsedDepthMax = 64

interface Place {
  start: number
  end: number
  /** Keys within the value, however deep. */
  keys: number
}

/**
 * The members of one JSON object: those named in `kept` as the bytes that came, so that big numbers, the order of keys and
 * duplicates survive; the others as values. Throws IngestProblem and nothing else: for text that is not JSON in UTF-8, no
 * object, too large, or that two parsers would read differently.
 */
export function parseMembers(bytes: Uint8Array, kept: ReadonlySet<string>): Record<string, unknown> {
  const members: Record<string, unknown> = Object.create(null)
  let parsedBytes = 0
  for (const [key, { start, end, keys }] of placesOf(bytes, kept)) {
    const text = bytes.subarray(start, end)
    if (kept.has(key)) {
      members[key] = text
      continue
    }
    parsedBytes += text.length
    if (parsedBytes > parsedBytesMax)
      throw new IngestProblem('AFD_INGEST_TOO_LARGE', key, `more than ${parsedBytesMax} bytes beside params and result`)
    const value: unknown = JSON.parse(new TextDecoder().decode(text))
    if (countKeys(value) !== keys) throw new IngestProblem('AFD_INGEST_MALFORMED', key, 'a key is there twice')
    members[key] = value
  }
  return members
}

function placesOf(bytes: Uint8Array, kept: ReadonlySet<string>): Map<string, Place> {
  const places = new Map<string, Place>()
  let key: string | undefined
  let start = 0
  let keys = 0
  let isObject = false
  let isTwice = false
  let isDeep = false
  const take = (token: JsonToken) => {
    isDeep ||= token.depth > parsedDepthMax && !kept.has(key ?? '')
    if (token.depth === 0) isObject ||= token.type === 'beginObject'
    else if (token.depth > 1 && token.type === 'key') keys++
    else if (token.depth === 1 && token.type === 'key') {
      key = token.raw === undefined ? '' : decodeString(token.raw)
      isTwice ||= places.has(key)
      keys = 0
    } else if (token.depth === 1 && key !== undefined) {
      if (token.type === 'beginObject' || token.type === 'beginArray') start = token.start
      else {
        const isEnd = token.type === 'endObject' || token.type === 'endArray'
        places.set(key, { start: isEnd ? start : token.start, end: token.end, keys })
      }
    }
  }
  const scanner = new JsonScanner(take, { depthMax, tokenBytesMax: 1024 })
  scanner.push(bytes)
  refuse(scanner.end())
  if (!isObject) throw new IngestProblem('AFD_INGEST_MALFORMED', '', 'expected a JSON object')
  if (isDeep) throw new IngestProblem('AFD_INGEST_MALFORMED', '', `nested deeper than ${parsedDepthMax} levels`)
  if (isTwice) throw new IngestProblem('AFD_INGEST_MALFORMED', '', 'a key is there twice')
  return places
}

const problems: Record<JsonProblem['code'], string> = {
  not_json: 'not JSON',
  not_utf8: 'not UTF-8',
  too_deep: `nested deeper than ${depthMax} levels`,
}

function refuse(problem: JsonProblem | undefined): void {
  if (problem === undefined) return
  throw new IngestProblem('AFD_INGEST_MALFORMED', `byte ${problem.offset}`, problems[problem.code])
}

/** Keys of a value, however deep: fewer than its text has where one came twice. */
function countKeys(value: unknown): number {
  let count = 0
  const left = [value]
  while (left.length > 0) {
    const each = left.pop()
    if (typeof each !== 'object' || each === null) continue
    if (!Array.isArray(each)) count += Object.keys(each).length
    for (const item of Object.values(each)) left.push(item)
  }
  return count
}
