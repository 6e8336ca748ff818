import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { type ReportedBy, reportedWays, type Vantage, vantages } from '@affidavit/evidence/record/kinds'
import { IndexError } from '../error.ts'
import { slotOf } from '../same-call.ts'
import { createMatches } from './matches.ts'
import { type CallPlace, parsePlace } from './search.ts'

/** From where a call was seen, by whom, and whether they agree. */
export interface Sighting {
  vantage: Vantage
  /** Absent where a sensor saw it. */
  reported?: ReportedBy
  /** The record that counts for this call, and how this one differs from it; absent where this one counts. */
  countsAt?: CallPlace
  differences: Difference[]
  /** The records it counts for, from the client to the server. */
  others: Corroboration[]
  /** Calls that count by themselves and might be this one, for nothing proves it: at most possibleMax. */
  possible: CallPlace[]
}

/** Another record of the same call, and how it differs from the one that counts. */
export interface Corroboration {
  place: CallPlace
  vantage: Vantage
  reported?: ReportedBy
  differences: Difference[]
}

/** What the two records say of one thing that both tell. */
export interface Difference {
  field: (typeof comparedFields)[number]
  counted: string | number
  other: string | number
}

/** What every vantage sees alike. Inputs have salted commitments, which cannot be compared. */
const seenAlike = ['outcome', 'httpStatus', 'rpcCode', 'tool', 'toolDigest', 'toolDefinition'] as const
/** Of a message that is taken apart and written anew on its way, as by the SDK of a server, the size may change. */
const measured = ['inputBytes', 'responseBytes'] as const
const comparedFields = [...seenAlike, ...measured] as const

/** Whether the records contradict each other, and not only in what was measured. */
export function isDisagreement({ field }: Difference): boolean {
  return seenAlike.some((seen) => seen === field)
}

const possibleMax = 4
/** Calls that are looked at to find them. */
const candidatesMax = 16
/** What nobody saw is no word against what somebody saw. */
const unknown = 'unknown'

const columns = `leaf, callId, time, completedLeaf, vantage, reported, countedAt, ${comparedFields.join(', ')}`

/** Answers about the index as it is when asked. */
export function createSightingReader(db: DatabaseSync): (leaf: number) => Sighting {
  const select = db.prepare(`SELECT ${columns} FROM calls WHERE leaf = ?`)
  const members = db.prepare(`SELECT ${columns} FROM calls WHERE countedAt = ?`)
  const matches = createMatches(db)
  const countedOf = (leaf: number) => {
    const row = requireRow(select.get(leaf))
    return typeof row.countedAt === 'number' ? requireRow(select.get(row.countedAt)) : row
  }
  const slotsOf = (counted: Row) => [counted, ...members.all(Number(counted.leaf))].map((row) => slotOf(placeOf(row)))
  return (leaf) => {
    matches.calls.forget()
    const row = requireRow(select.get(leaf))
    const counted = countedOf(leaf)
    const others = members
      .all(leaf)
      .map((other) => ({ place: parsePlace(other), ...placeOf(other), differences: compare(row, other) }))
    const slots = slotsOf(counted)
    const possible = matches
      .candidatesOf(leaf, candidatesMax)
      .map(countedOf)
      .filter((other, i, all) => all.findIndex((one) => one.leaf === other.leaf) === i)
      // Two that were both seen from one vantage are two.
      .filter((other) => !slotsOf(other).some((slot) => slots.includes(slot)))
    return {
      ...placeOf(row),
      ...(counted.leaf === leaf ? {} : { countsAt: parsePlace(counted) }),
      differences: counted.leaf === leaf ? [] : compare(counted, row),
      others: others.sort((a, b) => rankOf(a) - rankOf(b)),
      possible: possible.slice(0, possibleMax).map(parsePlace),
    }
  }
}

type Row = Record<string, SQLOutputValue>

function requireRow(row: Row | undefined): Row {
  if (row === undefined) throw new IndexError('index_unreadable', 'the index lacks the row of a call')
  return row
}

function placeOf(row: Row): Pick<Sighting, 'vantage' | 'reported'> {
  const vantage = vantages.find((known) => known === row.vantage)
  const reported = reportedWays.find((known) => known === row.reported)
  if (vantage === undefined)
    throw new IndexError('index_unreadable', 'a row of the index has another shape than this version writes')
  return { vantage, ...(reported === undefined ? {} : { reported }) }
}

function rankOf({ vantage, place }: Corroboration): number {
  return vantages.indexOf(vantage) + place.leaf / Number.MAX_SAFE_INTEGER
}

function compare(counted: Row, other: Row): Difference[] {
  // A report tells sizes as its program has them.
  const fields = counted.reported === null && other.reported === null ? comparedFields : seenAlike
  return fields.flatMap((field): Difference[] => {
    const [a, b] = [counted[field], other[field]]
    if (!isTold(a) || !isTold(b) || a === b || a === unknown || b === unknown) return []
    return [{ field, counted: a, other: b }]
  })
}

function isTold(value: SQLOutputValue | undefined): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}
