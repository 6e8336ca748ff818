import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { IndexError } from '../error.ts'
import { anyOf, type Condition, matchText } from '../filter.ts'
import { isUnclassified } from './classified.ts'

/** Which tools. Several values of one name mean any of them; patterns may hold `*`. */
export interface ToolFilter {
  server: readonly string[]
  tool: readonly string[]
}

/** One `change` record of a tool. */
export interface ToolChange {
  leaf: number
  timeMs: number
  server: string
  name: string
  event: 'appeared' | 'changed' | 'disappeared'
  before: string | undefined
  after: string | undefined
}

/**
 * What the log says of one tool of one server. `listed`: the last record of it has its definition. `gone`: the last one
 * says that it disappeared. `unannounced`: it was called with a definition that no record told of, which happens where
 * records are missing, or where what Affidavit remembers of the server was tampered with.
 */
export interface ToolSummary {
  server: string
  name: string
  state: 'listed' | 'gone' | 'unannounced'
  /** The last one that a record told of, else the one that calls carry. */
  definition: string | undefined
  firstSeenMs: number
  /** When its definition last changed, or it disappeared; undefined where it is as it was first seen. */
  lastChangedMs: number | undefined
  changes: number
  calls: number
  /** Of its calls, those recorded without a level or without an effect. */
  unclassified: number
  /** Of the last record of it; undefined where there is none. */
  leaf: number | undefined
}

/** In the order of the log. */
export function* iterateToolChanges(
  db: DatabaseSync,
  filter: ToolFilter,
  span: { sinceMs?: number | undefined; untilMs?: number | undefined } = {},
): Generator<ToolChange> {
  const { sql, values } = conditionOn(filter, { server: 'server', tool: "detail ->> 'name'" })
  const rows = db.prepare(
    `SELECT leaf, time, server, event, detail ->> 'name' AS name, detail ->> 'before' AS before, detail ->> 'after' AS after
     FROM records WHERE kind = 'change' AND detail ->> 'subject' = 'tool' AND time >= ? AND time < ? AND ${sql} ORDER BY leaf`,
  )
  const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER } = span
  for (const row of rows.iterate(sinceMs, untilMs, ...values)) yield parseChange(row)
}

/** By server and name. */
export function listTools(db: DatabaseSync, filter: ToolFilter): ToolSummary[] {
  const tools = new Map<string, ToolSummary>()
  const announced = new Set<string>()
  for (const change of iterateToolChanges(db, filter)) {
    const key = keyOf(change.server, change.name)
    announced.add(keyOf(key, change.after ?? change.before ?? ''))
    tools.set(key, applyChange(tools.get(key), change))
  }
  for (const used of readUse(db, filter)) {
    const key = keyOf(used.server, used.name)
    tools.set(
      key,
      applyUse(tools.get(key), used, announced.has(keyOf(key, used.definition)) ? 'announced' : 'unannounced'),
    )
  }
  return [...tools.values()].sort((a, b) => compareText(a.server, b.server) || compareText(a.name, b.name))
}

/** A call seen from several vantages counts once, also where they call the server alike. */
const oneCall = 'coalesce(countedAt, leaf)'

/** Calls to names that no listing had. */
export function countUnlistedCalls(db: DatabaseSync, { server }: ToolFilter): number {
  const { sql, values } = conditionOn({ server, tool: [] }, { server: 'server', tool: 'tool' })
  return Number(
    db
      .prepare(`SELECT count(DISTINCT ${oneCall}) AS n FROM calls WHERE toolDigest IS NOT NULL AND ${sql}`)
      .get(...values)?.n ?? 0,
  )
}

interface ToolUse {
  server: string
  name: string
  definition: string
  calls: number
  unclassified: number
  firstMs: number
}

function readUse(db: DatabaseSync, filter: ToolFilter): ToolUse[] {
  const { sql, values } = conditionOn(filter, { server: 'server', tool: 'tool' })
  const rows = db.prepare(
    `SELECT server, tool, toolDefinition, count(DISTINCT ${oneCall}) AS calls,
       count(DISTINCT CASE WHEN ${isUnclassified} THEN ${oneCall} END) AS unclassified, min(time) AS first FROM calls
     WHERE tool IS NOT NULL AND ${sql} GROUP BY server, tool, toolDefinition ORDER BY first`,
  )
  return rows.all(...values).map(({ server, tool, toolDefinition, calls, unclassified, first }) => ({
    server: String(server),
    name: String(tool),
    definition: String(toolDefinition),
    calls: Number(calls),
    unclassified: Number(unclassified),
    firstMs: Number(first),
  }))
}

function applyChange(tool: ToolSummary | undefined, change: ToolChange): ToolSummary {
  const { server, name, event, timeMs, leaf } = change
  const state = event === 'disappeared' ? 'gone' : 'listed'
  const definition = change.after ?? change.before
  // Sensors at several vantages tell the same, and one that lost its memory tells it again.
  const isNews = tool === undefined ? event !== 'appeared' : tool.state !== state || tool.definition !== definition
  return {
    server,
    name,
    state,
    definition,
    firstSeenMs: tool?.firstSeenMs ?? timeMs,
    lastChangedMs: isNews ? timeMs : tool?.lastChangedMs,
    changes: (tool?.changes ?? 0) + (isNews ? 1 : 0),
    calls: 0,
    unclassified: 0,
    leaf,
  }
}

function applyUse(tool: ToolSummary | undefined, use: ToolUse, standing: 'announced' | 'unannounced'): ToolSummary {
  const { server, name, definition, calls, unclassified, firstMs } = use
  const known: ToolSummary = tool ?? {
    ...{ server, name, definition, state: 'unannounced', firstSeenMs: firstMs, changes: 0, calls: 0, unclassified: 0 },
    lastChangedMs: undefined,
    leaf: undefined,
  }
  const state = standing === 'unannounced' ? standing : known.state
  const counts = { calls: known.calls + calls, unclassified: known.unclassified + unclassified }
  return { ...known, state, ...counts, firstSeenMs: Math.min(known.firstSeenMs, firstMs) }
}

function conditionOn({ server, tool }: ToolFilter, columns: { server: string; tool: string }): Condition {
  const parts = [
    ...(server.length === 0 ? [] : [anyOf(server.map((word) => matchText(columns.server, word)))]),
    ...(tool.length === 0 ? [] : [anyOf(tool.map((word) => matchText(columns.tool, word)))]),
  ]
  if (parts.length === 0) return { sql: '1', values: [] }
  return { sql: parts.map(({ sql }) => sql).join(' AND '), values: parts.flatMap(({ values }) => values) }
}

function parseChange(row: Record<string, SQLOutputValue>): ToolChange {
  const { leaf, time, server, name, event, before, after } = row
  const isEvent = event === 'appeared' || event === 'changed' || event === 'disappeared'
  if (typeof leaf !== 'number' || typeof time !== 'number' || typeof name !== 'string' || !isEvent)
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  const text = (value: SQLOutputValue | undefined) => (typeof value === 'string' ? value : undefined)
  return { leaf, timeMs: time, server: text(server) ?? '', name, event, before: text(before), after: text(after) }
}

const keyOf = (...parts: string[]) => JSON.stringify(parts)
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
