import type { DatabaseSync } from 'node:sqlite'
import { parseResources, type Resource } from '@affidavit/evidence/record/resources-section'
import { type FetchedCall, fetchCalls } from '../query/fetch.ts'
import { parseOpened } from '../query/opened-section.ts'
import { readValueFlows, type ValueFlow } from '../query/sqlite/value-flows.ts'
import { readCallMarks } from '../query/value-marks.ts'
import { toolCell } from './call-columns.ts'
import { formatNumberOf, shortenId } from './format.ts'
import type { OpenSource } from './index-source.ts'

/** Values that went from one call to another, with what the records say of both ends. */
export interface ToldFlow {
  from: { callId: string; server: string; tool: string; level: string; resources: string[] }
  to: { callId: string; server: string; tool: string; effect: string; places: string[] }
  values: number
}

const resourcesMax = 4

/** Of the call whose record that counts is at `leaf`: where its values went, and where those it was handed came from. */
export async function tellFlows(
  { db, source }: { db: DatabaseSync; source: OpenSource },
  leaf: number,
): Promise<{ out: ToldFlow[]; in: ToldFlow[] }> {
  const flows = readValueFlows(db, leaf)
  const all = [...flows.out, ...flows.in]
  const places = new Map(all.flatMap(({ from, to }) => [from, to]).map((place) => [place.leaf, place]))
  const calls = await fetchCalls(source, [...places.values()])
  const fetched = new Map(calls.map((call) => [call.place.leaf, call]))
  const tell = (each: ValueFlow) => tellFlow(each, fetched)
  return { out: flows.out.flatMap(tell), in: flows.in.flatMap(tell) }
}

function tellFlow({ from, to, values }: ValueFlow, fetched: ReadonlyMap<number, FetchedCall>): ToldFlow[] {
  const [source, target] = [fetched.get(from.leaf), fetched.get(to.leaf)]
  if (source === undefined || target === undefined) return []
  const { effect, effectClass = effect } = target.requested.header
  return [
    {
      from: {
        ...nameOf(source),
        level: (source.completed?.header.classification ?? source.requested.header.classification).level,
        resources: resourcesOf(source),
      },
      to: { ...nameOf(target), effect: effectClass, places: sharedPlaces(source, target) },
      values,
    },
  ]
}

function nameOf(call: FetchedCall) {
  return { callId: call.call.callId, server: call.requested.header.server.name, tool: toolCell(call) }
}

/** What was read there; of columns their table says enough. */
function resourcesOf({ requested, completed }: FetchedCall): string[] {
  const named = [requested.sections, completed?.sections ?? {}]
    .flatMap(({ resources }) => parseOpened(resources, parseResources)?.resources ?? [])
    .filter(({ type }) => type !== 'column')
  const told = named.map(
    ({ type, name, level }: Resource) => `${type}:${name}${level === undefined ? '' : ` (${level})`}`,
  )
  return [...new Set(told)].slice(0, resourcesMax)
}

/** Members of the arguments in which values of the other call stand. */
function sharedPlaces(source: FetchedCall, target: FetchedCall): string[] {
  const { read } = readCallMarks(source.completed?.sections ?? {})
  const { sent } = readCallMarks(target.completed?.sections ?? {})
  if (read === undefined || sent?.key !== read.key) return []
  const marks = new Set(read.places.flatMap((place) => place.marks))
  return sent.places
    .filter((place) => place.marks.some((mark) => marks.has(mark)))
    .map(({ path }) => `/arguments${path}`)
    .sort()
}

/** One sentence a flow, as seen from one of its ends. */
export function describeFlow({ from, to, values }: ToldFlow, seenFrom: 'source' | 'target'): string {
  const count = formatNumberOf(values, 'value', 'values')
  const verb = values === 1 ? 'reappears' : 'reappear'
  const place = to.places.length === 0 ? '' : ` in ${to.places.join(', ')}`
  if (seenFrom === 'source')
    return `${count} read here ${verb}${place} of call ${shortenId(to.callId)}: ${to.tool} on ${to.server} (${to.effect})`
  const what = from.resources.length === 0 ? '' : ` from ${from.resources.join(', ')}`
  return `${count}${place} ${values === 1 ? 'was' : 'were'} read by call ${shortenId(from.callId)}${what}: ${from.tool} on ${from.server} (${from.level})`
}
