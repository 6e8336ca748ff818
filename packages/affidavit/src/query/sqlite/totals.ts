import type { DatabaseSync } from 'node:sqlite'

/** What the index knows to be unfinished, and how much there is. */
export interface Totals {
  calls: number
  openCalls: number
  records: number
  openGaps: number
  violations: number
}

export function readTotals(db: DatabaseSync): Totals {
  const count = (sql: string) => Number(db.prepare(sql).get()?.n ?? 0)
  return {
    calls: count('SELECT count(*) AS n FROM calls'),
    openCalls: count('SELECT count(*) AS n FROM calls WHERE outcome IS NULL'),
    records: count('SELECT count(*) AS n FROM records'),
    openGaps: count(
      `SELECT count(*) AS n FROM records AS opened WHERE kind = 'gap' AND event = 'opened' AND NOT EXISTS (
         SELECT 1 FROM records AS closed WHERE closed.kind = 'gap' AND closed.event = 'closed'
         AND closed.detail ->> 'gapId' = opened.detail ->> 'gapId')`,
    ),
    violations: count("SELECT count(*) AS n FROM records WHERE kind = 'violation'"),
  }
}
