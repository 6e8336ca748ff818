import { countLowCalls, type LowCalls } from '../query/sqlite/low-calls.ts'
import { searchCalls } from '../query/sqlite/search.ts'
import { callColumns, unlistedTool } from './call-columns.ts'
import { toCallObject } from './call-lines.ts'
import type { CommandContext } from './command.ts'
import { formatCount, formatNumberOf, formatTime } from './format.ts'
import { createReader, type Question } from './listed-calls.ts'
import { type Column, formatTable } from './table.ts'

const lowColumns: readonly Column<LowCalls>[] = [
  { title: 'HOUR (UTC)', cell: ({ hourMs }) => formatTime(hourMs).slice(0, 13), style: () => 'dim' },
  { title: 'SERVER', cell: ({ server }) => server, widthMin: 8, leaves: 1 },
  { title: 'TOOL', cell: ({ subject }) => subject ?? unlistedTool, widthMin: 12 },
  { title: 'LOW CALLS', cell: ({ calls }) => formatCount(calls), align: 'right' },
]

/**
 * What is above low one by one, the gravest first, and the rest as counts per tool and hour: all of it is in the log, and
 * `--priority low` lists it. `limit`: of those that are listed.
 */
export async function writeByPriority(
  question: Question,
  { limit, form }: { limit: number; form: 'text' | 'json' },
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const { db, filter } = question
  const asked = {
    ...filter,
    priority: filter.priority === undefined || filter.priority === 'low' ? 'medium' : filter.priority,
  } as const
  const page = searchCalls(db, asked, limit, 'priority')
  const calls = await createReader(question)(page.calls)
  // Who asks for what is above low asks for no counts of it.
  const low = filter.priority === undefined || filter.priority === 'low' ? countLowCalls(db, filter) : []
  if (form === 'json') {
    for (const call of calls) await stdout.write(`${JSON.stringify(toCallObject(call))}\n`)
    for (const each of low) await stdout.write(`${JSON.stringify(toLowObject(each))}\n`)
    return
  }
  if (calls.length > 0) await stdout.write(formatTable(callColumns('day and time'), calls, stdout).text)
  if (calls.length > 0 && low.length > 0) await stdout.write('\n')
  if (low.length > 0) await stdout.write(formatTable(lowColumns, low, stdout).text)
  if (calls.length + low.length === 0) await stderr.write('no call matches\n')
  if (calls.length < page.total)
    await stderr.write(
      `the gravest ${formatCount(calls.length)} of ${formatNumberOf(page.total, 'call', 'calls')} above low: --limit shows more\n`,
    )
}

function toLowObject({ hourMs, server, subject, calls, leaf }: LowCalls) {
  const hour = new Date(hourMs).toISOString()
  return {
    id: JSON.stringify(['low', hour, server, subject ?? null]),
    priority: 'low',
    hour,
    server,
    subject: subject ?? null,
    calls,
    firstRecord: `leaf:${leaf}`,
  }
}
