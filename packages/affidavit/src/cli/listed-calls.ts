import type { DatabaseSync } from 'node:sqlite'
import { fetchCalls } from '../query/fetch.ts'
import type { CallFilter } from '../query/filter.ts'
import type { CallPlace } from '../query/sqlite/search.ts'
import { createSightingReader } from '../query/sqlite/sightings.ts'
import type { ListedCall } from './call-columns.ts'
import type { OpenSource } from './index-source.ts'

/** What is asked, and of what. */
export interface Question {
  db: DatabaseSync
  source: OpenSource
  filter: CallFilter
}

/** Reads calls from the log, and from the index what else was seen of them. */
export function createReader({ db, source }: Question): (places: readonly CallPlace[]) => Promise<ListedCall[]> {
  const sightingOf = createSightingReader(db)
  return async (places) => {
    const calls = await fetchCalls(source, places)
    return calls.map((call) => ({ ...call, sighting: sightingOf(call.place.leaf) }))
  }
}
