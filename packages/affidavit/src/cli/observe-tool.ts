import type { DatabaseSync } from 'node:sqlite'
import { fetchRecords } from '../query/fetch.ts'
import { iterateToolChanges, type ToolSummary } from '../query/sqlite/tools.ts'
import type { OpenSource } from './index-source.ts'
import type { ObservedTool } from './suggest-entry.ts'

type Members = Readonly<Record<string, unknown>>

/** What the log tells of a tool: its newest definition that is told in full, and the arguments of its newest calls. */
export async function observeTool(
  db: DatabaseSync,
  source: OpenSource,
  { server, name }: ToolSummary,
  calls: readonly number[],
): Promise<ObservedTool> {
  const changes = [...iterateToolChanges(db, { server: [server], tool: [name] })]
  const appeared = changes.filter((change) => change.event === 'appeared').at(-1)
  const leaves = [...calls, ...(appeared === undefined ? [] : [appeared.leaf])]
  const records = await fetchRecords(source, leaves)
  const inputAt = (leaf: number) => parseMembers(records.get(leaf)?.sections.input)
  const told = appeared === undefined ? {} : inputAt(appeared.leaf)
  return {
    server,
    name,
    description: typeof told.description === 'string' ? told.description : '',
    parameters: textsOf(told.parameters),
    annotations: textsOf(told.annotations),
    values: valuesIn(calls.map((leaf) => membersOf(inputAt(leaf).arguments))),
  }
}

/** The newest first. */
function valuesIn(calls: readonly Members[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const call of calls)
    for (const [name, value] of Object.entries(call)) {
      const first: unknown = Array.isArray(value) ? value[0] : value
      if (!values.has(name)) values.set(name, typeof first === 'string' ? first : '')
    }
  return values
}

function parseMembers(json: Uint8Array | undefined): Members {
  if (json === undefined) return {}
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString('utf8'))
    return membersOf(value)
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
