import { basename } from 'node:path'
import { parseResources, type Resource } from '@affidavit/evidence/record/resources-section'
import type { FetchedCall } from '../query/fetch.ts'
import { parseOpened } from '../query/opened-section.ts'
import type { LogLine } from './trace-log.ts'
import { breakStep, type TraceStep } from './trace-step.ts'

const resourcesMax = 20

/** Resources that the records name, with the lines of a server's own log that name them too; then the other lines. */
export function resourceSteps(records: readonly FetchedCall[], lines: readonly LogLine[]): TraceStep[] {
  const { resources, omitted } = listResources(records)
  const placed = new Map<LogLine, Resource>()
  for (const line of lines) {
    const named = resources.find((resource) => isNamedIn(line.text, resource))
    if (named !== undefined) placed.set(line, named)
  }
  const linesOf = (resource: Resource | undefined) =>
    lines.filter((line) => placed.get(line) === resource).map(lineStep)
  return [
    ...resources.map((resource) => ({ ...resourceStep(resource), next: linesOf(resource) })),
    ...linesOf(undefined),
    ...(omitted === 0 ? [] : [breakStep(`${omitted} more resources are not shown`)]),
  ]
}

function listResources(records: readonly FetchedCall[]): { resources: Resource[]; omitted: number } {
  const sections = records
    .flatMap(({ requested, completed }) => [requested.sections, completed?.sections ?? {}])
    .flatMap(({ resources }) => parseOpened(resources, parseResources) ?? [])
  const keyOf = ({ type, name, source }: Resource) => JSON.stringify([type, name, source])
  const all = [...new Map(sections.flatMap(({ resources }) => resources).map((each) => [keyOf(each), each])).values()]
  const unlisted = sections.reduce((sum, { omitted }) => sum + omitted, 0)
  return { resources: all.slice(0, resourcesMax), omitted: Math.max(0, all.length - resourcesMax) + unlisted }
}

/** As a word of its own: `orders` is not named by `reorders`. */
function isNamedIn(text: string, { name }: Resource): boolean {
  const at = text.toLowerCase().indexOf(name.toLowerCase())
  const isPart = (character: string | undefined) => character !== undefined && /[\w$]/.test(character)
  return name !== '' && at >= 0 && !isPart(text[at - 1]) && !isPart(text[at + name.length])
}

function resourceStep({ type, name, dataTypes, level, rows, subjectClass, source }: Resource): TraceStep {
  const facts = [
    ...(dataTypes.length === 0 ? [] : [{ name: 'holds', text: dataTypes.join(', ') }]),
    ...(subjectClass === undefined ? [] : [{ name: 'of', text: subjectClass }]),
    ...(level === undefined ? [] : [{ name: 'level', text: level }]),
    ...(rows === undefined ? [] : [{ name: 'rows', text: String(rows) }]),
  ]
  const isServers = source === 'server-hook'
  const text = isServers ? "the server's own word (server-hook)" : `read from what was asked or answered (${source})`
  return {
    type: 'resource',
    name: `${type} ${name}`,
    link: { by: source, assurance: 'claimed', text },
    facts,
    next: [],
  }
}

function lineStep({ file, number, time, text, by }: LogLine): TraceStep {
  return {
    type: 'log-line',
    name: `${basename(file)}:${number}`,
    link: { by: `log ${by}`, assurance: 'claimed', text: `its ${by} in a line of the server's own log` },
    facts: [...(time === undefined ? [] : [{ name: 'at', text: time }]), { name: 'line', text }],
    next: [],
  }
}
