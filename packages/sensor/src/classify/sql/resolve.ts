import { boundOf } from './bound.ts'
import { type Body, type Cte, type Draft, keyOf, type Path, type Ref, type Source } from './draft.ts'
import { gravest } from './effect.ts'
import { nameCharsMax, namesMax } from './limits.ts'
import { reachOf } from './outside.ts'
import type { SqlColumn, SqlEffect, SqlStatement, SqlTable, SqlUnseen } from './reading.ts'

/** Names under which a source can be spoken of, and what a bare column may belong to. */
interface Scope {
  ctes: ReadonlyMap<string, Cte>
  sources: readonly Source[]
  outputs: readonly string[]
  outer?: Scope
  /** Common table expressions around it are in sight, sources are not. */
  isDetached?: true
}

const sourcesAround = (scope: Scope): Scope | undefined => (scope.isDetached ? undefined : scope.outer)

interface Walk {
  tables: Map<string, SqlTable>
  columns: Map<string, SqlColumn>
  functions: Set<string>
  unseen: Set<SqlUnseen>
  effects: SqlEffect[]
  /** Whether a bare name that is a source's name means its whole row. */
  hasWholeRows: boolean
  /** Whether `a.b` may be a field of a column. */
  hasFields: boolean
  /** Names left off full lists. */
  unlisted: number
}

const cut = (name: string) => (name.length > nameCharsMax ? `${name.slice(0, nameCharsMax)}…` : name)

