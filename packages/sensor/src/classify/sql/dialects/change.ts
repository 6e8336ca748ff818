import { type Body, emptyBody, keyOf, type Path, type Ref, type Source } from '../draft.ts'
import { gravest } from '../effect.ts'
import type { SqlDialect } from '../reading.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, present, tagged, textAt } from '../tree.ts'
import { fold, nameOf, tableKey, tablePath } from './fold.ts'
import { isFiltered, isLimited, queryBody, refsOf, withOf } from './query.ts'
import { fromOf, sourceOf } from './sources.ts'

type TableSource = Source & { kind: 'table' }

/** INSERT, UPDATE, DELETE, MERGE → bodies. */
export function changeBody(dialect: SqlDialect, tag: string, statement: Node): Body | undefined {
  if (tag === 'insert') return insertBody(dialect, statement)
  if (tag === 'update') return updateBody(dialect, statement)
  if (tag === 'delete') return deleteBody(dialect, statement)
  return tag === 'merge' ? mergeBody(dialect, statement) : undefined
}

const owned = (path: Path, name: string): Ref => ({ kind: 'owned', path, name })
const pseudo = (path: Path, ...aliases: string[]): Source[] => aliases.map((alias) => ({ kind: 'pseudo', alias, path }))

/** T-SQL's OUTPUT speaks of the rows before and after. */
const before = (dialect: SqlDialect, path: Path): Source[] =>
  dialect === 'tsql' ? pseudo(path, 'inserted', 'deleted') : []

function target(dialect: SqlDialect, table: Node, alias: unknown): TableSource {
  const name = nameOf(dialect, alias) ?? nameOf(dialect, table.alias)
  const path = tablePath(dialect, table)
  return {
    kind: 'table',
    path,
    key: tableKey(dialect, path),
    isWritten: true,
    ...(name !== undefined && { alias: name }),
  }
}

const outputRefs = (dialect: SqlDialect, statement: Node): Ref[] =>
  refsOf(dialect, [{ output: statement.output }, { returning: statement.returning }])

function insertBody(dialect: SqlDialect, statement: Node): Body {
  const into = target(dialect, nodeAt(statement, 'table') ?? {}, statement.alias)
  const names = listAt(statement, 'columns').flatMap((column) => nameOf(dialect, column) ?? [])
  const query = nodeAt(statement, 'query')
  const isQuery = query !== undefined && !('values' in query)
  const conflict = nodeAt(nodeAt(statement, 'on_conflict'), 'on_conflict')
  const source = nameOf(dialect, statement.source_alias)
  return {
    ...emptyBody,
    ...withOf(dialect, statement),
    from: [
      into,
      ...pseudo(into.path, 'excluded', ...(source === undefined ? [] : [source])),
      ...before(dialect, into.path),
    ],
    refs: [
      ...(names.length > 0 ? names.map((name) => owned(into.path, name)) : [owned(into.path, '*')]),
      ...refsOf(dialect, { values: statement.values }),
      ...(query !== undefined && !isQuery ? refsOf(dialect, query) : []),
      ...conflictRefs(dialect, into.path, conflict),
      ...outputRefs(dialect, statement),
    ],
    change: {
      kind: 'insert',
      effect: statement.overwrite === true ? 'destructive' : 'write',
      ...(isQuery && { rows: queryBody(dialect, query) }),
    },
  }
}

/** Names to assign arrive as identifiers, columns to compare with as columns. */
function conflictRefs(dialect: SqlDialect, path: Path, conflict: Node | undefined): Ref[] {
  if (conflict === undefined) return []
  const assignments = [
    ...nodesAt(conflict, 'expressions'),
    ...nodesAt(nodeAt(nodeAt(conflict, 'action'), 'tuple'), 'expressions'),
  ]
  const names = assignments.flatMap(
    (assignment) => nameOf(dialect, nodeAt(nodeAt(assignment, 'eq'), 'left')?.identifier) ?? [],
  )
  return [
    ...names.map((name) => owned(path, name)),
    ...refsOf(dialect, [
      conflict.conflict_keys,
      conflict.index_predicate,
      conflict.action,
      ...assignments,
      { where: conflict.where_ },
    ]),
  ]
}

