import { vantages } from '@affidavit/evidence/record/kinds'
import type { Style, Terminal } from '@affidavit/sensor/cli/terminal'
import type { Home } from '@affidavit/sensor/durable/home'
import type { Totals } from '../query/sqlite/totals.ts'
import type { Command } from './command.ts'
import { exitCodes } from './failure.ts'
import { formatAge, formatBytes, formatCount, formatNumberOf } from './format.ts'
import { homeFolder, openExistingHome } from './open-home.ts'
import { homeOption, jsonOption } from './options.ts'
import { type HomeStatus, readStatus } from './status-read.ts'

export const status: Command = {
  spec: {
    name: 'status',
    summary: 'Shows how far the records of this home have come: spool, log, checkpoint, index.',
    options: { ...jsonOption, ...homeOption },
    examples: [
      { command: 'affidavit status', text: 'Is everything in the log?' },
      { command: 'affidavit status --json', text: 'For monitoring' },
    ],
    notes: [
      'Exits 1 where something needs a person: a collector that failed, a refused stream, damaged segments, an index ahead of the log, keys that others may read.',
    ],
  },
  run: async (args, { env, stdout, now }) => {
    const home = await openExistingHome(homeFolder(args, env))
    const read = await readStatus(home, now())
    if (args.flag('json')) await stdout.write(`${JSON.stringify({ id: home.identity.homeId, ...read })}\n`)
    else for (const line of statusLines(home, read, stdout)) await stdout.write(`${line}\n`)
    return read.attention.length === 0 ? exitCodes.done : exitCodes.negative
  },
}

function* statusLines(home: Home, read: HomeStatus, terminal: Terminal): Generator<string> {
  const line = (name: string, text: string, style?: Style) =>
    `${terminal.paint('bold', name.padEnd(12))}${style === undefined ? text : terminal.paint(style, text)}`
  const { spool, log, index, collector, disk } = read
  yield line('home', home.dir)
  yield line('collector', describeCollector(collector))
  yield line(
    'spool',
    `${formatNumberOf(spool.streams, 'stream', 'streams')}, ${formatBytes(spool.bytes)}; ${formatNumberOf(spool.backlog, 'record', 'records')} not in the log`,
    spool.backlog === 0 ? 'green' : 'yellow',
  )
  yield line(
    'log',
    log.sequenced === undefined ? 'none' : `${formatNumberOf(log.sequenced, 'entry', 'entries')} of ${log.origin}`,
  )
  yield line('checkpoint', describeCheckpoint(read), log.published === log.sequenced ? 'green' : 'yellow')
  yield line('index', describeIndex(read), index.size === log.published ? 'green' : 'yellow')
  if (index.totals !== undefined) {
    const { calls, openCalls, openGaps, violations } = index.totals
    yield line(
      'calls',
      `${formatCount(calls)}, ${formatCount(openCalls)} open; ${formatNumberOf(openGaps, 'open gap', 'open gaps')}, ${formatNumberOf(violations, 'violation', 'violations')}`,
      openGaps > 0 ? 'red' : undefined,
    )
    const unclassified = describeUnclassified(index.totals)
    if (unclassified !== undefined) yield line('catalogue', unclassified, 'yellow')
    const vantages = describeVantages(index.totals)
    if (vantages !== undefined) yield line('vantages', vantages)
  }
  yield line('disk', `${formatBytes(disk.freeBytes)} free`, disk.freeBytes < disk.lowBytes ? 'red' : undefined)
  for (const text of read.attention) yield `${terminal.paint('red', '! ')}${text}`
}

/** Nothing to say where every call has a level and an effect. */
function describeUnclassified({ unclassified: { tools, calls } }: Totals): string | undefined {
  if (calls === 0) return undefined
  const of = formatNumberOf(tools, 'tool is', 'tools are')
  return `${of} not classified, in ${formatNumberOf(calls, 'call', 'calls')}: affidavit catalog suggest`
}

/** Nothing to say where everything was seen from gateways, and from there alone. */
function describeVantages({ calls, countedAt, corroborating, reportedOnly }: Totals): string | undefined {
  if (countedAt.gateway === calls && corroborating === 0 && reportedOnly === 0) return undefined
  const seen = vantages.filter((vantage) => countedAt[vantage] > 0)
  const counted = seen.map((vantage) => `${formatCount(countedAt[vantage])} count at ${vantage}`)
  const reported = reportedOnly > 0 ? [`${formatCount(reportedOnly)} only as reported`] : []
  const more = formatNumberOf(corroborating, 'record corroborates', 'records corroborate')
  return `${[...counted, ...reported].join(', ')}; ${more} them`
}

function describeCollector({ state, pid }: HomeStatus['collector']): string {
  if (state === 'running') return `running (pid ${pid})`
  return state === 'dead'
    ? `not running; its last process (pid ${pid}) did not say goodbye`
    : 'not running; starts with the next run'
}

function describeCheckpoint({ log }: HomeStatus): string {
  if (log.published === undefined) return 'none'
  const age = log.checkpointAgeMs === undefined ? '' : `, ${formatAge(log.checkpointAgeMs)} old`
  return `${formatNumberOf(log.published, 'entry', 'entries')}${age}`
}

function describeIndex({ index, log }: HomeStatus): string {
  if (index.size === undefined) return 'none: the next query builds it'
  return `${formatCount(index.size)} of ${formatNumberOf(log.published ?? 0, 'entry', 'entries')}`
}
