import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { CompletedHeader, RequestedHeader } from '@affidavit/evidence/record/header'
import { IndexError } from '../error.ts'
import { type CallKeys, linksOf, toLinkKey, toMachineKey, toRequestKey } from '../links.ts'
import { slotOf } from '../same-call.ts'
import type { IndexedEntry } from './columns.ts'
import { createMatches, type Matches, type Window } from './matches.ts'
import { openEnd } from './schema.ts'
import { type Span, type StoredLink, spanOf, toRoleNumber } from './seen-calls.ts'

/** Keeps `joinedTo` and `countedAt`: both are functions of all calls there are, in whatever order they came. */
export interface Joiner {
  /** A `requested` record opened this call. */
  open(entry: IndexedEntry<RequestedHeader>): void
  /** A `completed` record ended this call; where another one had, that one does not count any more. */
  end(call: number, entry: IndexedEntry<CompletedHeader>): void
  /** Joins anew what may have changed since the last time. */
  settle(): void
}

export function createJoiner(db: DatabaseSync): Joiner {
  const matches = createMatches(db)
  const { calls } = matches
  const insert = db.prepare(
    'INSERT OR IGNORE INTO links (leaf, record, role, key, slot, start, "end") VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const removeOthers = db.prepare('DELETE FROM links WHERE leaf = ?1 AND record NOT IN (?1, ?2)')
  const finish = db.prepare('UPDATE links SET "end" = (SELECT until FROM calls WHERE leaf = ?1) WHERE leaf = ?1')
  const keysOf = db.prepare('SELECT requestKey, machineKey FROM calls WHERE leaf = ?')
  const isShared = db.prepare(
    `SELECT 1 FROM links AS own WHERE leaf = ? AND role <> ${toRoleNumber('hint')} AND EXISTS (
       SELECT 1 FROM links AS other WHERE other.key = own.key AND other.leaf <> own.leaf) LIMIT 1`,
  )
  const point = db.prepare('UPDATE calls SET joinedTo = ? WHERE leaf = ? AND joinedTo IS NOT ?')
  const settleRoots = createRootKeeper(db)
  const touched = new Set<number>()

  const link = (call: { leaf: number } & Span, entry: IndexedEntry, keys: CallKeys) => {
    const { leaf, slot, start, end } = call
    for (const { role, key } of storedLinksOf(entry, keys))
      insert.run(leaf, entry.leaf, toRoleNumber(role), key, slot, start, end)
  }
  return {
    open(entry) {
      const { leaf, header, surroundings } = entry
      const keys = { request: toRequestKey(header), machine: toMachineKey(header, surroundings) }
      link({ leaf, slot: slotOf(header), start: Date.parse(header.time), end: openEnd }, entry, keys)
      touched.add(leaf)
    },
    end(leaf, entry) {
      removeOthers.run(leaf, entry.leaf)
      finish.run(leaf)
      touched.add(leaf)
      if (linksOf(entry.header, entry.surroundings).length === 0) return
      calls.forget()
      link({ leaf, ...spanOf(calls.read(leaf)) }, entry, parseCallKeys(keysOf.get(leaf)))
    },
    settle() {
      calls.forget()
      const shared = [...touched].filter((leaf) => isShared.get(leaf) !== undefined)
      touched.clear()
      const changed = [...regionOf(matches, shared)].filter((leaf) => {
        const partner = matches.partnerOf(leaf) ?? null
        return Number(point.run(partner, leaf, partner).changes) > 0
      })
      settleRoots(changed)
    },
  }
}

/**
 * A call's partner depends on the calls that share a link with it, and on those that share one with them. Of a call that
 * is over now the neighbours are those it had while it was open: they may have lost it.
 */
function regionOf({ calls, neighboursOf }: Matches, changed: readonly number[]): Set<number> {
  const asked = new Map<string, Window>()
  const near = changed.flatMap((leaf) => neighboursOf(leaf, { start: calls.read(leaf).startMs, end: openEnd }, asked))
  const askedOfThem = new Map<string, Window>()
  const nearThem = near.flatMap((leaf) => neighboursOf(leaf, spanOf(calls.read(leaf)), askedOfThem))
  return new Set([...changed, ...near, ...nearThem])
}

/** `countedAt` of calls whose partner changed, and of all that are joined to them. */
function createRootKeeper(db: DatabaseSync): (changed: readonly number[]) => void {
  const below = db.prepare(`
    WITH RECURSIVE below (leaf) AS (
      SELECT ? UNION SELECT calls.leaf FROM calls JOIN below ON calls.joinedTo = below.leaf)
    SELECT leaf FROM below`)
  const root = db.prepare(rootOf)
  const update = db.prepare('UPDATE calls SET countedAt = ? WHERE leaf = ? AND countedAt IS NOT ?')
  return (changed) => {
    const leaves = new Set(changed.flatMap((leaf) => below.all(leaf).map((row) => Number(row.leaf))))
    for (const leaf of leaves) {
      const found = root.get(leaf)?.leaf
      const countedAt = typeof found === 'number' && found !== leaf ? found : null
      update.run(countedAt, leaf, countedAt)
    }
  }
}

/** The links that a record gives its call, as the index has them. */
export function storedLinksOf({ header, surroundings }: IndexedEntry, keys: CallKeys): StoredLink[] {
  return linksOf(header, surroundings).flatMap((link) => {
    const key = toLinkKey(link, keys)
    return key === undefined ? [] : [{ role: link.role, key }]
  })
}

/** Columns `requestKey` and `machineKey` of a call. */
export function parseCallKeys(row: Record<string, SQLOutputValue> | undefined): CallKeys {
  const { requestKey, machineKey } = row ?? {}
  if (!(requestKey instanceof Uint8Array))
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  return { request: requestKey, machine: machineKey instanceof Uint8Array ? machineKey : undefined }
}

/** The end of the way along `joinedTo`. */
export const rootOf = `
  WITH RECURSIVE way (leaf, next) AS (
    SELECT leaf, joinedTo FROM calls WHERE leaf = ?
    UNION SELECT calls.leaf, calls.joinedTo FROM calls JOIN way ON calls.leaf = way.next)
  SELECT leaf FROM way WHERE next IS NULL`
