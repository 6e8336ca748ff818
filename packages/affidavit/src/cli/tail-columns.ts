import type { Style } from '@affidavit/sensor/cli/terminal'
import type { LogEvent } from '../query/sqlite/events.ts'
import { unlistedTool } from './call-columns.ts'
import { formatBytes, formatLatency, formatTime, shortenId } from './format.ts'
import { outcomeStyle } from './outcome-style.ts'
import type { FixedColumn } from './table.ts'
import { describeHashes } from './tool-columns.ts'

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
    { title: 'DETAIL', cell: describe, style: () => 'dim', width: 22, widthMin: 12, leaves: 3 },
    { title: 'ID', cell: ({ callId, leaf }) => (callId === undefined ? `leaf:${leaf}` : shortenId(callId)), width: 8 },
  ]
}

function subjectCell({ subject, kind, toolDigest }: LogEvent): string {
  return toolDigest === undefined ? (subject ?? kind) : unlistedTool
}

function describe({ bytes, latencyUs, agent, kind, detail }: LogEvent): string {
  if (kind === 'change') return describeChange(detail)
  const size = bytes === undefined ? [] : [formatBytes(bytes)]
  if (latencyUs !== undefined) return [formatLatency(latencyUs), ...size].join(', ')
  return [...(agent === undefined ? [] : [agent]), ...size].join(', ')
}

function eventStyle({ kind, event }: LogEvent): Style {
  if (kind === 'gap' || kind === 'violation') return 'red'
  if (kind === 'change') return event === 'appeared' || event === 'loaded' ? 'green' : 'yellow'
  return event === 'requested' || kind === 'stream' || kind === 'notify' ? 'dim' : outcomeStyle(event)
}

/** The definitions before and after. */
function describeChange(detail: string | undefined): string {
  const { before, after } = parseSides(detail)
  return describeHashes({ before, after })
}

function parseSides(detail: string | undefined): { before: string | undefined; after: string | undefined } {
  const value: unknown = JSON.parse(detail ?? '{}')
  const side = (name: 'before' | 'after') => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
    return typeof found === 'string' ? found : undefined
  }
  return { before: side('before'), after: side('after') }
}
