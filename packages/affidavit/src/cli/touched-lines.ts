import type { Resource, ResourcesSection, Statement } from '@affidavit/evidence/record/resources-section'
import { formatNumberOf } from './format.ts'

/** A line of each kind before the rest is counted: `--json` has all. */
const linesMax = 20

/** What a call touched, for a person: statements first, then what they and other arguments name. */
export function touchedLines({
  resources,
  omitted,
  statements = [],
  statementsOmitted = 0,
}: ResourcesSection): string[] {
  return [
    ...cut(statements.map(statementLine), statementsOmitted, ['statement', 'statements']),
    ...cut(mergeColumns(resources), omitted, ['name', 'names']),
  ]
}

function cut(lines: readonly string[], uncounted: number, words: [string, string]): string[] {
  const more = Math.max(0, lines.length - linesMax) + uncounted
  return [...lines.slice(0, linesMax), ...(more === 0 ? [] : [`and ${formatNumberOf(more, ...words)} more`])]
}

function statementLine({ dialect, verb = 'a statement', effect, bound, unparsable, unseen }: Statement): string {
  if (unparsable !== undefined) {
    const least = effect === 'unknown' ? 'nobody knows what it does' : `${effect} at the least`
    return `${verb}: not read (${unparsable.replaceAll('_', ' ')}, ${dialect}), ${least}`
  }
  const rows = bound === undefined || bound === 'none' ? '' : bound === 'unknown' ? ', rows unknown' : `, ${bound}`
  const blind = unseen.length === 0 ? '' : `, runs ${unseen.join(' and ')} that was not read`
  return `${verb}: ${effect === 'unknown' ? 'effect unknown' : effect}${rows}${blind} (${dialect})`
}

/** Columns beside their table, since each of them alone says little. */
function mergeColumns(resources: readonly Resource[]): string[] {
  const tables = new Set(resources.filter(({ type }) => type === 'table').map(({ name }) => name))
  const tableOf = ({ type, name }: Resource) =>
    type === 'column' ? name.slice(0, Math.max(0, name.lastIndexOf('.'))) : ''
  return resources.flatMap((each) => {
    if (tables.has(tableOf(each))) return []
    const columns = resources
      .filter((other) => each.type === 'table' && tableOf(other) === each.name)
      .map(
        ({ name, level }) =>
          name.slice(each.name.length + 1) + (level === undefined || level === each.level ? '' : ` (${level})`),
      )
    return [resourceLine(each, columns)]
  })
}

function resourceLine(
  { type, name, access, level, dataTypes, subjectClass, rows }: Resource,
  columns: readonly string[],
): string {
  const facts = [
    ...(access === 'write' ? ['written'] : []),
    ...(level === undefined ? [] : [level]),
    ...(dataTypes.length === 0 ? [] : [`holds ${dataTypes.join(', ')}`]),
    ...(subjectClass === undefined ? [] : [`of ${subjectClass}`]),
    ...(rows === undefined ? [] : [formatNumberOf(rows, 'row', 'rows')]),
    ...(columns.length === 0 ? [] : [`columns ${columns.join(', ')}`]),
  ]
  return `${type} ${name}${facts.length === 0 ? '' : `: ${facts.join('; ')}`}`
}
