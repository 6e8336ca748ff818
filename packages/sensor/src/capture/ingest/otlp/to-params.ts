import { JsonScanner, type JsonToken } from '@affidavit/evidence/record/json-scan'
import { decodeString } from '../../message.ts'
import { argumentPrefixes, names } from './conventions.ts'
import { type Attribute, type Attributes, attributeAt, textAt } from './span.ts'

export interface ToldParams {
  params?: Uint8Array
  isPartial: boolean
}

const utf8 = new TextEncoder()

/**
 * The request's params as far as the attributes tell them. Complete are only those of a call whose arguments were recorded
 * as a whole: everything else may have had more in it.
 */
export function toParams(method: string, attributes: Attributes): ToldParams {
  const name = textAt(attributes, method === 'prompts/get' ? names.prompt : names.tool)
  const uri = method.startsWith('resources/') ? textAt(attributes, names.uri) : undefined
  const told = attributeAt(attributes, names.arguments)
  const args = told === undefined ? singleArguments(attributes) : jsonOf(told)
  const members = [
    ...(name === undefined ? [] : [`"name":${JSON.stringify(name)}`]),
    ...(uri === undefined ? [] : [`"uri":${JSON.stringify(uri)}`]),
    ...(args === undefined ? [] : [`"arguments":${args}`]),
  ]
  const isPartial = name === undefined || told === undefined
  return members.length === 0 ? { isPartial } : { params: utf8.encode(`{${members.join(',')}}`), isPartial }
}

/** The value of an attribute as JSON text: JSON in a string counts as what it says. */
export function jsonOf({ text, json }: Attribute): string {
  return text !== undefined && topKeysOf(text) !== undefined ? text.trim() : json
}

function singleArguments(attributes: Attributes): string | undefined {
  const members: string[] = []
  for (const prefix of argumentPrefixes)
    for (const [key, value] of attributes)
      if (key.startsWith(prefix)) members.push(`${JSON.stringify(key.slice(prefix.length))}:${value.json}`)
  return members.length === 0 ? undefined : `{${members.join(',')}}`
}

/** Keys of a JSON object; undefined where the text is none. */
export function topKeysOf(text: string): ReadonlySet<string> | undefined {
  const keys = new Set<string>()
  let isObject = false
  const scanner = new JsonScanner(
    ({ depth, type, raw }: JsonToken) => {
      if (depth === 0) isObject ||= type === 'beginObject'
      else if (depth === 1 && type === 'key' && raw !== undefined) keys.add(decodeString(raw))
    },
    { tokenBytesMax: 1024 },
  )
  scanner.push(utf8.encode(text))
  return scanner.end() === undefined && isObject ? keys : undefined
}
