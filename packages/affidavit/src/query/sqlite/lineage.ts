import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { IndexError } from '../error.ts'
import { clockToleranceMs } from '../same-call.ts'
import { openEnd } from './schema.ts'
import { type CallPlace, parsePlace } from './search.ts'

/** One call as a link of a chain: what all its records say that joins it to others. */
export interface LinkedCall {
  /** Of the record that counts. */
  place: CallPlace
  /** Of all its records, that one first. */
  records: readonly CallPlace[]
  kind: string
  server: string
  traceId: string | undefined
  spanIds: readonly string[]
  agentIds: readonly string[]
  groupIds: readonly string[]
  parentCallIds: readonly string[]
  boot: string
  startUs: number
  /** openEnd while nothing says that it is over. */
  endMs: number
  endUs: number
}

/** What a call hangs on. `break`: something says that there is one, or there could be one, and which cannot be told. */
export type Parent =
  | { type: 'none' }
  | { type: 'call'; leaf: number; by: 'group' | 'parent-call' | 'trace' }
  | { type: 'break'; why: string }

export interface Lineage {
  /** By the leaf of any of its `requested` records. */
  read(leaf: number): LinkedCall
  parentOf(leaf: number): Parent
  /** Oldest first, at most childrenMax. */
  childrenOf(leaf: number): number[]
  /** Calls of its trace that began while it was under way and of which it cannot be told whose they are. */
  looseOf(leaf: number): LinkedCall[]
}

/** Calls of one trace that may be open at a time before it is not worth asking which one made another. */
const candidatesMax = 64
const childrenMax = 500

const members = `SELECT leaf, callId, time, completedLeaf, kind, server, traceId, spanId, agentId, callGroupId, parentCallId,
  hex(bootId) AS boot, monotonicUs, completedMonotonicUs, until, countedAt FROM calls`

export function openLineage(db: DatabaseSync): Lineage {
  const select = db.prepare(`${members} WHERE leaf = ?1 OR countedAt = ?1 ORDER BY countedAt IS NOT NULL, leaf`)
  const counted = db.prepare('SELECT coalesce(countedAt, leaf) AS leaf FROM calls WHERE leaf = ?')
  const calls = new Map<number, LinkedCall>()
  const read = (leaf: number): LinkedCall => {
    const at = Number(counted.get(leaf)?.leaf ?? leaf)
    const call = calls.get(at) ?? toLinkedCall(select.all(at))
    calls.set(at, call)
    return call
  }
  const parentOf = createParentReader(db, read)
  return { read, parentOf, ...createChildReaders(db, { read, parentOf }) }
}

function createParentReader(db: DatabaseSync, read: Lineage['read']): Lineage['parentOf'] {
  const byId = db.prepare('SELECT DISTINCT coalesce(countedAt, leaf) AS leaf FROM calls WHERE callId = ? LIMIT 2')
  const atTheTime = db.prepare(
    `SELECT leaf FROM calls WHERE traceId = ? AND countedAt IS NULL AND direction = 'to-server' AND kind NOT IN ('list', 'session')
       AND server <> ? AND time <= ? AND until >= ? ORDER BY time, leaf LIMIT ${candidatesMax + 1}`,
  )
  const known = new Map<number, Parent>()
  const leavesOf = (callId: string) => byId.all(callId).map((row) => Number(row.leaf))

  const judge = (call: LinkedCall): Parent => {
    const opener = call.groupIds.flatMap(leavesOf).find((leaf) => leaf !== call.place.leaf)
    if (opener !== undefined) return { type: 'call', leaf: opener, by: 'group' }
    if (call.parentCallIds.length > 0) return judgeDeclared(call, { read, leavesOf })
    return judgeTrace(call)
  }
  const judgeTrace = (call: LinkedCall): Parent => {
    const { traceId, server, place } = call
    if (traceId === undefined) return { type: 'none' }
    const rows = atTheTime.all(traceId, server, place.timeMs + clockToleranceMs, place.timeMs - clockToleranceMs)
    if (rows.length > candidatesMax)
      return { type: 'break', why: `more than ${candidatesMax} calls of its trace were open when it began` }
    const around = rows.map((row) => read(Number(row.leaf))).filter((other) => isDuring(call, other))
    return chooseByTrace(call, around, parentOf)
  }
  const parentOf = (leaf: number): Parent => {
    const call = read(leaf)
    const before = known.get(call.place.leaf)
    if (before !== undefined) return before
    // Whoever asks again while this is judged would go round in a circle, which a forged id can make.
    known.set(call.place.leaf, { type: 'none' })
    const judged = judge(call)
    const parent = isAbove(judged, call.place.leaf, known) ? circle : judged
    known.set(call.place.leaf, parent)
    return parent
  }
  return parentOf
}

const circle: Parent = { type: 'break', why: 'it names a call that was itself made for this one' }

/** Whether the way up leads back to where it began. */
function isAbove(parent: Parent, leaf: number, known: ReadonlyMap<number, Parent>): boolean {
  for (let at: Parent | undefined = parent; at?.type === 'call'; at = known.get(at.leaf))
    if (at.leaf === leaf) return true
  return false
}