/** Which source a multi-table change means by a name: an alias, or the table itself. */
const meant = (sources: readonly Source[], name: Path): number =>
  sources.findIndex((source) => {
    if (source.kind !== 'table') return false
    const [only] = name
    if (name.length === 1 && source.alias !== undefined) return source.alias.toLowerCase() === only?.toLowerCase()
    const tail = keyOf(source).slice(-name.length)
    return source.alias === undefined && name.every((part, i) => part.toLowerCase() === tail[i]?.toLowerCase())
  })

const written = (sources: readonly Source[], at: readonly number[]): Source[] =>
  sources.map((source, i) => (source.kind === 'table' && at.includes(i) ? { ...source, isWritten: true } : source))

/** `a.x` in SET arrives as one name; a quoted one has no dots to split at. */
function assignedPath(dialect: SqlDialect, value: unknown): string[] {
  const text = textAt(isNode(value) ? value : undefined, 'name') ?? ''
  const isQuoted = isNode(value) && value.quoted === true
  return (isQuoted ? [text] : text.split('.')).map((part) =>
    fold(dialect, { text: part.replaceAll(/[`"[\]]/g, ''), isQuoted }, 'column'),
  )
}

function updateBody(dialect: SqlDialect, statement: Node): Body {
  const first = target(dialect, nodeAt(statement, 'table') ?? {}, undefined)
  const extra = nodesAt(statement, 'extra_tables').map((table) => ({ table }))
  const own = fromOf(dialect, extra, listAt(statement, 'table_joins'))
  const from = fromOf(dialect, listAt(nodeAt(statement, 'from_clause'), 'expressions'), listAt(statement, 'from_joins'))
  // UPDATE alias … FROM table AS alias (T-SQL) means that table.
  const inFrom = meant(from.sources, first.path)
  const isMany = own.sources.length > 0
  const sources: Source[] =
    inFrom >= 0 ? written(from.sources, [inFrom]) : [{ ...first, isWritten: !isMany }, ...own.sources, ...from.sources]
  const pairs = listAt(statement, 'set').filter(Array.isArray)
  const paths = pairs.map((pair) => assignedPath(dialect, pair[0]))
  const hit = isMany
    ? written(
        sources,
        paths.map((path) => meantBy(sources, path)),
      )
    : sources
  const main = hit.find((source): source is TableSource => source.kind === 'table' && source.isWritten)
  const assigned = paths.flatMap((path): Ref[] => {
    const name = path.at(-1) ?? ''
    return isMany || main === undefined ? [{ kind: 'column', path }] : [owned(main.path, name)]
  })
  return {
    ...emptyBody,
    ...withOf(dialect, statement),
    from: [...hit, ...before(dialect, main?.path ?? first.path)],
    refs: [
      ...own.refs,
      ...from.refs,
      ...assigned,
      ...refsOf(
        dialect,
        pairs.map((pair) => ({ value: pair[1] })),
      ),
      ...refsOf(dialect, [{ where: statement.where_clause }, { order: statement.order_by }]),
      ...outputRefs(dialect, statement),
    ],
    isFiltered: isFiltered(statement),
    isLimited: isLimited(statement),
    change: { kind: 'rows', effect: 'write' },
  }
}

/** The source that an assigned name belongs to; the first where it does not say. */
function meantBy(sources: readonly Source[], path: readonly string[]): number {
  const qualifier = path.slice(0, -1)
  const at = sources.findIndex((source) => {
    if (source.kind !== 'table') return false
    const alias = source.alias ?? source.path.at(-1)
    return alias?.toLowerCase() === qualifier.at(-1)?.toLowerCase()
  })
  return Math.max(0, at)
}

function deleteBody(dialect: SqlDialect, statement: Node): Body {
  const first = target(dialect, nodeAt(statement, 'table') ?? {}, statement.alias)
  const using = nodesAt(statement, 'using').map((table) => ('name' in table ? { table } : table))
  const listed = nodesAt(statement, 'tables').map((table) => tablePath(dialect, table))
  const isFromUsing = statement.tables_from_using === true
  const start: Source[] = isFromUsing ? [] : [first]
  const rest = fromOf(dialect, using, listAt(statement, 'joins'))
  const all = [...start, ...rest.sources]
  const unmatched = listed
    .filter((path) => meant(all, path) === -1)
    .map((path): Source => ({ kind: 'table', path, isWritten: true }))
  const sources =
    listed.length === 0
      ? all
      : written(
          all.map((s) => (s.kind === 'table' ? { ...s, isWritten: false } : s)),
          listed.map((path) => meant(all, path)),
        )
  return {
    ...emptyBody,
    ...withOf(dialect, statement),
    from: [...sources, ...unmatched, ...before(dialect, first.path)],
    refs: [
      ...rest.refs,
      ...refsOf(dialect, [{ where: statement.where_clause }, { order: statement.order_by }]),
      ...outputRefs(dialect, statement),
    ],
    isFiltered: isFiltered(statement),
    isLimited: isLimited(statement),
    change: { kind: 'rows', effect: 'destructive' },
  }
}

function mergeBody(dialect: SqlDialect, statement: Node): Body {
  const into = sourceOf(dialect, nodeAt(statement, 'this') ?? {})
  const using = sourceOf(dialect, nodeAt(statement, 'using') ?? {})
  const [table] = into.sources
  const path = table?.kind === 'table' ? table.path : []
  const actions = nodesAt(nodeAt(nodeAt(statement, 'whens'), 'whens'), 'expressions').flatMap((value) =>
    present(nodeAt(value, 'when')),
  )
  const verbs = actions.map((action) => {
    const then = nodeAt(action, 'then')
    const [first] = nodesAt(nodeAt(then, 'tuple'), 'expressions')
    return textAt(nodeAt(then, 'var') ?? nodeAt(first, 'var'), 'this') ?? ''
  })
  return {
    ...emptyBody,
    ...withOf(dialect, statement),
    from: [...written(into.sources, [0]), ...using.sources, ...before(dialect, path)],
    refs: [
      ...into.refs,
      ...using.refs,
      ...refsOf(dialect, { on: statement.on }),
      ...actions.flatMap((action) => actionRefs(dialect, path, action)),
      ...refsOf(dialect, { output: statement.returning ?? statement.output }),
    ],
    change: { kind: 'merge', effect: gravest(verbs.map((verb) => (verb === 'DELETE' ? 'destructive' : 'write'))) },
  }
}

/** UPDATE assigns (its left sides are the target's), INSERT lists columns as identifiers; without a list it means all. */
function actionRefs(dialect: SqlDialect, path: Path, action: Node): Ref[] {
  const parts = nodesAt(nodeAt(nodeAt(action, 'then'), 'tuple'), 'expressions')
  const verb = textAt(nodeAt(parts[0], 'var'), 'this')
  const entries = parts.slice(1).map((part) => nodesAt(nodeAt(part, 'tuple'), 'expressions'))
  const condition = refsOf(dialect, { condition: action.condition })
  if (verb === 'INSERT') {
    const names = (entries[0] ?? []).flatMap((entry) => ('identifier' in entry ? (nameOf(dialect, entry) ?? []) : []))
    const own = names.length > 0 ? names.map((name) => owned(path, name)) : [owned(path, '*')]
    return [...condition, ...own, ...refsOf(dialect, entries)]
  }
  const assignments = entries.flat().flatMap((entry): Ref[] => {
    const pair = nodeAt(entry, 'eq')
    const [tag, left] = tagged(nodeAt(pair, 'left') ?? {}) ?? []
    const name = tag === 'column' ? nameOf(dialect, left?.name) : nameOf(dialect, left)
    return [...(name === undefined ? [] : [owned(path, name)]), ...refsOf(dialect, pair?.right)]
  })
  return [...condition, ...assignments]
}
