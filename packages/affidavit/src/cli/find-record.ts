import type { DatabaseSync } from 'node:sqlite'
import { type CallPlace, findCallOfLeaf, findCalls } from '../query/sqlite/search.ts'
import { CommandError, usageError } from './failure.ts'

/** What an id on the command line names: a call, or one entry of the log that is no half of a call. */
export type Named = { type: 'call'; place: CallPlace } | { type: 'record'; leaf: number }

const idPart = /^[0-9a-f-]{4,36}$/
const leafForm = /^leaf:(\d{1,15})$/
const listed = 5

/**
 * Reads `leaf:N`, a call id, or the beginning or end of one (at least four characters). Throws CommandError
 * `AFD_NOT_FOUND`, `AFD_AMBIGUOUS_ID` or `AFD_USAGE`.
 */
export function findRecord(db: DatabaseSync, command: string, id: string, size: number): Named {
  const leaf = leafForm.exec(id)
  if (leaf !== null) return findLeaf(db, Number(leaf[1]), size)
  const part = id.toLowerCase()
  if (!idPart.test(part)) {
    throw usageError(command, `'${id}' is no id: give a call id, four or more of its first or last digits, or leaf:N`)
  }
  const places = findCalls(db, part, listed + 1)
  const [place, ...others] = places
  if (place === undefined) {
    throw new CommandError('AFD_NOT_FOUND', `no call has the id ${id}`, "List calls with 'affidavit query'.")
  }
  if (others.length > 0) throw ambiguous(id, places)
  return { type: 'call', place }
}

function findLeaf(db: DatabaseSync, leaf: number, size: number): Named {
  if (leaf >= size) {
    throw new CommandError('AFD_NOT_FOUND', `the log has no entry ${leaf}, it has ${size}`, 'Entries count from 0.')
  }
  const place = findCallOfLeaf(db, leaf)
  return place === undefined ? { type: 'record', leaf } : { type: 'call', place }
}

function ambiguous(id: string, places: CallPlace[]): CommandError {
  const named = places.slice(0, listed).map(({ callId, leaf }) => `${callId} (leaf:${leaf})`)
  const more = places.length > listed ? ', …' : ''
  const problem = `'${id}' fits several calls: ${named.join(', ')}${more}`
  return new CommandError('AFD_AMBIGUOUS_ID', problem, 'Give more digits, or the leaf.')
}