export const spell = (path: Path): string =>
  path.map((part) => (/[."]/.test(part) ? `"${cut(part).replaceAll('"', '""')}"` : cut(part))).join('.')

function addTable(walk: Walk, path: Path, access: 'read' | 'write'): void {
  const name = spell(path)
  const known = walk.tables.get(name)
  if (known === undefined && walk.tables.size >= namesMax) walk.unlisted++
  else if (known === undefined || access === 'write') walk.tables.set(name, { name, access })
}

function addColumn(walk: Walk, path: Path | undefined, name: string): void {
  const column: SqlColumn = path === undefined ? { name: cut(name) } : { table: spell(path), name: cut(name) }
  const key = `${column.table ?? ''}\u0000${column.name}`
  if (walk.columns.has(key)) return
  if (walk.columns.size >= namesMax) walk.unlisted++
  else walk.columns.set(key, column)
}

function addFunction(walk: Walk, name: string): void {
  const reach = reachOf(name)
  if (reach !== undefined) walk.effects.push(reach.effect)
  if (reach?.unseen !== undefined) walk.unseen.add(reach.unseen)
  if (walk.functions.size >= namesMax) walk.unlisted++
  else walk.functions.add(cut(name))
}

const cteOf = (source: Source, scope: Scope): Cte | undefined => {
  const [name] = source.kind === 'table' && source.path.length === 1 ? keyOf(source) : []
  for (let at: Scope | undefined = scope; at !== undefined && name !== undefined; at = at.outer) {
    const cte = at.ctes.get(name)
    if (cte !== undefined) return cte
  }
  return undefined
}

const aliasOf = (source: Source): string | undefined => {
  if (source.kind === 'table') return source.alias ?? keyOf(source).at(-1)
  return source.alias ?? (source.kind === 'function' ? source.name.split('.').at(-1) : undefined)
}

/** Output columns of a source that is no table; undefined where they are not all told. */
function columnsOf(source: Source, scope: Scope): readonly string[] | undefined {
  if (source.kind === 'table') {
    const cte = cteOf(source, scope)
    return cte?.columns ?? cte?.body.outputs
  }
  if (source.kind === 'query') return source.columns ?? source.body.outputs
  return source.kind === 'function' ? source.columns : undefined
}

const isTable = (source: Source, scope: Scope) => source.kind === 'table' && cteOf(source, scope) === undefined

/** The table a source stands for. */
const tablePath = (source: Source, scope: Scope): Path | undefined =>
  source.kind === 'pseudo' || (source.kind === 'table' && isTable(source, scope)) ? source.path : undefined

function isNamedBy(source: Source, qualifier: Path): boolean {
  if (qualifier.length === 1) return aliasOf(source) === qualifier[0]
  if (source.kind !== 'table' || source.alias !== undefined || qualifier.length > source.path.length) return false
  const tail = keyOf(source).slice(-qualifier.length)
  return qualifier.every((part, i) => part === tail[i])
}

/** The source that a qualifier names, with the scope it stands in. */
function findSource(scope: Scope, qualifier: Path): { source: Source; scope: Scope } | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = sourcesAround(at)) {
    const source = at.sources.find((candidate) => isNamedBy(candidate, qualifier))
    if (source !== undefined) return { source, scope: at }
  }
  return undefined
}

/** Whether some scope around could own a bare name. */
function couldOwn(scope: Scope | undefined, name: string): boolean {
  if (scope === undefined) return false
  const owns = (source: Source) => source.kind !== 'pseudo' && (columnsOf(source, scope)?.includes(name) ?? true)
  return scope.sources.some(owns) || couldOwn(sourcesAround(scope), name)
}

function addBare(walk: Walk, scope: Scope, name: string): void {
  const named = walk.hasWholeRows ? findSource(scope, [name]) : undefined
  if (named !== undefined) {
    addStarOf(walk, named.source, named.scope)
    return
  }
  const outer = sourcesAround(scope)
  const candidates = scope.sources.filter((source) => source.kind !== 'pseudo')
  const open = candidates.filter((source) => columnsOf(source, scope) === undefined)
  if (candidates.some((source) => columnsOf(source, scope)?.includes(name))) return
  if (open.length === 0) {
    if (outer !== undefined) addBare(walk, outer, name)
    return
  }
  const tables = open.filter((source) => isTable(source, scope))
  if (tables.length === 0 && !couldOwn(outer, name)) return
  const [only] = tables
  const isCertain = only !== undefined && open.length === 1 && !couldOwn(outer, name)
  addColumn(walk, isCertain ? tablePath(only, scope) : undefined, name)
}

function addQualified(walk: Walk, scope: Scope, path: Path): void {
  // The longest qualifier first: schema.table.column before column.field.field.
  for (let length = path.length - 1; length > 0; length--) {
    const found = findSource(scope, path.slice(0, length))
    const name = path[length] ?? ''
    if (found === undefined) continue
    const table = tablePath(found.source, found.scope)
    if (table !== undefined) addColumn(walk, table, name)
    return
  }
  const [head = ''] = path
  if (walk.hasFields) addBare(walk, scope, head)
  else addColumn(walk, undefined, path.at(-1) ?? head)
}

function addStarOf(walk: Walk, source: Source, scope: Scope): void {
  const table = tablePath(source, scope)
  if (table !== undefined) addColumn(walk, table, '*')
}

function addStar(walk: Walk, scope: Scope, qualifier: Path): void {
  const found = qualifier.length === 0 ? undefined : findSource(scope, qualifier)
  if (found !== undefined) addStarOf(walk, found.source, found.scope)
  else for (const source of scope.sources) if (source.kind !== 'pseudo') addStarOf(walk, source, scope)
}

function addShared(walk: Walk, scope: Scope, ref: Ref & { kind: 'shared' }): void {
  for (const side of ref.sides) {
    const tables = side.filter((source) => isTable(source, scope))
    const [only] = tables
    const open = side.filter((source) => columnsOf(source, scope) === undefined)
    if (only !== undefined) addColumn(walk, open.length === 1 ? tablePath(only, scope) : undefined, ref.name)
  }
}

function addOwned(walk: Walk, scope: Scope, ref: Ref & { kind: 'owned' }): void {
  const source: Source = { kind: 'table', path: ref.path, isWritten: true }
  if (isTable(source, scope)) addColumn(walk, ref.path, ref.name)
}

function addRef(walk: Walk, scope: Scope, ref: Ref): void {
  switch (ref.kind) {
    case 'column':
      if (ref.path.length === 1) addBare(walk, scope, ref.path[0] ?? '')
      else addQualified(walk, scope, ref.path)
      break
    case 'sorted':
      if (!scope.outputs.includes(ref.name)) addBare(walk, scope, ref.name)
      break
    case 'star':
      addStar(walk, scope, ref.path)
      break
    case 'shared':
      addShared(walk, scope, ref)
      break
    case 'owned':
      addOwned(walk, scope, ref)
      break
    case 'function':
      if (reachOf(ref.name) !== undefined) addFunction(walk, ref.name)
      break
    case 'query':
      addBody(walk, ref.body, ref.isDetached ? detached(scope) : scope)
  }
}

/** A scope that sees the common table expressions around it and no sources. */
const detached = (scope: Scope): Scope => ({
  ctes: new Map(),
  sources: [],
  outputs: [],
  outer: scope,
  isDetached: true,
})

function addSource(walk: Walk, scope: Scope, source: Source): void {
  if (source.kind === 'table') addTableSource(walk, scope, source)
  if (source.kind === 'function') {
    addFunction(walk, source.name)
    for (const ref of source.refs) addRef(walk, scope, ref)
  }
  if (source.kind !== 'query') return
  const around: Scope = source.isLateral
    ? { ...scope, sources: scope.sources.filter((other) => other !== source) }
    : detached(scope)
  addBody(walk, source.body, around)
}

function addTableSource(walk: Walk, scope: Scope, source: Source & { kind: 'table' }): void {
  const cte = cteOf(source, scope)
  if (cte === undefined) addTable(walk, source.path, source.isWritten ? 'write' : 'read')
  // A change of a common table expression changes the tables that it selects from.
  if (cte === undefined || !source.isWritten) return
  for (const below of cte.body.from) if (below.kind === 'table') addTable(walk, below.path, 'write')
}

const scopeOf = (ctes: readonly Cte[], outer: Scope | undefined): Scope => ({
  ctes: new Map(ctes.map((cte) => [cte.name, cte])),
  sources: [],
  outputs: [],
  ...(outer !== undefined && { outer }),
})

function addBody(walk: Walk, body: Body, outer: Scope | undefined): void {
  let around = scopeOf(body.isRecursive ? body.ctes : [], outer)
  for (const cte of body.ctes) {
    addBody(walk, cte.body, around)
    // Each sees the ones before it: a scope more, not a copy of all.
    if (!body.isRecursive) around = scopeOf([cte], around)
  }
  if (body.change !== undefined) walk.effects.push(body.change.effect)
  const scope: Scope = { ...scopeOf([], around), sources: body.from, outputs: body.labels }
  if (body.arms !== undefined) {
    addBody(walk, body.arms.left, scope)
    addBody(walk, body.arms.right, scope)
  }
  for (const source of body.from) addSource(walk, scope, source)
  for (const ref of body.refs) addRef(walk, scope, ref)
  if (body.change?.rows !== undefined) addBody(walk, body.change.rows, detached(scope))
}

/** Draft → statement: every name to its table, as far as the text alone tells. */
export function resolveDraft(draft: Draft, options: Pick<Walk, 'hasWholeRows' | 'hasFields'>): SqlStatement {
  const walk: Walk = {
    tables: new Map(),
    columns: new Map(),
    functions: new Set(),
    unseen: new Set(draft.unseen),
    effects: [],
    ...options,
    unlisted: 0,
  }
  for (const { path, isWritten } of draft.tables) addTable(walk, path, isWritten ? 'write' : 'read')
  for (const { path, name } of draft.columns) addColumn(walk, path, name)
  for (const name of draft.functions) addFunction(walk, name)
  for (const body of draft.bodies) addBody(walk, body, undefined)
  const [main] = draft.bodies
  return {
    kind: 'statement',
    verb: draft.verb,
    effect: draft.isRun ? gravest([draft.effect, ...walk.effects]) : draft.effect,
    bound: draft.bound ?? (main === undefined ? 'none' : boundOf(main)),
    tables: [...walk.tables.values()],
    columns: [...walk.columns.values()],
    functions: [...walk.functions],
    unseen: [...walk.unseen],
    unlisted: walk.unlisted,
  }
}
