import type { DatabaseSync } from 'node:sqlite'

/** How the calls of a tool were classified. Calls seen from several vantages count once. */
export interface ToolCalls {
  calls: number
  /** Without a level, or without an effect. */
  unclassified: number
  /** Of the newest `requested` records, newest first. */
  leaves: number[]
}

const leavesMax = 5

/** Of a row: no entry gave it a level, or none an effect. */
export const isUnclassified =
  "(coalesce(completedClassification, classification) = 'unclassified' OR effect = 'unknown')"

export function readToolCalls(db: DatabaseSync, server: string, tool: string): ToolCalls {
  const counted = db
    .prepare(
      `SELECT count(*) AS calls, coalesce(sum(${isUnclassified}), 0) AS unclassified
       FROM calls WHERE tool = ? AND server = ? AND countedAt IS NULL`,
    )
    .get(tool, server)
  const newest = db.prepare('SELECT leaf FROM calls WHERE tool = ? AND server = ? ORDER BY leaf DESC LIMIT ?')
  return {
    calls: Number(counted?.calls ?? 0),
    unclassified: Number(counted?.unclassified ?? 0),
    leaves: newest.all(tool, server, leavesMax).map(({ leaf }) => Number(leaf)),
  }
}
