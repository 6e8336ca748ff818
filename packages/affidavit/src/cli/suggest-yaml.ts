import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Suggestion } from './suggest-entry.ts'

export interface CountedSuggestion extends Suggestion {
  calls: number
}

/** A catalogue file that loads as it stands. What servers chose goes in as JSON strings, which YAML takes, and printable comments. */
export function formatSuggestions(suggestions: readonly CountedSuggestion[]): string {
  const ids = new Set<string>()
  const lines = [
    '# Proposed by affidavit catalog suggest. Guesses from names and claims: look at every line before it counts.',
    'version: 1',
    suggestions.length === 0 ? 'entries: []' : 'entries:',
  ]
  for (const suggestion of suggestions) lines.push(...formatEntry(suggestion, makeId(suggestion, ids)), '')
  return `${lines.join('\n').trimEnd()}\n`
}

function formatEntry(
  { server, tool, effect, sensitivity, dataTypes, extract, calls, why }: CountedSuggestion,
  id: string,
) {
  return [
    ...[`${calls} ${calls === 1 ? 'call' : 'calls'} seen`, ...why].map((line) => `  # ${toPrintable(line)}`),
    `  - id: ${id}`,
    `    server: ${quote(server)}`,
    `    tool: ${quote(tool)}`,
    ...(sensitivity === undefined ? [] : [`    sensitivity: ${sensitivity}`]),
    ...(effect === undefined ? [] : [`    effect: ${effect}`]),
    ...(dataTypes.length === 0 ? [] : [`    dataTypes: [${dataTypes.join(', ')}]`]),
    ...(extract.length === 0
      ? []
      : ['    extract:', ...extract.map(({ as, from }) => `      - { as: ${as}, from: ${formatFrom(from)} }`)]),
  ]
}

function formatFrom(from: string | Record<string, string>): string {
  if (typeof from === 'string') return quote(from)
  const parts = Object.entries(from).map(([part, pointer]) => `${part}: ${quote(pointer)}`)
  return `{ ${parts.join(', ')} }`
}

/** Characters that YAML does not take as they are, such as U+2028 and DEL, as escapes. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function makeId({ server, tool }: Suggestion, taken: Set<string>): string {
  const plain = `${server}-${tool}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const short = plain.slice(0, 56) || 'entry'
  let id = short
  for (let n = 2; taken.has(id); n++) id = `${short}-${n}`
  taken.add(id)
  return id
}
