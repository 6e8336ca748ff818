import type { DatabaseSync } from 'node:sqlite'
import { type IndexedEntry, valueMarkRows } from '../query/sqlite/columns.ts'

/** What is wrong with the marks that the index has of an entry, in a sentence. */
export type MarkComparison = (entry: IndexedEntry) => string | undefined

/** A mark that is missing would hide where a value went; one that is invented would accuse somebody. */
export function createMarkComparison(db: DatabaseSync): MarkComparison {
  const select = db.prepare('SELECT hex(mark) AS mark, side FROM valueMarks WHERE leaf = ?')
  return (entry) => {
    const expected = valueMarkRows(entry).map(({ mark, side }) => `${side} ${mark.toString('hex').toUpperCase()}`)
    const found = new Set(select.all(entry.leaf).map(({ mark, side }) => `${side} ${mark}`))
    const isSame = found.size === expected.length && expected.every((each) => found.has(each))
    return isSame ? undefined : `entry ${entry.leaf} has other values`
  }
}
