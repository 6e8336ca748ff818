import { hash } from '@affidavit/evidence/record/digest'
import { isKeptName } from '@affidavit/evidence/record/text'
import type { InForce } from './in-force.ts'
import type { Held, Known, OutlinedMember } from './known.ts'
import type { View, Views } from './views.ts'

/**
 * What is known of a server's tools, as text that outlives the process: hashes, redacted definitions (at level `metadata`
 * keyed digests of their members), and who was shown what, principals as keyed digests.
 */
export interface Baseline {
  tools: [string, Known[]][]
  principals: [string, View][]
}

const toolBytesMax = 6 * 1024 * 1024
const principalBytesMax = 4 * 1024 * 1024

/**
 * The latest that fits. `isPlain`: names that redaction would alter are left out, because nothing that it matches is made
 * durable; such tools appear anew in every process.
 */
export function encodeBaseline(inForce: InForce, views: Views, isPlain: (name: string) => boolean): Uint8Array {
  const tools = [...inForce.forms].reverse().filter(([name]) => isPlain(name))
  const names = new Set(tools.map(([name]) => name))
  const principals = [...views.principals]
    .reverse()
    .map(([key, { shown, due }]) => [
      key,
      [...due].filter((name) => names.has(name)),
      [...shown].filter(([name]) => names.has(name)),
    ])
  const encoded = tools.map(([name, forms]) => [name, [...forms.values()].map(encodeKnown)])
  const parts = [takeFitting(encoded, toolBytesMax), takeFitting(principals, principalBytesMax)]
  return Buffer.from(`{"v":1,"tools":[${parts[0]}],"principals":[${parts[1]}]}\n`)
}

function encodeKnown({ definition, bytes, held }: Known): unknown[] {
  if (held === undefined) return [definition, bytes ?? null]
  if ('text' in held) return [definition, bytes ?? null, held.text]
  return [
    definition,
    bytes ?? null,
    [...held.outline].map(([member, outlined]) => [member, outlined.bytes, outlined.digest]),
  ]
}

/** Latest first, in the order of a file that is read from its end: what has no room is the oldest. */
function takeFitting(values: readonly unknown[], bytesMax: number): string {
  const taken: string[] = []
  let bytes = 0
  for (const value of values) {
    const text = JSON.stringify(value)
    bytes += Buffer.byteLength(text)
    if (bytes > bytesMax) break
    taken.push(text)
  }
  return taken.reverse().join(',')
}

/** Undefined where it is not what encodeBaseline writes: somebody else may have written it. */
export function parseBaseline(bytes: Uint8Array): Baseline | undefined {
  const value = parseJson(bytes)
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 1) return undefined
  if (!('tools' in value) || !('principals' in value)) return undefined
  const tools = parseList(value.tools, parseTool)
  const principals = parseList(value.principals, parsePrincipal)
  return tools === undefined || principals === undefined ? undefined : { tools, principals }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

function parseList<T>(value: unknown, parse: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const items: T[] = []
  for (const each of value) {
    const item = parse(each)
    if (item === undefined) return undefined
    items.push(item)
  }
  return items
}

const isHash = (value: unknown): value is string => hash(value) === undefined
const parseName = (value: unknown) => (typeof value === 'string' && isKeptName(value) ? value : undefined)
const parseHash = (value: unknown) => (isHash(value) ? value : undefined)
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function parseTool(value: unknown): [string, Known[]] | undefined {
  if (!Array.isArray(value)) return undefined
  const [name, forms] = [parseName(value[0]), parseList(value[1], parseKnown)]
  return name === undefined || forms === undefined ? undefined : [name, forms]
}

function parseKnown(value: unknown): Known | undefined {
  if (!Array.isArray(value)) return undefined
  const [definition, bytes, held]: unknown[] = value
  if (!isHash(definition) || !(bytes === null || isSize(bytes))) return undefined
  const known = { definition, bytes: bytes ?? undefined }
  if (held === undefined) return known
  const parsed = parseHeld(held)
  return parsed === undefined ? undefined : { ...known, held: parsed }
}

function parseHeld(value: unknown): Held | undefined {
  if (typeof value === 'string') return { text: value }
  const members = parseList(value, parseMember)
  return members === undefined ? undefined : { outline: new Map(members) }
}

function parseMember(value: unknown): [string, OutlinedMember] | undefined {
  if (!Array.isArray(value)) return undefined
  const [member, bytes, digest]: unknown[] = value
  return typeof member === 'string' && isSize(bytes) && typeof digest === 'string'
    ? [member, { bytes, digest }]
    : undefined
}

function parsePrincipal(value: unknown): [string, View] | undefined {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return undefined
  const [due, shown] = [parseList(value[1], parseName), parseList(value[2], parseShown)]
  if (due === undefined || shown === undefined) return undefined
  return [value[0], { due: new Set(due), shown: new Map(shown), hasListed: true }]
}

function parseShown(value: unknown): [string, string[]] | undefined {
  if (!Array.isArray(value)) return undefined
  const [name, hashes] = [parseName(value[0]), parseList(value[1], parseHash)]
  return name === undefined || hashes === undefined ? undefined : [name, hashes]
}
