import type { CedarRequest } from './cedar-request.ts'
import type { CedarValue } from './cedar-value.ts'
import type { AttributePath } from './clause-paths.ts'
import type { Entity, EntityUid } from './principal.ts'

/**
 * What of a request those clauses look at. Reading what nobody looks at is most of what the engine takes its time for. Where
 * a clause takes a variable as a whole (`principal in …`), nothing is left out.
 */
export function pruneRequest(request: CedarRequest, paths: readonly AttributePath[]): CedarRequest {
  if (paths.some(({ length }) => length === 1)) return request
  const needed = new Map<Entity, Set<string>>()
  const context: Record<string, CedarValue> = {}
  for (const [variable, ...members] of paths) {
    const [first = ''] = members
    if (variable !== 'context') needEntities(request, needed, members, rootOf(request, variable))
    else if (Object.hasOwn(request.context, first)) context[first] = request.context[first] ?? ''
  }
  const entities = [...needed].map(([{ uid, attrs }, names]) => ({ uid, attrs: pick(attrs, names), parents: [] }))
  return { ...request, entities, context }
}

function rootOf({ principal, action, resource }: CedarRequest, variable: string): EntityUid {
  return variable === 'principal' ? principal : variable === 'action' ? action : resource
}

/** Follows a path through entities that refer to each other. */
function needEntities(
  { entities }: CedarRequest,
  needed: Map<Entity, Set<string>>,
  members: readonly string[],
  root: EntityUid,
): void {
  let uid: CedarValue | EntityUid | undefined = root
  for (const name of members) {
    const entity = entities.find((each) => isUid(uid, each.uid))
    if (entity === undefined) return
    const names = needed.get(entity)
    if (names === undefined) needed.set(entity, new Set([name]))
    else names.add(name)
    const value: CedarValue | undefined = Object.hasOwn(entity.attrs, name) ? entity.attrs[name] : undefined
    if (typeof value !== 'object' || Array.isArray(value)) return
    uid = value.__entity
  }
}

function isUid(value: CedarValue | EntityUid | undefined, { type, id }: EntityUid): boolean {
  return typeof value === 'object' && !Array.isArray(value) && value.type === type && value.id === id
}

function pick(attrs: Entity['attrs'], names: ReadonlySet<string>): Entity['attrs'] {
  const kept: Entity['attrs'] = {}
  for (const name of names) if (Object.hasOwn(attrs, name)) kept[name] = attrs[name] ?? ''
  return kept
}
