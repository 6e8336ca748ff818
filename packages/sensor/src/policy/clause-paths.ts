import type { CedarRequest } from './cedar-request.ts'
import type { CedarValue } from './cedar-value.ts'
import type { Entity } from './principal.ts'

/** An attribute that a clause looks at: a variable of the request, and members from there inwards. */
export type AttributePath = readonly [variable: string, ...members: string[]]

/** All of them, outermost first, each once. `expression` is Cedar's JSON of a policy's clause. */
export function findPaths(expression: unknown): AttributePath[] {
  const found = new Map<string, AttributePath>()
  const note = (path: AttributePath) => found.set(path.join('\0'), path)
  visit(expression, note)
  return [...found.values()]
}

function visit(node: unknown, note: (path: AttributePath) => void): void {
  const path = pathOf(node)
  if (path !== undefined) {
    note(path)
    return
  }
  if (Array.isArray(node)) for (const item of node) visit(item, note)
  else if (typeof node === 'object' && node !== null) for (const item of Object.values(node)) visit(item, note)
}

/** `context.arguments.path` and `context.arguments has path` both look at the same place. */
function pathOf(node: unknown): AttributePath | undefined {
  const variable = member(node, 'Var')
  if (typeof variable === 'string') return [variable]
  const step = member(node, '.') ?? member(node, 'has')
  const left = step === undefined ? undefined : pathOf(member(step, 'left'))
  const attribute = member(step, 'attr')
  if (left === undefined) return undefined
  if (typeof attribute === 'string') return [...left, attribute]
  if (Array.isArray(attribute)) return [...left, ...attribute.map(String)]
  return undefined
}

function member(node: unknown, key: string): unknown {
  return typeof node === 'object' && node !== null && Object.hasOwn(node, key) ? Reflect.get(node, key) : undefined
}

/** Which members of the arguments they look at; `all` where one looks at the arguments, or the context, as a whole. */
export function argumentKeys(paths: readonly AttributePath[]): ReadonlySet<string> | 'all' {
  const keys = new Set<string>()
  for (const [variable, first, second] of paths) {
    if (variable !== 'context') continue
    if (first === undefined || (first === 'arguments' && second === undefined)) return 'all'
    if (first === 'arguments' && second !== undefined) keys.add(second)
  }
  return keys
}

/** What stands at the place. Undefined: nothing does. Entities are looked into by what is known of them. */
export function valueAt(request: CedarRequest, [variable, ...members]: AttributePath): CedarValue | undefined {
  let value = startOf(request, variable)
  for (const name of members) {
    const record = attributesOf(request.entities, value)
    value = record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined
    if (value === undefined) return undefined
  }
  return value
}

function startOf(request: CedarRequest, variable: string): CedarValue | undefined {
  if (variable === 'context') return request.context
  if (variable === 'principal') return { __entity: { ...request.principal } }
  if (variable === 'action') return { __entity: { ...request.action } }
  return variable === 'resource' ? { __entity: { ...request.resource } } : undefined
}

function attributesOf(entities: readonly Entity[], value: CedarValue | undefined) {
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const reference = value.__entity
  if (reference === undefined) return value
  return entities.find(({ uid }) => isSame(uid, reference))?.attrs
}

function isSame({ type, id }: Entity['uid'], reference: CedarValue): boolean {
  return typeof reference === 'object' && !Array.isArray(reference) && reference.type === type && reference.id === id
}