function judgeDeclared(
  call: LinkedCall,
  { read, leavesOf }: { read: Lineage['read']; leavesOf: (callId: string) => number[] },
): Parent {
  const [callId = '', ...others] = call.parentCallIds
  if (others.length > 0) return { type: 'break', why: 'its records name different calls as the one it was made for' }
  const [leaf] = leavesOf(callId)
  if (leaf === undefined) return { type: 'break', why: `it names call ${callId}, which this log does not have` }
  if (leaf === call.place.leaf) return { type: 'break', why: 'it names itself as the call it was made for' }
  if (!isDuring(call, read(leaf)))
    return { type: 'break', why: `it names call ${callId}, which was not under way when this one began` }
  return { type: 'call', leaf, by: 'parent-call' }
}

/**
 * Of the calls of one trace that were open when this one began, the one whose server must have made it. A trace alone does
 * not say: an agent's own calls beside each other share it too, so clients that are the same, or have no name, prove nothing.
 */
function chooseByTrace(call: LinkedCall, around: readonly LinkedCall[], parentOf: Lineage['parentOf']): Parent {
  if (around.length === 0) return { type: 'none' }
  const unnamed = around.filter(({ agentIds }) => agentIds.length === 0)
  if (call.agentIds.length === 0 || unnamed.length > 0)
    return {
      type: 'break',
      why: 'calls of its trace were open when it began, and without the names of their clients nothing tells whether one of them made it',
    }
  const others = around.filter(({ agentIds }) => !agentIds.some((id) => call.agentIds.includes(id)))
  // A server that passes on the very span it was called with.
  const sameSpan = others.filter(({ spanIds }) => spanIds.some((id) => call.spanIds.includes(id)))
  const possible = sameSpan.length === 1 ? sameSpan : others
  const outer = new Set(
    possible.flatMap(({ place }) => {
      const parent = parentOf(place.leaf)
      return parent.type === 'call' ? [parent.leaf] : []
    }),
  )
  const [only, ...more] = possible.filter(({ place }) => !outer.has(place.leaf))
  if (only === undefined) return { type: 'none' }
  if (more.length === 0) return { type: 'call', leaf: only.place.leaf, by: 'trace' }
  const ids = [only, ...more].slice(0, 3).map(({ place }) => place.callId)
  return {
    type: 'break',
    why: `${more.length + 1} calls of its trace were open when it began, and nothing tells which of them made it: ${ids.join(', ')}${more.length > 2 ? ', …' : ''}`,
  }
}

/** Whether `outer` was under way when `call` began. Clocks of one boot are one clock; others may differ a little. */
function isDuring(call: LinkedCall, outer: LinkedCall): boolean {
  if (call.place.leaf === outer.place.leaf) return false
  if (call.boot === outer.boot) return outer.startUs <= call.startUs && call.startUs <= outer.endUs
  const { timeMs } = call.place
  return outer.place.timeMs <= timeMs + clockToleranceMs && timeMs - clockToleranceMs <= outer.endMs
}

function createChildReaders(
  db: DatabaseSync,
  { read, parentOf }: Pick<Lineage, 'read' | 'parentOf'>,
): Pick<Lineage, 'childrenOf' | 'looseOf'> {
  const named = db.prepare(
    `SELECT DISTINCT coalesce(countedAt, leaf) AS leaf FROM calls WHERE parentCallId = ?1 OR callGroupId = ?1 LIMIT ${childrenMax}`,
  )
  const traced = db.prepare(
    `SELECT leaf FROM calls WHERE traceId = ? AND countedAt IS NULL AND server <> ? AND time BETWEEN ? AND ? ORDER BY time LIMIT ${childrenMax}`,
  )
  const inTrace = ({ place, traceId, server, endMs }: LinkedCall): number[] => {
    if (traceId === undefined) return []
    const until = Math.min(openEnd, endMs + clockToleranceMs)
    return traced.all(traceId, server, place.timeMs - clockToleranceMs, until).map((row) => Number(row.leaf))
  }
  return {
    childrenOf(leaf) {
      const call = read(leaf)
      const byName = call.records.flatMap(({ callId }) => named.all(callId)).map((row) => Number(row.leaf))
      const leaves = [...new Set([...byName, ...inTrace(call)])].filter((each) => {
        const parent = parentOf(each)
        return parent.type === 'call' && parent.leaf === call.place.leaf
      })
      return leaves.sort((a, b) => read(a).place.timeMs - read(b).place.timeMs || a - b).slice(0, childrenMax)
    },
    looseOf(leaf) {
      const call = read(leaf)
      const others = inTrace(call).map(read)
      return others.filter(
        (other) =>
          other.kind !== 'list' &&
          other.kind !== 'session' &&
          parentOf(other.place.leaf).type === 'break' &&
          isDuring(other, call),
      )
    },
  }
}

type Row = Record<string, SQLOutputValue>

function toLinkedCall(rows: readonly Row[]): LinkedCall {
  const [first] = rows
  if (first === undefined) throw new IndexError('index_unreadable', 'the index lacks the row of a call')
  const { kind, server, boot, monotonicUs, completedMonotonicUs, until } = first
  const all = (name: string) => [
    ...new Set(rows.flatMap((row) => (typeof row[name] === 'string' ? [String(row[name])] : []))),
  ]
  return {
    place: parsePlace(first),
    records: rows.map(parsePlace),
    kind: String(kind),
    server: String(server),
    traceId: all('traceId')[0],
    spanIds: all('spanId'),
    agentIds: all('agentId'),
    groupIds: all('callGroupId'),
    parentCallIds: all('parentCallId'),
    boot: String(boot),
    startUs: Number(monotonicUs),
    endMs: Number(until),
    endUs: Number(until) === openEnd ? openEnd : Number(completedMonotonicUs),
  }
}
