import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { type CallPlace, parsePlace } from './search.ts'

/** The exchanges that make up one call: rounds of `input_required`, a task and the polls for it. */
export interface CallGroup {
  groupId: string
  /** What came of the call in the end; absent while nothing has. */
  outcome?: string
  /** Oldest first; the first groupExchangesMax of them. */
  exchanges: GroupedExchange[]
  total: number
}

export interface GroupedExchange {
  place: CallPlace
  method?: string
  outcome?: string
}

const groupExchangesMax = 50
/** Their success says that they were taken, not what came of the task. */
const asides = new Set(['tasks/cancel', 'tasks/update', 'tasks/list'])

/** Undefined where the call is one exchange. */
export function readCallGroup(db: DatabaseSync, leaf: number): CallGroup | undefined {
  const own = db.prepare('SELECT callId, callGroupId FROM calls WHERE leaf = ?').get(leaf)
  // The exchange that opens a group does not know yet that it will be one: its own id is the group's.
  const groupId = String(own?.callGroupId ?? own?.callId ?? '')
  const rows = db
    .prepare(
      `SELECT leaf, callId, time, completedLeaf, method, outcome FROM calls
       WHERE (callGroupId = ? OR callId = ?) AND countedAt IS NULL ORDER BY time, leaf`,
    )
    .all(groupId, groupId)
  if (rows.length < 2) return undefined
  const outcome = outcomeOf(rows)
  return {
    groupId,
    ...(outcome === undefined ? {} : { outcome }),
    exchanges: rows.slice(0, groupExchangesMax).map(toExchange),
    total: rows.length,
  }
}

type Row = Record<string, SQLOutputValue>

function toExchange(row: Row): GroupedExchange {
  const { method, outcome } = row
  return {
    place: parsePlace(row),
    ...(typeof method === 'string' ? { method } : {}),
    ...(typeof outcome === 'string' ? { outcome } : {}),
  }
}

/** Of the last exchange that was not continued; as long as there is none, `continued`. */
function outcomeOf(rows: readonly Row[]): string | undefined {
  const told = rows.filter(({ method, outcome }) => typeof outcome === 'string' && !asides.has(String(method)))
  const last = told.findLast(({ outcome }) => outcome !== 'continued') ?? told.at(-1)
  return last === undefined ? undefined : String(last.outcome)
}
