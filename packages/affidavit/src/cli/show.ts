import { VerifyError } from '@affidavit/evidence/log/error'
import { type FetchedRecord, fetchCalls, fetchRecord } from '../query/fetch.ts'
import { type LeafProof, proveEntry } from '../query/prove.ts'
import { type CallGroup, readCallGroup } from '../query/sqlite/call-group.ts'
import { createSightingReader, type Sighting } from '../query/sqlite/sightings.ts'
import { readSize } from '../query/sqlite/write.ts'
import { StoreError } from '../store/error.ts'
import type { ListedCall } from './call-columns.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command } from './command.ts'
import { exitCodes } from './failure.ts'
import { findRecord, type Named } from './find-record.ts'
import { type OpenSource, openSource } from './index-source.ts'
import { keyOption, type LogKeys, readGivenKeys, readHomeKeys } from './log-keys.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type CommandSpec, homeOption, jsonOption } from './options.ts'
import { toShowObject } from './show-object.ts'
import { showLines } from './show-text.ts'
import { tellFlows } from './value-flows.ts'

const spec: CommandSpec = {
  name: 'show',
  summary: 'Shows one call in full: its twelve fields, both records with their opened sections, and the proof.',
  positionals: ['ID'],
  options: { ...jsonOption, ...keyOption, ...homeOption },
  examples: [
    { command: 'affidavit show 5d1c07aa', text: 'The last digits of an id, as the table has them' },
    { command: 'affidavit show leaf:3', text: 'Any entry of the log, also gaps, violations and streams' },
    { command: 'affidavit show 5d1c07aa --json', text: 'For a program' },
  ],
  notes: ['Exits 1 where the record is not proven by the log, or its body contradicts what the log commits to.'],
}

/** A proof, or why there is none. */
export type ProofResult = { proof: LeafProof } | { failure: string }

/** What `show` is about: a call with both records, or one record that is no half of a call; each with its proof. */
export interface Shown {
  call?: ListedCall
  /** Where the call is more than one exchange. */
  group?: CallGroup
  /** Where values of the call went, and where those that it was handed came from. */
  flows?: Awaited<ReturnType<typeof tellFlows>>
  records: { record: FetchedRecord; proof: ProofResult }[]
  keys: LogKeys
}

export const show: Command = {
  spec,
  run: async (args, context) => {
    const [id = ''] = args.positionals
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const named = findRecord(db, spec.name, id, readSize(db))
      const sighting = named.type === 'call' ? createSightingReader(db)(named.place.leaf) : undefined
      const group = named.type === 'call' ? readCallGroup(db, named.place.leaf) : undefined
      const flows =
        named.type === 'call'
          ? await tellFlows({ db, source }, sighting?.countsAt?.leaf ?? named.place.leaf)
          : undefined
      db.close()
      const given = args.list('key')
      const keys =
        given.length > 0 ? readGivenKeys(spec.name, source.origin, given) : readHomeKeys(source.origin, home.paths)
      const fetched = await fetchShown(source, { named, sighting }, keys)
      const shown = {
        ...fetched,
        ...(group === undefined ? {} : { group }),
        ...(flows === undefined ? {} : { flows }),
      }
      if (args.flag('json')) await context.stdout.write(`${JSON.stringify(toShowObject(shown))}\n`)
      else for (const line of showLines(shown, context.stdout)) await context.stdout.write(`${line}\n`)
      return isSound(shown) ? exitCodes.done : exitCodes.negative
    } finally {
      source.close()
    }
  },
}

async function fetchShown(
  source: OpenSource,
  { named, sighting }: { named: Named; sighting: Sighting | undefined },
  keys: LogKeys,
): Promise<Shown> {
  if (named.type === 'record') {
    return { records: [await withProof(source, await fetchRecord(source, named.leaf), keys)], keys }
  }
  const [call] = await fetchCalls(source, [named.place])
  if (call === undefined || sighting === undefined) return { records: [], keys }
  const records = [await withProof(source, call.requested, keys)]
  if (call.completed !== undefined) records.push(await withProof(source, call.completed, keys))
  return { call: { ...call, sighting }, records, keys }
}

async function withProof(source: OpenSource, record: FetchedRecord, keys: LogKeys) {
  return { record, proof: await tryProve(source, record, keys) }
}

async function tryProve(source: OpenSource, record: FetchedRecord, keys: LogKeys): Promise<ProofResult> {
  try {
    return { proof: await proveEntry(source, keys.log, record) }
  } catch (error) {
    if (error instanceof VerifyError || error instanceof StoreError) return { failure: error.message }
    throw error
  }
}

/** A body that was erased, or whose keys are elsewhere, is no contradiction. */
function isSound({ records }: Shown): boolean {
  return records.every(
    ({ record, proof }) => 'proof' in proof && record.body !== 'corrupt' && record.body !== 'missing',
  )
}
