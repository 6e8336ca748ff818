import type { CaptureContext } from '../context.ts'
import type { CapturedLine } from '../line.ts'
import type { ListedTool } from '../message.ts'
import type { News } from './describe.ts'
import type { InForce } from './in-force.ts'
import { type Known, toKnown } from './known.ts'
import type { Listing } from './listings.ts'
import type { View } from './views.ts'

/** News that could not be recorded: they are news to whoever lists next. */
export class Untold {
  /** By name and hash, with the definition before it. */
  readonly forms = new Map<string, Map<string, Known | undefined>>()
  readonly gone = new Map<string, Known>()

  get isEmpty(): boolean {
    return this.forms.size + this.gone.size === 0
  }

  add({ event, name, before, after }: News): void {
    if (event === 'disappeared') this.gone.set(name, before)
    else
      this.forms.set(name, (this.forms.get(name) ?? new Map<string, Known | undefined>()).set(after.definition, before))
  }

  /** Tells of it, should it be untold: the definition before it, if there was one. */
  take(name: string, hash: string): { before: Known | undefined } | undefined {
    const forms = this.forms.get(name)
    if (forms?.has(hash) !== true) return undefined
    const before = forms.get(hash)
    forms.delete(hash)
    if (forms.size === 0) this.forms.delete(name)
    return { before }
  }
}

/** Definitions of which more than the hash is held, per page: redacting all of a flood would hold up everybody else. */
const heldMax = 2000

/** What pages are compared with, and what they change. */
export interface Memory {
  inForce: InForce
  untold: Untold
}

/**
 * What a page shows that is new: a definition which this viewer was not shown last and which is not in force for anybody
 * else either. What the viewer is no longer shown leaves force, so that a change back is one again; what is shown enters
 * it. Viewers with definitions of their own therefore make no news, however often they list.
 */
export function comparePage(
  context: CaptureContext,
  { line, tools }: { line: CapturedLine; tools: readonly ListedTool[] },
  { inForce, untold }: Memory,
  view: View,
): News[] {
  const news: News[] = []
  let heldCount = 0
  const read = (form: ListedTool): Known =>
    heldCount++ < heldMax ? toKnown(context, line, form) : { definition: form.definition, bytes: form.end - form.start }
  for (const [name, forms] of groupByName(tools)) {
    const shown = view.shown.get(name) ?? []
    const hashes = forms.map(({ definition }) => definition)
    const last = lastOf(inForce, name, shown.find((hash) => !hashes.includes(hash)) ?? shown[0])
    const known = forms.map((form) => inForce.find(name, form.definition) ?? read(form))
    for (const after of known) {
      const { definition } = after
      const isNew = !shown.includes(definition) && inForce.find(name, definition) === undefined
      const found = untold.take(name, definition) ?? (isNew ? { before: last } : undefined)
      if (found !== undefined) news.push(toNews(name, found.before, after))
    }
    for (const hash of shown) {
      if (hashes.includes(hash)) continue
      inForce.remove(name, hash)
      untold.take(name, hash)
    }
    for (const each of known) inForce.add(name, each)
    view.shown.set(name, hashes)
  }
  return news
}

/** What was expected in a complete listing, is not in it, and was in force until now; and what is gone and was not told. */
export function compareListing(
  missing: ReadonlyMap<string, readonly string[]>,
  { names, isWhole }: Listing,
  { inForce, untold }: Memory,
): News[] {
  const news: News[] = []
  for (const [name, shown] of missing) {
    // Otherwise another viewer's listing has told of it.
    if (inForce.latest(name) === undefined) continue
    const before = lastOf(inForce, name, shown.at(-1))
    if (before !== undefined) news.push({ event: 'disappeared', name, before, after: undefined })
    inForce.removeAll(name)
    untold.forms.delete(name)
  }
  for (const [name, before] of isWhole ? [...untold.gone] : []) {
    untold.gone.delete(name)
    if (!names.has(name)) news.push({ event: 'disappeared', name, before, after: undefined })
  }
  return news
}

function toNews(name: string, before: Known | undefined, after: Known): News {
  return before === undefined ? { event: 'appeared', name, before, after } : { event: 'changed', name, before, after }
}

function groupByName(tools: readonly ListedTool[]): Map<string, ListedTool[]> {
  const groups = new Map<string, ListedTool[]>()
  for (const tool of tools) {
    const same = groups.get(tool.name) ?? []
    if (!same.some(({ definition }) => definition === tool.definition)) same.push(tool)
    groups.set(tool.name, same)
  }
  return groups
}

/** The definition with this hash, of which more is known should it be in force; without one, the latest in force. */
function lastOf(inForce: InForce, name: string, definition: string | undefined): Known | undefined {
  if (definition === undefined) return inForce.latest(name)
  return inForce.find(name, definition) ?? { definition, bytes: undefined }
}
