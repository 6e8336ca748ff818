import type { ToolChange, ToolSummary } from '../query/sqlite/tools.ts'
import { formatCount, formatTime } from './format.ts'
import type { Column } from './table.ts'

/** Enough of a hash to tell definitions apart. */
const hashShown = 10
const none = '–'

export function shortenHash(hash: string | undefined): string {
  return hash === undefined ? none : hash.slice(0, hashShown)
}

export const toolColumns: readonly Column<ToolSummary>[] = [
  { title: 'SERVER', cell: ({ server }) => server, widthMin: 8, leaves: 1 },
  { title: 'TOOL', cell: ({ name }) => name, widthMin: 12 },
  {
    title: 'STATE',
    cell: ({ state }) => state,
    style: ({ state }) => (state === 'unannounced' ? 'red' : state === 'gone' ? 'dim' : undefined),
  },
  { title: 'DEFINITION', cell: ({ definition }) => shortenHash(definition), style: () => 'cyan' },
  {
    title: 'FIRST SEEN',
    cell: ({ firstSeenMs }) => formatTime(firstSeenMs).slice(0, 19),
    style: () => 'dim',
    leaves: 3,
  },
  {
    title: 'LAST CHANGED',
    cell: ({ lastChangedMs }) => (lastChangedMs === undefined ? none : formatTime(lastChangedMs).slice(0, 19)),
    style: ({ lastChangedMs }) => (lastChangedMs === undefined ? 'dim' : 'yellow'),
  },
  { title: 'CHANGES', cell: ({ changes }) => formatCount(changes), align: 'right', leaves: 2 },
  { title: 'CALLS', cell: ({ calls }) => formatCount(calls), align: 'right' },
  {
    title: 'UNCLASSIFIED',
    cell: ({ unclassified }) => (unclassified === 0 ? none : formatCount(unclassified)),
    style: ({ unclassified }) => (unclassified === 0 ? 'dim' : 'yellow'),
    align: 'right',
    leaves: 4,
  },
]

/** `abc → def`, `→ def`, `abc →`: the definitions before and after. */
export function describeHashes({ before, after }: Pick<ToolChange, 'before' | 'after'>): string {
  const sides = [before === undefined ? '' : shortenHash(before), '→', after === undefined ? '' : shortenHash(after)]
  return sides.filter((side) => side !== '').join(' ')
}
