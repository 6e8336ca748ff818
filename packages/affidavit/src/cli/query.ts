import { outcomeWords } from '../query/filter.ts'
import { priorities } from '../query/priority.ts'
import { type CallPlace, countIncomparable, iterateCalls, searchCalls } from '../query/sqlite/search.ts'
import {
  callColumns,
  isOfLowPriority,
  isSeenOnlyFromGateways,
  isWithoutPurpose,
  type ListedCall,
} from './call-columns.ts'
import { csvTitle, toCsvLine, toJsonLine } from './call-lines.ts'
import { waitUntilSequenced } from './catch-up.ts'
import type { Command, CommandContext } from './command.ts'
import { exitCodes, usageError } from './failure.ts'
import { formatCount, formatNumberOf } from './format.ts'
import { openSource } from './index-source.ts'
import { createReader, type Question } from './listed-calls.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { openIndex } from './open-index.ts'
import { type CommandSpec, homeOption, jsonOption, parseCount } from './options.ts'
import { describeIncomparable, readFilter, resolveFilter } from './query-filter.ts'
import { writeByPriority } from './query-priority.ts'
import { formatTable } from './table.ts'

const tableRows = 50
const chunkCalls = 128

const spec: CommandSpec = {
  name: 'query',
  summary: 'Lists calls with their twelve fields, oldest first.',
  options: {
    since: { type: 'string', value: 'TIME', text: 'from this time on: 15m, 2h, 7d ago, 2026-11-20, or RFC 3339 (UTC)' },
    until: { type: 'string', value: 'TIME', text: 'before this time' },
    session: {
      type: 'string',
      multiple: true,
      value: 'ID',
      text: 'of this session, as the table shows it; * stands for any text',
    },
    server: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      text: 'to this server, as configured or as it calls itself',
    },
    tool: { type: 'string', multiple: true, value: 'NAME', text: "to this tool; '*' for all tool calls" },
    outcome: { type: 'string', multiple: true, value: 'WORD', text: `one of ${outcomeWords.join(', ')}` },
    actor: { type: 'string', multiple: true, value: 'NAME', text: 'by this agent, or on behalf of this user' },
    credential: {
      type: 'string',
      multiple: true,
      value: 'ID',
      text: "with this credential, as 'affidavit credential' lists them",
    },
    vantage: {
      type: 'string',
      value: 'WORD',
      text: 'every record at client, gateway or server, or all of them (default: each call once)',
    },
    classification: { type: 'string', multiple: true, value: 'WORD', text: 'of data with this level or tag' },
    priority: { type: 'string', value: 'WORD', text: `of at least this priority: ${priorities.join(', ')}` },
    by: {
      type: 'string',
      value: 'priority',
      text: 'the gravest first, and calls of low priority as counts per tool and hour',
    },
    limit: { type: 'string', value: 'N', text: `the newest N only (default: ${tableRows} in a table, else all)` },
    csv: { type: 'boolean', text: 'comma-separated values with a title line (RFC 4180)' },
    ...jsonOption,
    ...homeOption,
  },
  examples: [
    { command: 'affidavit query --since 15m', text: 'What happened in the last quarter of an hour' },
    {
      command: "affidavit query --tool 'write_*' --outcome failure --outcome error",
      text: 'Writes that did not succeed',
    },
    { command: 'affidavit query --since 2026-11-20 --csv > calls.csv', text: 'A day for a spreadsheet' },
    { command: 'affidavit query --json --tool "*"', text: 'Tool calls for a program' },
    { command: 'affidavit query --since 1d --by priority', text: 'What to look at first, and how much else there was' },
    { command: 'affidavit query --vantage all', text: 'Also what corroborates: the same calls seen from elsewhere' },
  ],
  notes: [
    'A session may be given by four or more of the first or last characters of its id.',
    'The same option given twice means either; different options mean all of them.',
    'Identities are shown with their assurance: verified, attested or claimed.',
    'A call seen from several vantages is listed once, as seen nearest the server: gateway+server.',
    'With a vantage, (reported) means that a program told it, ≠ that the vantages disagree, ? that another call may be the same.',
  ],
}

