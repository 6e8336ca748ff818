import type { Sha256 } from '@affidavit/evidence/record/crypto'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { hashHeader } from '@affidavit/evidence/record/hash'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import type { Sections } from '@affidavit/evidence/record/sections'
import type { BodyOpener } from '../store/bodies.ts'
import { iterateEntries } from '../store/entries.ts'
import { readActor } from './actor.ts'
import type { LogTiles } from './log-reader.ts'
import { readPriorityFacts } from './priority-facts.ts'
import { readPurpose } from './purpose.ts'
import type { IndexedEntry } from './sqlite/columns.ts'
import { readSurroundings } from './surroundings.ts'
import { readCallMarks } from './value-marks.ts'

/** Log and bodies of one home, to derive from. */
export interface EntrySource {
  origin: string
  tiles: LogTiles
  /** Undefined where the keys are elsewhere: actors and surroundings then stay unknown. */
  bodies: BodyOpener | undefined
  sha256: Sha256
}

/** Parsed entries of leaves [from, to) of the log at `size`, with what the index takes from their bodies. */
export async function readIndexedEntries(
  source: EntrySource,
  span: { from: number; to: number },
  size: number,
): Promise<IndexedEntry[]> {
  const facts = await readBodyFacts(source.bodies, span)
  const entries: IndexedEntry[] = []
  for await (const { leaf, entry } of iterateEntries(source.tiles, span, size)) {
    const { header, envelope } = splitEntry(entry)
    entries.push({
      leaf,
      header: parseHeader(header),
      headerHash: hashHeader(source.sha256, header),
      envelope: parseEnvelope(envelope),
      ...(facts.get(leaf) ?? noBodyFacts),
    })
  }
  return entries
}

/** What the index takes from a body: who acted, where, what for, and how grave it is. */
export type BodyFacts = Pick<IndexedEntry, 'actor' | 'surroundings' | 'purpose' | 'priority' | 'marks'>
export const noBodyFacts: BodyFacts = { actor: {}, surroundings: undefined }

export function toBodyFacts(sections: Sections): BodyFacts {
  return {
    actor: readActor(sections),
    surroundings: readSurroundings(sections),
    purpose: readPurpose(sections),
    priority: readPriorityFacts(sections),
    marks: readCallMarks(sections),
  }
}

/** A body that was erased or does not open leaves them unknown; `affidavit verify` is who judges why. */
async function readBodyFacts(
  bodies: BodyOpener | undefined,
  { from, to }: { from: number; to: number },
): Promise<Map<number, BodyFacts>> {
  const facts = new Map<number, BodyFacts>()
  if (bodies === undefined) return facts
  for await (const body of bodies.openAll(from, to)) {
    if (body.status === 'opened') facts.set(body.leaf, toBodyFacts(body.sections))
  }
  return facts
}
