import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { IndexError } from '../error.ts'

/** One log entry as a person follows it: halves of calls carry what the other half knows. */
export interface LogEvent {
  leaf: number
  timeMs: number
  kind: string
  /** `requested`, an outcome, or what happened (`opened`, `spool_full`, …). */
  event: string
  server?: string
  /** Tool, else method; of a change of a tool its name. */
  subject?: string
  /** Keyed digest of the name, where the server never listed the tool; `subject` is the method then. */
  toolDigest?: string
  agent?: string
  user?: string
  /** What the call is said to be for, on its `requested` half: the first statement, cut. Always claimed. */
  purpose?: string
  callId?: string
  /** Of halves of calls: from where it was seen, and whether a program told of it instead. */
  vantage?: string
  reported?: string
  httpStatus?: number
  latencyUs?: number
  bytes?: number
  /** Of halves of calls: 0 (low) to 3 (critical), of what was known by then. */
  priority?: number
  /** JSON text of `detail`, for records that are no half of a call. */
  detail?: string
}

const columns =
  'at, time, kind, event, server, subject, toolDigest, agent, user, callId, vantage, reported, httpStatus, latencyUs, bytes, priority, purpose, detail'
const ofCall = 'toolDigest, agent, user, callId, vantage, reported'
const select = `
SELECT ${columns} FROM (
  SELECT leaf AS at, time, kind, 'requested' AS event, server, coalesce(tool, method) AS subject, ${ofCall},
    NULL AS httpStatus, NULL AS latencyUs, inputBytes AS bytes, requestedPriority AS priority, purpose, NULL AS detail FROM calls WHERE leaf >= ?1 AND leaf < ?2
  UNION ALL
  SELECT completedLeaf, completedTime, kind, outcome, server, coalesce(tool, method), ${ofCall},
    httpStatus, latencyUs, responseBytes, priority, NULL, NULL FROM calls WHERE completedLeaf IS NOT NULL AND completedLeaf >= ?1 AND completedLeaf < ?2
  UNION ALL
  SELECT leaf, time, kind, event, server, CASE kind WHEN 'change' THEN detail ->> 'name' END, NULL, agent, user, callId,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, detail FROM records WHERE leaf >= ?1 AND leaf < ?2
) ORDER BY at`

/** Entries of leaves [from, to), in log order. */
export function readEvents(db: DatabaseSync, from: number, to: number): LogEvent[] {
  return db.prepare(select).all(from, to).map(parseEvent)
}

function parseEvent(row: Record<string, SQLOutputValue>): LogEvent {
  const { at, time, kind, event } = row
  if (typeof at !== 'number' || typeof time !== 'number' || typeof kind !== 'string' || typeof event !== 'string') {
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  }
  return {
    leaf: at,
    timeMs: time,
    kind,
    event,
    ...texts(row, [
      'server',
      'subject',
      'toolDigest',
      'agent',
      'user',
      'callId',
      'vantage',
      'reported',
      'purpose',
      'detail',
    ]),
    ...numbers(row, ['httpStatus', 'latencyUs', 'bytes', 'priority']),
  }
}

function texts<Name extends string>(row: Record<string, SQLOutputValue>, names: readonly Name[]) {
  const found: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = row[name]
    if (typeof value === 'string') found[name] = value
  }
  return found
}

function numbers<Name extends string>(row: Record<string, SQLOutputValue>, names: readonly Name[]) {
  const found: Partial<Record<Name, number>> = {}
  for (const name of names) {
    const value = row[name]
    if (typeof value === 'number') found[name] = value
  }
  return found
}
