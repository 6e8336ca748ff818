import { toPrintable } from '@affidavit/sensor/cli/printable'
import type { Terminal } from '@affidavit/sensor/cli/terminal'
import { formatCount } from './format.ts'

/** Section `input` of a change of a tool (docs/RECORD.md), as far as it is what one should be. */
type Told = Readonly<Record<string, unknown>>

const omittedWords: Readonly<Record<string, string>> = {
  changed: 'changed',
  disappeared: 'disappeared',
  appeared: 'new',
  unread: 'not read',
}

/**
 * What changed, for a person: lines that are gone in red, new ones in green, hidden characters pointed out. Undefined where
 * the text is none of ours; then it is shown as any other.
 */
export function changeLines(json: string, terminal: Terminal): string[] | undefined {
  const told = parseTold(json)
  if (told === undefined) return undefined
  return [
    ...describeTexts(told),
    ...describeChanged(told),
    ...listOf(told.diff).map((line) => paintDiff(line, terminal)),
    ...describeRest(told).map((line) => terminal.paint('dim', line)),
    ...hiddenOf(told).map((line) => terminal.paint('yellow', line)),
    ...describeOmitted(told).map((line) => terminal.paint('yellow', line)),
  ]
}

function parseTold(json: string): Told | undefined {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value !== 'object' || value === null || !('listing' in value)) return undefined
    return Object.fromEntries(Object.entries(value))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const listOf = (value: unknown) => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])

/** Descriptions are many lines as often as not. */
function describeTexts(told: Told): string[] {
  const { title, description } = told
  const text = typeof description === 'string' ? description.split('\n').map(toPrintable) : []
  const parameters = listOf(told.parameters)
  const annotations = listOf(told.annotations)
  return [
    ...(typeof title === 'string' ? [`title: ${toPrintable(title)}`] : []),
    ...text.map((line, i) => (i === 0 ? `description: ${line}` : `  ${line}`)),
    ...(parameters.length > 0 ? [`parameters: ${toPrintable(parameters.join(', '))}${more(told.moreParameters)}`] : []),
    ...(annotations.length > 0 ? [`annotations: ${toPrintable(annotations.join(', '))}`] : []),
  ]
}

const more = (count: unknown) => (typeof count === 'number' ? ` and ${formatCount(count)} more` : '')

function describeChanged(told: Told): string[] {
  if (!Array.isArray(told.changed)) return []
  const changed = listOf(told.changed)
  if (changed.length === 0) return ['only spelling, or what redaction removed, differs']
  const sizes = Array.isArray(told.sizes) ? told.sizes : []
  const members = changed.map((member, i) => `${toPrintable(member)}${describeSizes(sizes[i])}`)
  return [`changed: ${members.join(', ')}${more(told.moreChanged)}`]
}

/** At level metadata: how large a part was and is, null where it was or is not there. */
function describeSizes(sizes: unknown): string {
  if (!Array.isArray(sizes)) return ''
  const [before, after] = sizes.map((size) => (typeof size === 'number' ? formatCount(size) : 'none'))
  return ` (${before} → ${after} bytes)`
}

function paintDiff(line: string, terminal: Terminal): string {
  const shown = toPrintable(line)
  if (line.startsWith('+')) return terminal.paint('green', shown)
  return line.startsWith('-') ? terminal.paint('red', shown) : shown
}

function describeRest(told: Told): string[] {
  const notHeld = listOf(told.notHeld)
  const members = listOf(told.members)
  return [
    ...(typeof told.moreLines === 'number' ? [`${formatCount(told.moreLines)} more lines differ`] : []),
    ...(members.length > 0 ? [`level metadata: ${toPrintable(members.join(', '))}`] : []),
    ...(notHeld.length > 0 ? [`of the definition ${notHeld.join(' and ')} only the hash is known`] : []),
    ...(told.unread === true ? ['the definition has more than could be read'] : []),
  ]
}

function hiddenOf(told: Told): string[] {
  const found: unknown[] = Array.isArray(told.hidden) ? told.hidden : []
  return found.flatMap((each) => {
    if (typeof each !== 'object' || each === null || !('at' in each) || !('characters' in each)) return []
    const { at, characters } = each
    const counts = typeof characters === 'object' && characters !== null ? Object.entries(characters) : []
    const named = counts.map(([character, count]) => `${character} ×${String(count)}`).join(', ')
    const spells = 'spells' in each && typeof each.spells === 'string' ? `, spelling '${each.spells}'` : ''
    return [toPrintable(`hidden characters in ${String(at)}: ${named}${spells}`)]
  })
}

function describeOmitted(told: Told): string[] {
  const { omitted } = told
  if (typeof omitted !== 'object' || omitted === null) return []
  const counts = Object.entries(omitted).flatMap(([event, count]) =>
    typeof count === 'number' && event in omittedWords ? [`${formatCount(count)} ${omittedWords[event]}`] : [],
  )
  return [`in this listing besides, without records of their own: ${counts.join(', ')}`]
}
