import { readFileSync } from 'node:fs'
import { type Document, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import type { z } from 'zod'
import { UsageError } from './usage-error.ts'

/** What a configuration is checked against, and what to say of a key that is none. */
export interface ConfigShape<T> {
  schema: z.ZodType<T>
  remedy: string
}

/** Throws UsageError `AFD_CONFIG_UNREADABLE` or `AFD_CONFIG_INVALID`, which names line, key and remedy. */
export function loadYamlConfig<T>(path: string, shape: ConfigShape<T>): T {
  return parseYamlConfig(path, readText(path), shape)
}

/** Like loadYamlConfig, of a text that was read from `path`. */
export function parseYamlConfig<T>(path: string, text: string, { schema, remedy }: ConfigShape<T>): T {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [problem] = document.errors
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0])
    throw invalid(`${path}, line ${line}: not YAML (${problem.code})`, 'Correct the line.')
  }
  const parsed = schema.safeParse(document.toJS() ?? {})
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  // A key that is misspelt is also missing under its right name: what was written tells more than what was not.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const keys = [...(issue?.path ?? []), ...unknownKey].map(String)
  const line = lines.linePos(offsetOf(document.contents, keys)).line
  const said = issue === undefined ? 'invalid' : sayIssue(issue, document)
  throw invalid(`${path}, line ${line}: ${keys.join('.') || 'the file'}: ${said}`, remedy)
}

/** `PATH, line N: KEY`, for mistakes that only several keys together make. The text was parsed before. */
export function placeOf(path: string, text: string, keys: readonly string[]): string {
  const lines = new LineCounter()
  const { contents } = parseDocument(text, { lineCounter: lines })
  return `${path}, line ${lines.linePos(offsetOf(contents, keys)).line}: ${keys.join('.')}`
}

/** The validator's kinds, in words of YAML. */
const kinds: Readonly<Record<string, string>> = {
  object: 'keys with values', record: 'keys with values', array: 'a list', string: 'text',
  int: 'a whole number', number: 'a number', boolean: 'true or false',
} // biome-ignore format: one list, read as one

function sayIssue(issue: z.core.$ZodIssue, document: Document): string {
  if (issue.code === 'unrecognized_keys') return 'there is no such key'
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  if (issue.code !== 'invalid_type') return issue.message
  return document.hasIn(issue.path) ? `expected ${kinds[issue.expected] ?? issue.expected}` : 'is missing'
}

/** Throws UsageError `AFD_CONFIG_UNREADABLE`; what `sayMissing` makes, where it is given and there is no such file. */
export function readText(path: string, sayMissing?: (path: string) => UsageError): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'ENOENT' && sayMissing !== undefined) throw sayMissing(path)
    throw new UsageError('AFD_CONFIG_UNREADABLE', `${path} cannot be read (${code})`, 'Check its path and permissions.')
  }
}

function invalid(problem: string, advice: string): UsageError {
  return new UsageError('AFD_CONFIG_INVALID', problem, advice)
}

/** Where the deepest key of the path stands that the document has. */
function offsetOf(contents: ParsedNode | null, keys: readonly string[]): number {
  let node: unknown = contents
  let offset = contents?.range[0] ?? 0
  for (const key of keys) {
    if (isSeq<ParsedNode>(node)) {
      node = node.items[Number(key)]
      offset = isScalar(node) || isMap(node) ? (node.range?.[0] ?? offset) : offset
      continue
    }
    if (!isMap(node)) break
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    if (pair === undefined) break
    offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset
    node = pair.value
  }
  return offset
}
