import { setTimeout as sleep } from 'node:timers/promises'
import type { Terminal } from '@affidavit/sensor/cli/terminal'
import type { Home } from '@affidavit/sensor/durable/home'
import { priorities } from '../query/priority.ts'
import { type LogEvent, readEvents } from '../query/sqlite/events.ts'
import { openForReading } from '../query/sqlite/open.ts'
import { readSize } from '../query/sqlite/write.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { exitCodes } from './failure.ts'
import { openSource } from './index-source.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex, readIndexedSize } from './open-index.ts'
import { homeOption, jsonOption, parseCount } from './options.ts'
import { formatRow } from './table.ts'
import { tailColumns } from './tail-columns.ts'

const defaultCount = 20
const pollMs = 200
/** Leaves per read while following: bounds memory when a large backlog arrives at once. */
const pageLeaves = 1_000

export const tail: Command = {
  spec: {
    name: 'tail',
    summary: 'Prints the newest records of the log, and with -f those that follow.',
    options: {
      follow: { type: 'boolean', short: 'f', text: 'go on as records come in; Ctrl-C ends it' },
      lines: { type: 'string', short: 'n', value: 'N', text: `how many to begin with (default: ${defaultCount})` },
      ...jsonOption,
      ...homeOption,
    },
    examples: [
      { command: 'affidavit tail -f', text: 'Watch what agents do' },
      { command: 'affidavit tail -n 100 --json', text: 'The newest 100 records, for a program' },
    ],
    notes: ['Every record is a line: a call shows when it is requested and again when it is completed.'],
  },
  run: async (args, context) => {
    const count = parseCount(tail.spec, 'lines', args.text('lines'), 0) ?? defaultCount
    const write = args.flag('json') ? writeJson : writeLine
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const size = await showNewest(home, context, { count, write })
    if (args.flag('follow')) await showFollowing(home, context, { from: size, write })
    return exitCodes.done
  },
}

type WriteEvent = (terminal: Terminal, event: LogEvent) => Promise<void>

async function showNewest(home: Home, context: CommandContext, { count, write }: { count: number; write: WriteEvent }) {
  const source = await openSource(home)
  try {
    const db = await openIndex(home, source, context)
    const size = readSize(db)
    for (const event of readEvents(db, Math.max(0, size - count), size)) await write(context.stdout, event)
    db.close()
    return size
  } finally {
    source.close()
  }
}

async function showFollowing(
  home: Home,
  context: CommandContext,
  { from, write }: { from: number; write: WriteEvent },
) {
  let at = from
  while (!context.signal.aborted) {
    // Opened anew each time: the index may be deleted and rebuilt while somebody watches.
    const size = readIndexedSize(home)
    for (; at < size && !context.signal.aborted; at = Math.min(size, at + pageLeaves)) {
      await showPage(home, context, { from: at, to: Math.min(size, at + pageLeaves), write })
    }
    await sleep(pollMs)
  }
}

async function showPage(home: Home, context: CommandContext, page: { from: number; to: number; write: WriteEvent }) {
  const db = openForReading(home.paths.indexDatabase, home.identity.origin)
  const events = readEvents(db, page.from, page.to)
  db.close()
  for (const event of events) await page.write(context.stdout, event)
}

async function writeJson(terminal: Terminal, { timeMs, ...event }: LogEvent): Promise<void> {
  const { detail, leaf, priority: rank, ...rest } = event
  const parsed: unknown = detail === undefined ? undefined : JSON.parse(detail)
  const line = {
    id: `leaf:${leaf}`,
    leaf,
    time: new Date(timeMs).toISOString(),
    ...rest,
    ...priorityOf(rank),
    detail: parsed,
  }
  await terminal.write(`${JSON.stringify(line)}\n`)
}

function priorityOf(rank: number | undefined) {
  return rank === undefined ? {} : { priority: priorities[rank] }
}

async function writeLine(terminal: Terminal, event: LogEvent): Promise<void> {
  await terminal.write(`${formatRow(tailColumns(terminal.columns), event, terminal)}\n`)
}
