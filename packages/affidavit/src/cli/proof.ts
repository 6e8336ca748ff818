import { writeFileSync } from 'node:fs'
import { fetchRecord } from '../query/fetch.ts'
import { proveEntry } from '../query/prove.ts'
import { readSize } from '../query/sqlite/write.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command } from './command.ts'
import { CommandError, exitCodes, usageError } from './failure.ts'
import { findRecord, type Named } from './find-record.ts'
import { openSource } from './index-source.ts'
import { keyOption, readGivenKeys, readHomeKeys } from './log-keys.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type CommandSpec, homeOption } from './options.ts'

const stages = ['requested', 'completed'] as const

const spec: CommandSpec = {
  name: 'proof',
  summary: 'Writes a C2SP tlog-proof file for one record: index, inclusion proof, signed checkpoint.',
  positionals: ['ID'],
  options: {
    stage: {
      type: 'string',
      value: 'STAGE',
      text: 'requested or completed (default: completed, which names requested by hash)',
    },
    output: { type: 'string', short: 'o', value: 'FILE', text: 'write to this file instead of stdout' },
    entry: { type: 'string', value: 'FILE', text: 'also write the entry, whose hash the proof is about' },
    ...keyOption,
    ...homeOption,
  },
  examples: [
    {
      command: 'affidavit proof 5d1c07aa -o call.tlog-proof --entry call.entry',
      text: 'For somebody without this home folder',
    },
    { command: 'affidavit proof leaf:0', text: 'Of the first entry of the log' },
  ],
  notes: ['The proof is verified before it is written. ID is a call id, its first or last digits, or leaf:N.'],
}

export const proof: Command = {
  spec,
  run: async (args, context) => {
    const [id = ''] = args.positionals
    const stage = parseStage(args.text('stage'))
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const leaf = leafOf(findRecord(db, spec.name, id, readSize(db)), stage)
      db.close()
      const given = args.list('key')
      const keys =
        given.length > 0 ? readGivenKeys(spec.name, source.origin, given) : readHomeKeys(source.origin, home.paths)
      const { entry } = await fetchRecord(source, leaf)
      const { file } = await proveEntry(source, keys.log, { leaf, entry })
      const entryFile = args.text('entry')
      if (entryFile !== undefined) writeOutput(entryFile, entry)
      const output = args.text('output')
      if (output === undefined) await context.stdout.write(Buffer.from(file).toString('utf8'))
      else writeOutput(output, file)
      return exitCodes.done
    } finally {
      source.close()
    }
  },
}

type Stage = (typeof stages)[number]

function parseStage(text: string | undefined): Stage | undefined {
  if (text === undefined) return undefined
  const stage = stages.find((known) => known === text)
  if (stage === undefined) throw usageError(spec.name, `--stage is requested or completed, not '${text}'`)
  return stage
}

function leafOf(named: Named, stage: Stage | undefined): number {
  if (named.type === 'record') return named.leaf
  const { leaf, completedLeaf, callId } = named.place
  if (stage === 'requested') return leaf
  if (completedLeaf !== undefined) return completedLeaf
  if (stage === undefined) return leaf
  throw new CommandError(
    'AFD_NOT_FOUND',
    `call ${callId} is not completed yet`,
    'Use --stage requested, or wait for it.',
    {
      retry: true,
    },
  )
}

function writeOutput(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes)
  } catch (error) {
    throw new CommandError('AFD_FILE_UNWRITABLE', `cannot write ${path}: ${String(error)}`, 'Name another file.', {
      cause: error,
    })
  }
}
