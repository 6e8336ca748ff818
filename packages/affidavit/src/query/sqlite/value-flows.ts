import type { DatabaseSync } from 'node:sqlite'
import { type CallPlace, parsePlace } from './search.ts'

/** Values that one call gave out, and that were handed to another one afterwards. */
export interface ValueFlow {
  /** The call that gave them out, and the one that got them; in each case the record that counts. */
  from: CallPlace
  to: CallPlace
  /** How many values. */
  values: number
}

const flowsMax = 20
const counted = (alias: string) => `coalesce(${alias}.countedAt, ${alias}.leaf)`
const place = (alias: string) =>
  ['leaf', 'callId', 'time', 'completedLeaf'].map((name) => `${alias}.${name} AS ${alias}_${name}`).join(', ')

/**
 * To another server, or to a call that sends outside: that a database is asked for what it gave out before is how databases are
 * used. A value that was handed to the call which gave it out came from whoever asked, and is none of its data.
 */
const select = (asked: 'source' | 'target') => `
SELECT ${place('source')}, ${place('target')}, count(DISTINCT read.mark) AS "values"
FROM calls AS here
  JOIN valueMarks AS given ON given.leaf = here.completedLeaf AND given.side = ${asked === 'source' ? 0 : 1}
  JOIN valueMarks AS found ON found.mark = given.mark AND found.side = ${asked === 'source' ? 1 : 0}
  JOIN calls AS there ON there.completedLeaf = found.leaf
  JOIN calls AS source ON source.leaf = ${counted(asked === 'source' ? 'here' : 'there')}
  JOIN calls AS target ON target.leaf = ${counted(asked === 'source' ? 'there' : 'here')}
  JOIN valueMarks AS read ON read.mark = given.mark AND read.side = 0 AND read.leaf = ${asked === 'source' ? 'given' : 'found'}.leaf
WHERE coalesce(here.countedAt, here.leaf) = ? AND source.leaf <> target.leaf
  AND target.time >= coalesce(source.completedTime, source.time)
  AND (target.server <> source.server OR target.effectClass = 'external-send')
  AND NOT EXISTS (SELECT 1 FROM valueMarks AS own WHERE own.mark = given.mark AND own.side = 1
    AND own.leaf = ${asked === 'source' ? 'given' : 'found'}.leaf)
GROUP BY source.leaf, target.leaf ORDER BY target.leaf, source.leaf LIMIT ${flowsMax}`

/** Where values of this call went, and where those that were handed to it came from. `leaf`: of the record that counts. */
export function readValueFlows(db: DatabaseSync, leaf: number): { out: ValueFlow[]; in: ValueFlow[] } {
  const read = (asked: 'source' | 'target') =>
    db
      .prepare(select(asked))
      .all(leaf)
      .map((row) => ({ from: toPlace(row, 'source'), to: toPlace(row, 'target'), values: Number(row.values) }))
  return { out: read('source'), in: read('target') }
}

function toPlace(row: Parameters<typeof parsePlace>[0], alias: 'source' | 'target'): CallPlace {
  const at = (name: string) => row[`${alias}_${name}`] ?? null
  return parsePlace({ leaf: at('leaf'), callId: at('callId'), time: at('time'), completedLeaf: at('completedLeaf') })
}
