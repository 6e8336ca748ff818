import type { DatabaseSync } from 'node:sqlite'
import { type Lineage, type LinkedCall, openLineage, type Parent } from './lineage.ts'

/** Calls that hang together: each with what it hangs on, oldest first. */
export interface TracedCall {
  call: LinkedCall
  /** `none` for calls that nothing before them is known of. */
  parent: Parent
  children: TracedCall[]
  /** Ids of calls that may be its children, for nothing tells whose they are. */
  loose: string[]
}

export interface TracedCalls {
  roots: TracedCall[]
  count: number
  /** Listings and handshakes, which reach no data, and on which nothing hangs. */
  housekeeping: number
  /** Calls beyond callsMax. */
  omitted: number
}

export const callsMax = 200

/**
 * The asked calls, all that they hang on and all that hangs on them. Of what they hang on the other branches are left
 * out: they are other calls' paths.
 */
export function traceCalls(db: DatabaseSync, asked: readonly number[]): TracedCalls {
  const lineage = openLineage(db)
  const named = [...new Set(asked.map((leaf) => lineage.read(leaf).place.leaf))]
  const all = new Set<number>()
  let omitted = 0
  const add = (leaf: number) => {
    if (all.has(leaf)) return false
    if (all.size >= callsMax) omitted++
    else all.add(leaf)
    return all.has(leaf)
  }
  const down = (leaf: number) => {
    for (const child of lineage.childrenOf(leaf)) if (add(child)) down(child)
  }
  for (const leaf of named) {
    if (!add(leaf)) continue
    for (let parent = lineage.parentOf(leaf); parent.type === 'call' && add(parent.leaf); )
      parent = lineage.parentOf(parent.leaf)
    down(leaf)
  }
  const shown = dropHousekeeping(all, named.length === 1 ? named : [], lineage)
  return { roots: toTree(shown, lineage), count: shown.size, housekeeping: all.size - shown.size, omitted }
}

function dropHousekeeping(all: ReadonlySet<number>, kept: readonly number[], lineage: Lineage): Set<number> {
  const parents = new Set([...all].map((leaf) => leafOf(lineage.parentOf(leaf))))
  const telling = [...all].filter((leaf) => {
    const { kind } = lineage.read(leaf)
    return kept.includes(leaf) || parents.has(leaf) || (kind !== 'list' && kind !== 'session')
  })
  return new Set(telling.length === 0 ? all : telling)
}

function leafOf(parent: Parent): number | undefined {
  return parent.type === 'call' ? parent.leaf : undefined
}

function toTree(shown: ReadonlySet<number>, lineage: Lineage): TracedCall[] {
  const nodes = new Map(
    [...shown].map((leaf): [number, TracedCall] => [
      leaf,
      {
        call: lineage.read(leaf),
        parent: lineage.parentOf(leaf),
        children: [],
        loose: lineage.looseOf(leaf).map(({ place }) => place.callId),
      },
    ]),
  )
  const roots: TracedCall[] = []
  const inOrder = [...nodes.values()].sort((a, b) => a.call.place.timeMs - b.call.place.timeMs || leafIn(a) - leafIn(b))
  for (const node of inOrder) {
    const above = nodes.get(leafOf(node.parent) ?? Number.NaN)
    if (above === undefined) roots.push(node)
    else above.children.push(node)
  }
  return roots
}

function leafIn({ call }: TracedCall): number {
  return call.place.leaf
}

/** What an id of the command line was found to be. */
export interface AskedCalls {
  as: 'trace' | 'run' | 'group' | 'call'
  id: string
  leaves: number[]
}

/** Calls with exactly this trace id, group id or id of a pipeline's run; undefined where there are none. */
export function findByOtherId(db: DatabaseSync, id: string): AskedCalls | undefined {
  const find = (column: string, value: string) =>
    db
      .prepare(
        `SELECT DISTINCT coalesce(countedAt, leaf) AS leaf FROM calls WHERE ${column} = ? ORDER BY time LIMIT 10000`,
      )
      .all(value)
      .map((row) => Number(row.leaf))
  const lower = id.toLowerCase()
  const ways = [
    { as: 'trace', column: 'traceId', value: lower },
    { as: 'group', column: 'callGroupId', value: lower },
    { as: 'run', column: 'run', value: id },
  ] as const
  for (const { as, column, value } of ways) {
    const leaves = find(column, value)
    if (leaves.length > 0) return { as, id: value, leaves: as === 'group' ? [...opener(db, value), ...leaves] : leaves }
  }
  return undefined
}

/** The exchange that opened a group has no group's id in its own record: its id is the group's. */
function opener(db: DatabaseSync, groupId: string): number[] {
  return db
    .prepare('SELECT coalesce(countedAt, leaf) AS leaf FROM calls WHERE callId = ?')
    .all(groupId)
    .map((row) => Number(row.leaf))
}

/** Where a credential with this digest was judged first; undefined where no record tells. */
export function findJudgement(db: DatabaseSync, fingerprint: string): { leaf: number; detail: string } | undefined {
  const row = db
    .prepare(
      `SELECT leaf, detail FROM records WHERE kind = 'auth' AND detail ->> 'fingerprint' = ? AND event = 'admitted' ORDER BY leaf LIMIT 1`,
    )
    .get(fingerprint)
  return row === undefined ? undefined : { leaf: Number(row.leaf), detail: String(row.detail) }
}
