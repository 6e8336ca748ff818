import type { DatabaseSync } from 'node:sqlite'
import { type CallFilter, toCondition } from '../filter.ts'

/** Calls of low priority of one tool in one hour. */
export interface LowCalls {
  /** Its beginning, in milliseconds since 1970. */
  hourMs: number
  server: string
  /** Tool, else method; undefined where neither is one that the log names. */
  subject: string | undefined
  calls: number
  /** Of the first of them. */
  leaf: number
}

const hourMs = 3_600_000

/** Those that match, in order of time. */
export function countLowCalls(db: DatabaseSync, filter: CallFilter): LowCalls[] {
  const { sql, values } = toCondition(filter)
  const rows = db.prepare(
    `SELECT time - time % ${hourMs} AS hour, server, coalesce(tool, CASE WHEN toolDigest IS NULL THEN method END) AS subject,
       count(*) AS calls, min(leaf) AS leaf
     FROM calls WHERE priority = 0 AND ${sql} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  )
  return rows.all(...values).map(({ hour, server, subject, calls, leaf }) => ({
    hourMs: Number(hour),
    server: String(server),
    subject: typeof subject === 'string' ? subject : undefined,
    calls: Number(calls),
    leaf: Number(leaf),
  }))
}
