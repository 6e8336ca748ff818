import type { Style } from '@affidavit/sensor/cli/terminal'
import type { LogEvent } from '../query/sqlite/events.ts'
import { unlistedTool } from './call-columns.ts'
import { formatTime, shortenId } from './format.ts'
import { outcomeStyle } from './outcome-style.ts'
import type { FixedColumn } from './table.ts'
import { describeDetail } from './tail-detail.ts'

const dayAndTime = 23
const timeOfDay = 12
/** Below this width the day takes more room than it is worth: what is followed happens now. */
const dayFrom = 80

/** One record as a line of `tail`. */
export function tailColumns(columns: number | undefined): readonly FixedColumn<LogEvent>[] {
  const timeWidth = columns !== undefined && columns < dayFrom ? timeOfDay : dayAndTime
  return [
    {
      title: 'TIME',
      cell: ({ timeMs }) => formatTime(timeMs).slice(-timeWidth),
      style: () => 'dim',
      width: timeWidth,
      leaves: 1,
    },
    { title: 'SERVER', cell: ({ server }) => server ?? '–', width: 14, widthMin: 8, leaves: 2 },
    { title: 'SUBJECT', cell: subjectCell, width: 24, widthMin: 8, widthMax: 64 },
    { title: 'EVENT', cell: ({ event }) => event, style: eventStyle, width: 16, widthMin: 8 },
    { title: 'DETAIL', cell: describeDetail, style: () => 'dim', width: 22, widthMin: 12, widthMax: 56, leaves: 3 },
    { title: 'ID', cell: ({ callId, leaf }) => (callId === undefined ? `leaf:${leaf}` : shortenId(callId)), width: 8 },
  ]
}

function subjectCell({ subject, kind, toolDigest }: LogEvent): string {
  return toolDigest === undefined ? (subject ?? kind) : unlistedTool
}

function eventStyle({ kind, event }: LogEvent): Style {
  if (kind === 'gap' || kind === 'violation') return 'red'
  if (kind === 'change') return event === 'appeared' || event === 'loaded' ? 'green' : 'yellow'
  if (kind === 'auth') return event === 'admitted' || event === 'exchanged' ? 'green' : 'yellow'
  if (kind === 'approval') return event === 'approved' ? 'green' : 'yellow'
  return event === 'requested' || kind === 'stream' || kind === 'notify' ? 'dim' : outcomeStyle(event)
}