export const query: Command = {
  spec,
  run: async (args, context) => {
    const asked = readFilter(spec, args, context.now())
    const limit = parseCount(spec, 'limit', args.text('limit'), 1)
    if (args.flag('json') && args.flag('csv')) throw usageError(spec.name, 'choose one of --json and --csv')
    const by = args.text('by')
    if (by !== undefined && by !== 'priority') throw usageError(spec.name, `--by is priority, not '${by}'`)
    if (by !== undefined && args.flag('csv')) throw usageError(spec.name, '--by goes with tables and --json')
    const home = await openExistingHome(homeFolder(args, context.env))
    await waitUntilSequenced(home, context)
    const source = await openSource(home)
    try {
      const db = await openIndex(home, source, context)
      const filter = await resolveFilter(asked, { db, home })
      const question: Question = { db, source, filter }
      if (by !== undefined)
        await writeByPriority(
          question,
          { limit: limit ?? tableRows, form: args.flag('json') ? 'json' : 'text' },
          context,
        )
      else if (args.flag('json') || args.flag('csv'))
        await writeLines(question, { limit, csv: args.flag('csv') }, context)
      else await writeTable(question, limit ?? tableRows, context)
      await context.stderr.write(describeIncomparable(countIncomparable(db, filter)))
      db.close()
      return exitCodes.done
    } finally {
      source.close()
    }
  },
}

async function writeLines(
  question: Question,
  how: { limit: number | undefined; csv: boolean },
  context: CommandContext,
) {
  const { stdout } = context
  const read = createReader(question)
  if (how.csv) await stdout.write(csvTitle())
  for (const places of chunk(listPlaces(question, how.limit))) {
    if (stdout.gone.aborted || context.signal.aborted) return
    const calls = await read(places)
    await stdout.write(calls.map(how.csv ? toCsvLine : toJsonLine).join(''))
  }
}

/** Calls that are near in time are near in the log, so that a few reads serve many. */
function* chunk(places: Iterable<CallPlace>): Generator<CallPlace[]> {
  let chunk: CallPlace[] = []
  for (const place of places) {
    chunk.push(place)
    if (chunk.length < chunkCalls) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

function listPlaces({ db, filter }: Question, limit: number | undefined): Iterable<CallPlace> {
  return limit === undefined ? iterateCalls(db, filter) : searchCalls(db, filter, limit).calls
}

async function writeTable(question: Question, limit: number, { stdout, stderr }: CommandContext) {
  const page = searchCalls(question.db, question.filter, limit)
  if (page.total === 0) return stderr.write('no call matches\n')
  const calls = await createReader(question)(page.calls)
  const day = stdout.isTerminal ? sharedDay(calls) : undefined
  if (day !== undefined) await stdout.write(`${stdout.paint('dim', `${day}, times in UTC`)}\n`)
  const columns = callColumns(day === undefined ? 'day and time' : 'time of day')
  const silent = [
    ...(calls.every(isSeenOnlyFromGateways) ? ['VANTAGE'] : []),
    ...(calls.every(isWithoutPurpose) ? ['PURPOSE'] : []),
    ...(calls.every(isOfLowPriority) ? ['PRIORITY'] : []),
  ]
  const telling = columns.filter(({ title }) => !silent.includes(title))
  const table = formatTable(telling, calls, stdout)
  await stdout.write(table.text)
  await stderr.write(describeRest(page.calls.length, page.total, table.hidden))
}

/** The day of all calls, where they share one: then the table needs the time only. */
function sharedDay(calls: readonly ListedCall[]): string | undefined {
  const days = new Set(calls.map(({ requested }) => requested.header.time.slice(0, 10)))
  return days.size === 1 ? [...days][0] : undefined
}

function describeRest(shown: number, total: number, hidden: readonly string[]): string {
  const cut =
    shown < total
      ? `the newest ${formatCount(shown)} of ${formatNumberOf(total, 'call', 'calls')}: --limit shows more`
      : ''
  const narrow = hidden.length > 0 ? `no room for ${hidden.join(', ')}: --json has everything` : ''
  const text = [cut, narrow].filter((part) => part !== '').join('; ')
  return text === '' ? '' : `${text}\n`
}
