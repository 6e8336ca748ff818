import type { Sha256 } from '@affidavit/evidence/record/crypto'
import { splitEntry } from '@affidavit/evidence/record/entry'
import type { Envelope } from '@affidavit/evidence/record/envelope'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { RecordError } from '@affidavit/evidence/record/error'
import { type Call, joinCall } from '@affidavit/evidence/record/fields'
import type { CompletedHeader, Header, RequestedHeader } from '@affidavit/evidence/record/header'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { type SectionName, sectionNames } from '@affidavit/evidence/record/kinds'
import { commitSection, type Sections } from '@affidavit/evidence/record/sections'
import type { OpenedBody } from '../store/bodies.ts'
import { iterateEntries } from '../store/entries.ts'
import { StoreError } from '../store/error.ts'
import type { EntrySource } from './indexed-entry.ts'
import { readAtPublished } from './log-reader.ts'
import type { CallPlace } from './sqlite/search.ts'

/**
 * `opened`: every section fits its commitment. `none`: the header commits to nothing. `missing`: it does, and there is
 * no body. `destroyed`: its key was deleted. `corrupt`: it does not open, or does not fit. `locked`: no keys here.
 */
export type BodyStanding = 'opened' | 'none' | 'missing' | 'destroyed' | 'corrupt' | 'locked'

/** One entry with what of its body could be opened; sections that do not fit their commitment are left out. */
export interface FetchedRecord<H extends Header = Header> {
  leaf: number
  entry: Uint8Array
  header: H
  envelope: Envelope
  body: BodyStanding
  sections: Sections
}

export interface FetchedCall {
  place: CallPlace
  requested: FetchedRecord<RequestedHeader>
  completed?: FetchedRecord<CompletedHeader>
  call: Call
}

/** Leaves this close are read in one go: both halves of a call mostly are. */
const gapMax = 16

/** Throws StoreError `tile_missing`, RecordError where an entry is none. */
export function fetchRecords(source: EntrySource, leaves: readonly number[]): Promise<Map<number, FetchedRecord>> {
  return readAtPublished(source.tiles, async ({ size }) => {
    const records = new Map<number, FetchedRecord>()
    for (const run of toRuns(leaves)) await fetchRun(source, run, { size, records })
    return records
  })
}

/** Calls joined to their twelve fields, in the order of the places. */
export async function fetchCalls(source: EntrySource, places: readonly CallPlace[]): Promise<FetchedCall[]> {
  const leaves = places.flatMap(({ leaf, completedLeaf }) =>
    completedLeaf === undefined ? [leaf] : [leaf, completedLeaf],
  )
  const records = await fetchRecords(source, leaves)
  return places.map((place) => joinRecords(place, records))
}

export async function fetchRecord(source: EntrySource, leaf: number): Promise<FetchedRecord> {
  return requireRecord(await fetchRecords(source, [leaf]), leaf)
}

function joinRecords(place: CallPlace, records: ReadonlyMap<number, FetchedRecord>): FetchedCall {
  const requested = requireRecord(records, place.leaf)
  if (!isRequestedRecord(requested)) throw new RecordError('bad_value', `leaf ${place.leaf}`, 'is no requested record')
  const completed = place.completedLeaf === undefined ? undefined : requireRecord(records, place.completedLeaf)
  if (completed !== undefined && !isCompletedRecord(completed))
    throw new RecordError('bad_value', `leaf ${completed.leaf}`, 'is no completed record')
  const call = joinCall(requested.header, completed?.header, {
    requested: requested.sections,
    ...(completed === undefined ? {} : { completed: completed.sections }),
    observedTime: requested.envelope.observedTime,
  })
  return { place, requested, ...(completed === undefined ? {} : { completed }), call }
}

function requireRecord(records: ReadonlyMap<number, FetchedRecord>, leaf: number): FetchedRecord {
  const record = records.get(leaf)
  if (record === undefined) throw new StoreError('tile_missing', `the log has no entry ${leaf}`)
  return record
}

interface Run {
  /** Leaves that are wanted, ascending, each close to the one before. */
  leaves: number[]
  from: number
  to: number
}

function toRuns(leaves: readonly number[]): Run[] {
  const runs: Run[] = []
  for (const leaf of [...new Set(leaves)].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last === undefined || leaf > last.to + gapMax) runs.push({ leaves: [leaf], from: leaf, to: leaf + 1 })
    else {
      last.leaves.push(leaf)
      last.to = leaf + 1
    }
  }
  return runs
}

async function fetchRun(
  source: EntrySource,
  run: Run,
  { size, records }: { size: number; records: Map<number, FetchedRecord> },
): Promise<void> {
  const wanted = new Set(run.leaves)
  const bodies = new Map<number, OpenedBody | FailedBody>()
  if (source.bodies !== undefined)
    for await (const body of source.bodies.openAll(run.from, run.to))
      if (wanted.has(body.leaf)) bodies.set(body.leaf, body)
  for await (const { leaf, entry } of iterateEntries(source.tiles, run, size)) {
    if (!wanted.has(leaf)) continue
    const lines = splitEntry(entry)
    const header = parseHeader(lines.header)
    const envelope = parseEnvelope(lines.envelope)
    const opened = judgeBody(source.sha256, { header, envelope }, bodies.get(leaf))
    records.set(leaf, { leaf, entry, header, envelope, ...opened })
  }
}

export function isRequestedRecord(record: FetchedRecord): record is FetchedRecord<RequestedHeader> {
  return 'stage' in record.header && record.header.stage === 'requested'
}

export function isCompletedRecord(record: FetchedRecord): record is FetchedRecord<CompletedHeader> {
  return 'stage' in record.header && record.header.stage === 'completed'
}

type FailedBody = { status: 'failed'; leaf: number; cause: unknown }

function judgeBody(
  sha256: Sha256,
  { header, envelope }: { header: Header; envelope: Envelope },
  opened: OpenedBody | FailedBody | undefined,
): { body: BodyStanding; sections: Sections } {
  const commitments = { ...header.sections, ...(envelope.enrichment && { enrichment: envelope.enrichment }) }
  const committed = sectionNames.filter((name) => commitments[name] !== undefined)
  if (committed.length === 0) return { body: 'none', sections: {} }
  if (opened?.status !== 'opened') return { body: standingOf(opened), sections: {} }
  const fits = (name: SectionName) => {
    const bytes = opened.sections[name]
    return (
      bytes !== undefined && toBase64(commitSection(sha256, name, opened.saltOf(name), bytes)) === commitments[name]
    )
  }
  const fitting = committed.filter(fits)
  const sections: Sections = Object.fromEntries(fitting.map((name) => [name, opened.sections[name]]))
  return { body: fitting.length === committed.length ? 'opened' : 'corrupt', sections }
}

function standingOf(opened: Exclude<OpenedBody | FailedBody, { status: 'opened' }> | undefined): BodyStanding {
  switch (opened?.status) {
    case undefined:
      return 'locked'
    case 'absent':
      return 'missing'
    case 'destroyed':
      return 'destroyed'
    case 'failed':
      return 'corrupt'
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
