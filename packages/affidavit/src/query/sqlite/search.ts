import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { IndexError } from '../error.ts'
import { type CallFilter, toCondition } from '../filter.ts'

/** Where the halves of a call are in the log; what the table of calls is built from. */
export interface CallPlace {
  leaf: number
  callId: string
  timeMs: number
  /** Absent while the call is open. */
  completedLeaf?: number
}

export interface CallPage {
  /** Oldest first. */
  calls: CallPlace[]
  /** Calls that match in all. */
  total: number
}

/** The newest `limit` calls that match, oldest first; by priority the gravest, those first, and of equals the newest. */
export function searchCalls(
  db: DatabaseSync,
  filter: CallFilter,
  limit: number,
  order: 'time' | 'priority' = 'time',
): CallPage {
  const { sql, values } = toCondition(filter)
  const total = db.prepare(`SELECT count(*) AS total FROM calls WHERE ${sql}`).get(...values)?.total
  const rows = db
    .prepare(
      `SELECT leaf, callId, time, completedLeaf FROM calls WHERE ${sql}
       ORDER BY ${order === 'priority' ? 'priority DESC, ' : ''}time DESC, leaf DESC LIMIT ?`,
    )
    .all(...values, limit)
  const calls = (order === 'priority' ? rows : rows.reverse()).map(parsePlace)
  return { calls, total: Number(total ?? 0) }
}

/** All calls that match, oldest first, one at a time: the result may be larger than memory. */
export function* iterateCalls(db: DatabaseSync, filter: CallFilter): Generator<CallPlace> {
  const { sql, values } = toCondition(filter)
  const rows = db.prepare(`SELECT leaf, callId, time, completedLeaf FROM calls WHERE ${sql} ORDER BY time, leaf`)
  for (const row of rows.iterate(...values)) yield parsePlace(row)
}

/** Calls whose id starts or ends with the given text (lower-case hex and dashes); at most `max`. */
export function findCalls(db: DatabaseSync, part: string, max: number): CallPlace[] {
  const select = 'SELECT leaf, callId, time, completedLeaf FROM calls WHERE'
  const exact = db.prepare(`${select} callId = ? ORDER BY leaf LIMIT ?`).all(part, max)
  if (exact.length > 0) return exact.map(parsePlace)
  // The range serves a prefix from the index on callId; a suffix has to look at every id.
  const prefix = db.prepare(`${select} callId >= ? AND callId < ? ORDER BY leaf LIMIT ?`).all(part, `${part}~`, max)
  const suffix = db.prepare(`${select} substr(callId, -?) = ? ORDER BY leaf LIMIT ?`).all(part.length, part, max)
  const places = [...prefix, ...suffix].map(parsePlace)
  return places.filter(({ leaf }, i) => places.findIndex((other) => other.leaf === leaf) === i).slice(0, max)
}

/** Sessions with this id or, where there is none, those whose id starts or ends with it; at most `max`. */
export function findSessions(db: DatabaseSync, part: string, max: number): string[] {
  const find = (where: string, ...values: (string | number)[]) =>
    db
      .prepare(`SELECT DISTINCT session FROM calls WHERE session IS NOT NULL AND ${where} ORDER BY 1 LIMIT ?`)
      .all(...values, max)
      .map(({ session }) => String(session))
  const exact = find('session = ?', part)
  if (exact.length > 0) return exact
  return find('(substr(session, 1, ?) = ? OR substr(session, -?) = ?)', part.length, part, part.length, part)
}

/**
 * Calls of unlisted tools that fit the rest of the question and whose names could not be held against a pattern: the log
 * has digests of such names only. 0 where no tool is asked for by pattern.
 */
export function countIncomparable(db: DatabaseSync, { tool = [], toolDigest = [], ...rest }: CallFilter): number {
  const isAnyTool = tool.some((word) => /^\*+$/.test(word))
  const hasPattern = tool.length > toolDigest.length
  if (isAnyTool || !hasPattern) return 0
  const { sql, values } = toCondition(rest)
  const places = toolDigest.map(() => '?').join(', ')
  const row = db
    .prepare(
      `SELECT count(*) AS n FROM calls WHERE ${sql} AND toolDigest IS NOT NULL AND toolDigest NOT IN (${places})
       AND NOT EXISTS (SELECT 1 FROM calls AS other WHERE other.countedAt = calls.leaf AND other.tool IS NOT NULL)`,
    )
    .get(...values, ...toolDigest)
  return Number(row?.n ?? 0)
}

/** The call that one of its two leaves belongs to. */
export function findCallOfLeaf(db: DatabaseSync, leaf: number): CallPlace | undefined {
  const row = db
    .prepare('SELECT leaf, callId, time, completedLeaf FROM calls WHERE leaf = ? OR completedLeaf = ?')
    .get(leaf, leaf)
  return row === undefined ? undefined : parsePlace(row)
}

type Row = Record<string, SQLOutputValue>

export function parsePlace(row: Row): CallPlace {
  const { leaf, callId, time, completedLeaf } = row
  if (typeof leaf !== 'number' || typeof callId !== 'string' || typeof time !== 'number') {
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  }
  return { leaf, callId, timeMs: time, ...(typeof completedLeaf === 'number' ? { completedLeaf } : {}) }
}
