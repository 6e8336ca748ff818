import { splitEntry } from '@affidavit/evidence/record/entry'
import type { Envelope } from '@affidavit/evidence/record/envelope'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { RecordError } from '@affidavit/evidence/record/error'
import { type Call, joinCall } from '@affidavit/evidence/record/fields'
import type { CompletedHeader, Header, RequestedHeader } from '@affidavit/evidence/record/header'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import { type SectionName, sectionNames } from '@affidavit/evidence/record/kinds'
import { commitSection, type Sections } from '@affidavit/evidence/record/sections'
import type { BodyOpener, OpenedBody } from '../store/bodies.ts'
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

/** Throws StoreError `tile_missing`, RecordError where the entry is none. */
export function fetchRecord(source: EntrySource, leaf: number): Promise<FetchedRecord> {
  return readAtPublished(source.tiles, ({ size }) => fetchAt(source, leaf, size))
}

async function fetchAt(source: EntrySource, leaf: number, size: number): Promise<FetchedRecord> {
  for await (const { entry } of iterateEntries(source.tiles, { from: leaf, to: leaf + 1 }, size)) {
    const lines = splitEntry(entry)
    const header = parseHeader(lines.header)
    const envelope = parseEnvelope(lines.envelope)
    const opened = await openBody(source, { header, envelope }, leaf)
    return { leaf, entry, header, envelope, ...opened }
  }
  throw new StoreError('tile_missing', `the log of size ${size} has no entry ${leaf}`)
}

/** Both records of a call, joined to its twelve fields. */
export async function fetchCall(source: EntrySource, place: CallPlace): Promise<FetchedCall> {
  const requested = await fetchRecord(source, place.leaf)
  if (!isRequestedRecord(requested)) throw new RecordError('bad_value', `leaf ${place.leaf}`, 'is no requested record')
  const completed = place.completedLeaf === undefined ? undefined : await fetchRecord(source, place.completedLeaf)
  if (completed !== undefined && !isCompletedRecord(completed))
    throw new RecordError('bad_value', `leaf ${completed.leaf}`, 'is no completed record')
  const call = joinCall(requested.header, completed?.header, {
    requested: requested.sections,
    ...(completed === undefined ? {} : { completed: completed.sections }),
    observedTime: requested.envelope.observedTime,
  })
  return { place, requested, ...(completed === undefined ? {} : { completed }), call }
}

export function isRequestedRecord(record: FetchedRecord): record is FetchedRecord<RequestedHeader> {
  return 'stage' in record.header && record.header.stage === 'requested'
}

export function isCompletedRecord(record: FetchedRecord): record is FetchedRecord<CompletedHeader> {
  return 'stage' in record.header && record.header.stage === 'completed'
}

async function openBody(
  { bodies, sha256 }: EntrySource,
  { header, envelope }: { header: Header; envelope: Envelope },
  leaf: number,
): Promise<{ body: BodyStanding; sections: Sections }> {
  const commitments = { ...header.sections, ...(envelope.enrichment && { enrichment: envelope.enrichment }) }
  const committed = sectionNames.filter((name) => commitments[name] !== undefined)
  if (committed.length === 0) return { body: 'none', sections: {} }
  if (bodies === undefined) return { body: 'locked', sections: {} }
  const opened = await tryOpen(bodies, leaf)
  if (opened === 'corrupt') return { body: 'corrupt', sections: {} }
  if (opened.status !== 'opened') return { body: opened.status === 'absent' ? 'missing' : 'destroyed', sections: {} }
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

async function tryOpen(bodies: BodyOpener, leaf: number): Promise<OpenedBody | 'corrupt'> {
  try {
    return await bodies.open(leaf)
  } catch (error) {
    if (error instanceof RecordError || error instanceof StoreError) return 'corrupt'
    throw error
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
