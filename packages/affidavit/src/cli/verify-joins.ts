import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { IndexError } from '../query/error.ts'
import type { IndexedEntry } from '../query/sqlite/columns.ts'
import { parseCallKeys, rootOf, storedLinksOf } from '../query/sqlite/join.ts'
import { createMatches } from '../query/sqlite/matches.ts'
import { spanOf, toRoleNumber } from '../query/sqlite/seen-calls.ts'

type Row = Record<string, SQLOutputValue>

/** Holds what the index says of calls seen from several vantages to the entries and to its own, verified columns. */
export interface JoinComparison {
  /** What is wrong with the links that this entry gives the call of this row, in a sentence. */
  compareLinks(entry: IndexedEntry, row: Row, body: 'known' | 'unknown'): string | undefined
  /** What is wrong with what the call of this row is joined to. */
  compareJoin(row: Row): string | undefined
  /** To be called when rows may have changed. */
  forget(): void
}

export function createJoinComparison(db: DatabaseSync): JoinComparison {
  const matches = createMatches(db)
  const links = db.prepare('SELECT role, hex(key) AS key, slot, start, "end" FROM links WHERE leaf = ? AND record = ?')
  const stray = db.prepare('SELECT record FROM links WHERE leaf = ?1 AND record <> ?1 AND record IS NOT ?2 LIMIT 1')
  const root = db.prepare(rootOf)
  /** The rows of other entries are judged when it is their turn; until then they may hold anything. */
  const partnerOf = (leaf: number): number | 'unreadable' | null => {
    try {
      return matches.partnerOf(leaf) ?? null
    } catch (error) {
      if (error instanceof IndexError) return 'unreadable'
      throw error
    }
  }
  return {
    compareLinks(entry, row, body) {
      const leaf = Number(row.leaf)
      const { slot, start, end } = spanOf(matches.calls.read(leaf))
      const expected = storedLinksOf(entry, parseCallKeys(row)).map(({ role, key }) =>
        JSON.stringify([toRoleNumber(role), Buffer.from(key).toString('hex').toUpperCase(), slot, start, end]),
      )
      const found = links.all(leaf, entry.leaf).map((link) => JSON.stringify(Object.values(link)))
      const hasAll = expected.every((link) => found.includes(link))
      // Without the body nobody can say which links it gives.
      const hasMore = body === 'known' && found.length !== new Set(expected).size
      return hasAll && !hasMore ? undefined : `entry ${entry.leaf} has other links`
    },
    compareJoin(row) {
      const leaf = Number(row.leaf)
      if (stray.get(leaf, row.completedLeaf ?? null) !== undefined)
        return `entry ${leaf} has links of no record of its own`
      if (row.joinedTo !== partnerOf(leaf)) return `entry ${leaf} is joined to another vantage`
      const found = root.get(leaf)?.leaf
      return row.countedAt === (found === leaf ? null : (found ?? null))
        ? undefined
        : `entry ${leaf} is counted elsewhere`
    },
    forget: () => matches.calls.forget(),
  }
}
