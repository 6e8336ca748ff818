import type { DatabaseSync } from 'node:sqlite'
import { toPrintable } from '@affidavit/sensor/cli/printable'
import { type FetchedRecord, fetchRecords } from '../query/fetch.ts'
import {
  countUnlistedCalls, iterateToolChanges, listTools, type ToolChange, type ToolFilter, type ToolSummary,
} from '../query/sqlite/tools.ts' // biome-ignore format: one list
import { waitUntilSequenced } from './catch-up.ts'
import { changeLines } from './change-lines.ts'
import type { Command, CommandContext } from './command.ts'
import { exitCodes, usageError } from './failure.ts'
import { formatNumberOf, formatTime } from './format.ts'
import { type OpenSource, openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type Arguments, type CommandSpec, homeOption, jsonOption, parseCount } from './options.ts'
import { formatTable } from './table.ts'
import { parseMoment } from './times.ts'
import { describeHashes, toolColumns } from './tool-columns.ts'

const changesShown = 20
const chunkChanges = 128

const spec: CommandSpec = {
  name: 'tools',
  summary: 'Lists the tools of each server with their definitions, and how those changed.',
  options: {
    server: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      text: 'of this server, as configured; * stands for any text',
    },
    tool: { type: 'string', multiple: true, value: 'NAME', text: 'with this name' },
    changes: { type: 'boolean', text: 'what appeared, changed and disappeared, with the differences, oldest first' },
    since: { type: 'string', value: 'TIME', text: 'with --changes: from this time on' },
    limit: {
      type: 'string',
      value: 'N',
      text: `with --changes: the newest N only (default: ${changesShown}, with --json all)`,
    },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit tools', text: 'Every tool that agents were shown' },
    { command: 'affidavit tools --changes --since 7d', text: 'What changed this week, line by line' },
    { command: "affidavit tools --server files --tool 'read_*' --json", text: 'For a program' },
  ],
  notes: [
    'DEFINITION is the beginning of the SHA-256 of what the server listed; each call carries it too.',
    'STATE: listed; gone: a listing that should have shown it did not; unannounced: called with a definition that no record told of.',
    'UNCLASSIFIED: calls that no catalogue entry gave both a level of sensitivity and an effect.',
    'Several definitions of one tool may be in force at a time, where a server shows it differently to different people.',
  ],
}

export const tools: Command = {
  spec,
  run: async (args, context) => {
    const limit = parseCount(spec, 'limit', args.text('limit'), 1)
    const since = args.text('since')
    if (!args.flag('changes') && (limit !== undefined || since !== undefined))
      throw usageError(spec.name, '--since and --limit go with --changes')
    const sinceMs = since === undefined ? undefined : parseMoment(spec, 'since', since, context.now())
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const filter = { server: args.list('server'), tool: args.list('tool') }
      if (args.flag('changes')) await writeChanges({ db, source, filter, sinceMs, limit }, args, context)
      else await writeTools(db, filter, args, context)
      db.close()
      return exitCodes.done
    } finally {
      source.close()
    }
  },
}

async function writeTools(db: DatabaseSync, filter: ToolFilter, args: Arguments, { stdout, stderr }: CommandContext) {
  const listed = listTools(db, filter)
  if (args.flag('json')) {
    for (const tool of listed) await stdout.write(`${JSON.stringify(toToolObject(tool))}\n`)
    return
  }
  if (listed.length === 0) await stderr.write('no tool was listed\n')
  else {
    const table = formatTable(toolColumns, listed, stdout)
    await stdout.write(table.text)
    if (table.hidden.length > 0) await stderr.write(`no room for ${table.hidden.join(', ')}: --json has everything\n`)
  }
  const unclassified = listed.filter((tool) => tool.unclassified > 0).length
  if (unclassified > 0)
    await stderr.write(
      `${formatNumberOf(unclassified, 'tool was', 'tools were')} called without a level or an effect: affidavit catalog suggest\n`,
    )
  const unlisted = filter.tool.length > 0 ? 0 : countUnlistedCalls(db, filter)
  if (unlisted > 0)
    await stderr.write(
      `${formatNumberOf(unlisted, 'call', 'calls')} to tools that no server listed: affidavit query --tool '*'\n`,
    )
}

function toToolObject({ server, name, leaf, firstSeenMs, lastChangedMs, ...rest }: ToolSummary) {
  return {
    id: JSON.stringify([server, name]),
    server,
    tool: name,
    ...rest,
    firstSeen: new Date(firstSeenMs).toISOString(),
    lastChanged: lastChangedMs === undefined ? null : new Date(lastChangedMs).toISOString(),
    lastRecord: leaf === undefined ? null : `leaf:${leaf}`,
  }
}

interface ChangeQuestion {
  db: DatabaseSync
  source: OpenSource
  filter: ToolFilter
  sinceMs: number | undefined
  limit: number | undefined
}

async function writeChanges(question: ChangeQuestion, args: Arguments, context: CommandContext) {
  const { db, source, filter, sinceMs } = question
  const all = [...iterateToolChanges(db, filter, { sinceMs })]
  const limit = question.limit ?? (args.flag('json') ? all.length : changesShown)
  const shown = all.slice(Math.max(0, all.length - limit))
  if (all.length === 0) await context.stderr.write('no tool changed\n')
  for (let at = 0; at < shown.length && !context.signal.aborted; at += chunkChanges) {
    const chunk = shown.slice(at, at + chunkChanges)
    const records = await fetchRecords(
      source,
      chunk.map(({ leaf }) => leaf),
    )
    for (const change of chunk) await writeChange(change, records.get(change.leaf), args, context)
  }
  if (shown.length < all.length && !args.flag('json'))
    await context.stderr.write(
      `the newest ${shown.length} of ${formatNumberOf(all.length, 'change', 'changes')}: --limit shows more\n`,
    )
}

async function writeChange(
  change: ToolChange,
  record: FetchedRecord | undefined,
  args: Arguments,
  { stdout }: CommandContext,
) {
  const input = record?.sections.input === undefined ? undefined : Buffer.from(record.sections.input).toString('utf8')
  if (args.flag('json')) {
    const { leaf, timeMs, name, ...rest } = change
    const line = { id: `leaf:${leaf}`, time: new Date(timeMs).toISOString(), tool: name, ...rest, input: input ?? null }
    return stdout.write(`${JSON.stringify(line)}\n`)
  }
  const { server, name, event } = change
  const title = `${toPrintable(name)} ${stdout.paint(event === 'appeared' ? 'green' : 'yellow', event)} on ${toPrintable(server)}`
  const where = stdout.paint('dim', `${describeHashes(change)}  leaf:${change.leaf}`)
  const lines =
    input === undefined
      ? [`(its body is ${record?.body ?? 'missing'})`]
      : (changeLines(input, stdout) ?? [toPrintable(input)])
  await stdout.write(`${stdout.paint('dim', formatTime(change.timeMs))}  ${title}  ${where}\n`)
  for (const line of lines) await stdout.write(`  ${line}\n`)
}
