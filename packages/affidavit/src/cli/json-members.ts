import { JsonScanner } from '@affidavit/evidence/record/json-scan'

/**
 * The members of an object, as bytes: what stands there, and not what a parser would make of it. Undefined where the text is
 * no object, or has a key twice.
 */
export function readMembers(json: Uint8Array): Map<string, Uint8Array> | undefined {
  const members = new Map<string, Uint8Array>()
  let key: string | undefined
  let start = 0
  let isClear = json[0] === 0x7b
  const scanner = new JsonScanner(({ type, depth, start: from, end, raw }) => {
    if (depth !== 1) return
    if (type === 'key') {
      key = raw === undefined ? undefined : readText(raw)
      if (key === undefined || members.has(key)) isClear = false
      return
    }
    if (type === 'beginObject' || type === 'beginArray') start = from
    else if (key !== undefined) {
      const isContainer = type === 'endObject' || type === 'endArray'
      members.set(key, json.subarray(isContainer ? start : from, end))
    }
  })
  scanner.push(json)
  return scanner.end() === undefined && isClear ? members : undefined
}

/** Text of a JSON string; undefined for any other value. */
export function readText(json: Uint8Array | undefined): string | undefined {
  if (json?.[0] !== 0x22) return undefined
  const value: unknown = JSON.parse(new TextDecoder().decode(json))
  return typeof value === 'string' ? value : undefined
}
