import type { Sha256 } from '@affidavit/evidence/record/crypto'
import { splitEntry } from '@affidavit/evidence/record/entry'
import { parseEnvelope } from '@affidavit/evidence/record/envelope-bytes'
import { hashHeader } from '@affidavit/evidence/record/hash'
import { parseHeader } from '@affidavit/evidence/record/header-bytes'
import type { BodyOpener } from '../store/bodies.ts'
import { iterateEntries } from '../store/entries.ts'
import { type Actor, readActor } from './actor.ts'
import type { LogTiles } from './log-reader.ts'
import type { IndexedEntry } from './sqlite/columns.ts'

/** Log and bodies of one home, to derive from. */
export interface EntrySource {
  origin: string
  tiles: LogTiles
  /** Undefined where the keys are elsewhere: actors then stay unknown. */
  bodies: BodyOpener | undefined
  sha256: Sha256
}

/** Parsed entries of leaves [from, to) of the log at `size`, with what the index takes from their bodies. */
export async function readIndexedEntries(
  source: EntrySource,
  span: { from: number; to: number },
  size: number,
): Promise<IndexedEntry[]> {
  const actors = await readActors(source.bodies, span)
  const entries: IndexedEntry[] = []
  for await (const { leaf, entry } of iterateEntries(source.tiles, span, size)) {
    entries.push(toIndexedEntry(source.sha256, { leaf, entry, actor: actors.get(leaf) ?? {} }))
  }
  return entries
}

export function toIndexedEntry(
  sha256: Sha256,
  { leaf, entry, actor }: { leaf: number; entry: Uint8Array; actor: Actor },
): IndexedEntry {
  const { header, envelope } = splitEntry(entry)
  return {
    leaf,
    header: parseHeader(header),
    headerHash: hashHeader(sha256, header),
    envelope: parseEnvelope(envelope),
    actor,
  }
}

/** A body that was erased or does not open leaves the actor unknown; `affidavit verify` is who judges why. */
async function readActors(
  bodies: BodyOpener | undefined,
  { from, to }: { from: number; to: number },
): Promise<Map<number, Actor>> {
  const actors = new Map<number, Actor>()
  if (bodies === undefined) return actors
  for await (const body of bodies.openAll(from, to)) {
    if (body.status === 'opened') actors.set(body.leaf, readActor(body.sections))
  }
  return actors
}
