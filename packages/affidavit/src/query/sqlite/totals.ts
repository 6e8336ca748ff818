import type { DatabaseSync } from 'node:sqlite'
import { type Vantage, vantages } from '@affidavit/evidence/record/kinds'
import { isUnclassified } from './classified.ts'

/** What the index knows to be unfinished, and how much there is. Calls seen from several vantages count once. */
export interface Totals {
  calls: number
  openCalls: number
  /** Calls by the vantage they count at; they add up to `calls`. */
  countedAt: Record<Vantage, number>
  /** Records of calls that count at another one. */
  corroborating: number
  /** Calls that count by what a program reported, for no sensor saw them. */
  reportedOnly: number
  records: number
  openGaps: number
  violations: number
  /** Calls of tools that were recorded without a level or without an effect, and how many tools they are of. */
  unclassified: { tools: number; calls: number }
}

export function readTotals(db: DatabaseSync): Totals {
  const count = (sql: string) => Number(db.prepare(sql).get()?.n ?? 0)
  const byVantage = db.prepare(
    'SELECT vantage, reported, count(*) AS n FROM calls WHERE countedAt IS NULL GROUP BY vantage, reported',
  )
  const countedAt: Record<Vantage, number> = { client: 0, gateway: 0, server: 0 }
  let reportedOnly = 0
  for (const { vantage, reported, n } of byVantage.all()) {
    const known = vantages.find((name) => name === vantage)
    if (known !== undefined) countedAt[known] += Number(n)
    if (reported !== null) reportedOnly += Number(n)
  }
  return {
    calls: countedAt.client + countedAt.gateway + countedAt.server,
    openCalls: count('SELECT count(*) AS n FROM calls WHERE outcome IS NULL AND countedAt IS NULL'),
    countedAt,
    corroborating: count('SELECT count(*) AS n FROM calls WHERE countedAt IS NOT NULL'),
    reportedOnly,
    records: count('SELECT count(*) AS n FROM records'),
    openGaps: count(
      `SELECT count(*) AS n FROM records AS opened WHERE kind = 'gap' AND event = 'opened' AND NOT EXISTS (
         SELECT 1 FROM records AS closed WHERE closed.kind = 'gap' AND closed.event = 'closed'
         AND closed.detail ->> 'gapId' = opened.detail ->> 'gapId')`,
    ),
    unclassified: readUnclassified(db),
    violations: count("SELECT count(*) AS n FROM records WHERE kind = 'violation'"),
  }
}

function readUnclassified(db: DatabaseSync): Totals['unclassified'] {
  const row = db
    .prepare(
      `SELECT count(*) AS calls, count(DISTINCT json_array(server, coalesce(tool, toolDigest))) AS tools
       FROM calls WHERE kind = 'call' AND countedAt IS NULL AND ${isUnclassified}`,
    )
    .get()
  return { tools: Number(row?.tools ?? 0), calls: Number(row?.calls ?? 0) }
}
