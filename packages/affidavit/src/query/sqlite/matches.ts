import type { DatabaseSync } from 'node:sqlite'
import type { LinkRole } from '../links.ts'
import { clockToleranceMs, couldBeOne, isOutrankedBy, type SeenCall, slotOf, slotsByRank } from '../same-call.ts'
import { openEnd } from './schema.ts'
import { createLinkReader, openSeenCalls, type SeenCalls, type StoredLink, toRoleNumber } from './seen-calls.ts'

/** Which calls are one. */
export interface Matches {
  calls: SeenCalls
  /** The best other record of the same call; undefined where there is none, or it is not certain which. */
  partnerOf(leaf: number): number | undefined
  /** Calls of other vantages that share a link with this one and could be the same; hints included, at most `max`. */
  candidatesOf(leaf: number, max: number): number[]
  /**
   * Calls that share a link with this one and lasted some of the given time: those whose partner may depend on it. Leaves
   * out what the last questions with the same `asked` had for an answer already.
   */
  neighboursOf(leaf: number, window: Window, asked: Map<string, Window>): number[]
}

/** In ms. */
export interface Window {
  start: number
  end: number
}

interface Population {
  key: Uint8Array
  role: LinkRole
  slot: number
}

/**
 * A request id alone is shared by thousands of calls. As a hint it reaches as far as most calls last; what proves
 * something is rare, and looked for without a limit.
 */
const hintReachMs = 600_000

const otherEnds: Record<LinkRole, LinkRole> = {
  either: 'either',
  clientSide: 'serverSide',
  serverSide: 'clientSide',
  hint: 'hint',
}

export function createMatches(db: DatabaseSync): Matches {
  const calls = openSeenCalls(db)
  const linksOf = createLinkReader(db)
  const { candidatesAmong, partnerAt } = createPopulations(db, calls)
  return {
    calls,
    partnerOf(leaf) {
      const call = calls.read(leaf)
      const links = linksOf(leaf).filter(({ role }) => role !== 'hint')
      for (const slot of slotsByRank) {
        for (const link of links) {
          const partner = isBetter(slotOf(call), slot, link.role) ? partnerAt(call, link, slot) : undefined
          if (partner !== undefined) return partner
        }
      }
      return undefined
    },
    candidatesOf(leaf, max) {
      const call = calls.read(leaf)
      const found = new Set<number>()
      for (const { key, role } of linksOf(leaf)) {
        for (const slot of slotsByRank) {
          if (slot === slotOf(call) && !isHop(role)) continue
          for (const other of candidatesAmong(call, { key, role: otherEnds[role], slot })) {
            found.add(other)
            if (found.size >= max) return [...found]
          }
        }
      }
      return [...found]
    },
    neighboursOf: createNeighbourReader(db, linksOf),
  }
}

/** The calls that have one end of one link in one slot. */
interface Populations {
  /** Those that could be of one call with this one. */
  candidatesAmong(call: SeenCall, population: Population): Generator<number>
  /** The one that must be: each is the only one for the other. */
  partnerAt(call: SeenCall, link: StoredLink, slot: number): number | undefined
}

function createPopulations(db: DatabaseSync, { read }: SeenCalls): Populations {
  const near = db.prepare(
    'SELECT leaf FROM links WHERE key = ? AND role = ? AND slot = ? AND "end" >= ? AND start <= ?',
  )
  const hinted = db.prepare(
    `SELECT leaf FROM links WHERE key = ?1 AND role = ?2 AND slot = ?3 AND "end" BETWEEN ?4 AND ?5 + ${hintReachMs} AND start <= ?5
     UNION ALL
     SELECT leaf FROM links WHERE key = ?1 AND role = ?2 AND slot = ?3 AND "end" = ${openEnd} AND start BETWEEN ?4 - ${hintReachMs} AND ?5`,
  )

  function* candidatesAmong(call: SeenCall, { key, role, slot }: Population): Generator<number> {
    const from = call.startMs - clockToleranceMs
    const isHint = role === 'hint'
    const to = (call.end?.ms ?? (isHint ? call.startMs : openEnd)) + clockToleranceMs
    const seen = new Set([call.leaf])
    for (const row of (isHint ? hinted : near).iterate(key, toRoleNumber(role), slot, from, to)) {
      const leaf = Number(row.leaf)
      if (seen.has(leaf)) continue
      seen.add(leaf)
      if (fit(call, read(leaf), role)) yield leaf
    }
  }
  const onlyAmong = (call: SeenCall, population: Population): number | undefined => {
    let only: number | undefined
    for (const leaf of candidatesAmong(call, population)) {
      if (only !== undefined) return undefined
      only = leaf
    }
    return only
  }
  return {
    candidatesAmong,
    partnerAt(call, { key, role }, slot) {
      const partner = onlyAmong(call, { key, role: otherEnds[role], slot })
      if (partner === undefined) return undefined
      return onlyAmong(read(partner), { key, role, slot: slotOf(call) }) === call.leaf ? partner : undefined
    },
  }
}

function createNeighbourReader(db: DatabaseSync, linksOf: (leaf: number) => StoredLink[]): Matches['neighboursOf'] {
  const near = db.prepare(
    `SELECT DISTINCT leaf FROM links WHERE key = ? AND role = ? AND slot IN (${slotsByRank.join(', ')}) AND "end" >= ? AND start <= ?`,
  )
  return (leaf, { start, end }, asked) => {
    const window = { start: start - clockToleranceMs, end: end + clockToleranceMs }
    return linksOf(leaf).flatMap(({ key, role }) => {
      if (role === 'hint' || !isNew(asked, `${role} ${Buffer.from(key).toString('hex')}`, window)) return []
      const rows = near.all(key, toRoleNumber(otherEnds[role]), window.start, window.end)
      return rows.map((row) => Number(row.leaf))
    })
  }
}

/** Keeps one stretch of time per name, that of the last questions which hang together. */
function isNew(asked: Map<string, Window>, name: string, { start, end }: Window): boolean {
  const before = asked.get(name)
  if (before !== undefined && before.start <= start && end <= before.end) return false
  const isConnected = before !== undefined && before.start <= end && start <= before.end
  const all = isConnected ? { start: Math.min(start, before.start), end: Math.max(end, before.end) } : { start, end }
  asked.set(name, all)
  return true
}

function isHop(role: LinkRole): boolean {
  return role === 'clientSide' || role === 'serverSide'
}

/** Of two records of one vantage, the ends of a hop say which is nearer the server. */
function isBetter(here: number, there: number, role: LinkRole): boolean {
  if (here === there) return role === 'clientSide'
  return isOutrankedBy(here, there) && role !== 'serverSide'
}

/** `role`: the end that `other` saw. */
function fit(call: SeenCall, other: SeenCall, role: LinkRole): boolean {
  const isOtherServerSide = isHop(role) ? role === 'serverSide' : slotOf(other) % 3 > slotOf(call) % 3
  return isOtherServerSide ? couldBeOne(call, other) : couldBeOne(other, call)
}
