import { type Body, type Cte, emptyBody, keyOf, type Ref } from '../draft.ts'
import type { SqlDialect } from '../reading.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, tagged, textAt } from '../tree.ts'
import { changeBody } from './change.ts'
import { nameOf, namesOf, tableKey, tablePath } from './fold.ts'
import { fromOf } from './sources.ts'

/** Polyglot's syntax tree → bodies. Aliases are compared as columns are; the resolver sees folded names only. */

/** Columns as the tree has them: dots of more than two parts are nested. */
function columnPath(dialect: SqlDialect, node: Node): string[] {
  const dot = nodeAt(node, 'dot')
  if (dot !== undefined) return [...columnPath(dialect, nodeAt(dot, 'this') ?? {}), nameOf(dialect, dot.field) ?? '']
  const column = nodeAt(node, 'column') ?? node
  return [nameOf(dialect, column.table), nameOf(dialect, column.name)].filter((part) => part !== undefined)
}

/** Parameters and variables are written like columns. */
const isVariable = (path: readonly string[]) => /^[@$:?]/.test(path.at(-1) ?? '') || path[0]?.startsWith('@') === true

export const queries = new Set(['select', 'union', 'intersect', 'except'])

/** All that an expression names; queries in it see the sources around them. */
export function refsOf(dialect: SqlDialect, value: unknown): Ref[] {
  if (Array.isArray(value)) return value.flatMap((inner) => refsOf(dialect, inner))
  if (!isNode(value)) return []
  return Object.entries(value).flatMap(([tag, inner]): Ref[] => {
    if (!isNode(inner)) return Array.isArray(inner) ? refsOf(dialect, inner) : []
    if (tag === 'column' || tag === 'dot') {
      if (textAt(nodeAt(inner, 'name'), 'name') === undefined && tag === 'column') return refsOf(dialect, inner)
      return columnRefs(dialect, { [tag]: inner })
    }
    if (tag === 'star')
      return [{ kind: 'star', path: [nameOf(dialect, inner.table)].filter((part) => part !== undefined) }]
    if (queries.has(tag)) return [{ kind: 'query', body: queryBody(dialect, { [tag]: inner }), isDetached: false }]
    if (tag === 'in' && inner.is_field === true) return [...refsOf(dialect, inner.this), ...fieldRefs(dialect, inner)]
    if (tag === 'function')
      return [...called(inner), ...refsOf(dialect, inner.args), ...refsOf(dialect, { ...inner, args: [] })]
    return tag === 'data_type' || tag === 'to' ? [] : refsOf(dialect, inner)
  })
}

function columnRefs(dialect: SqlDialect, node: Node): Ref[] {
  const root = rootOf(node)
  if (nodeAt(root, 'column') === undefined) return refsOf(dialect, root)
  const path = columnPath(dialect, node)
  return path.length === 0 || isVariable(path) ? [] : [{ kind: 'column', path }]
}

const rootOf = (node: Node): Node => {
  const inner = nodeAt(nodeAt(node, 'dot'), 'this')
  return inner === undefined ? node : rootOf(inner)
}

/** `x IN name`: all rows of a table or a common table expression (SQLite). */
function fieldRefs(dialect: SqlDialect, inner: Node): Ref[] {
  return nodesAt(inner, 'expressions').flatMap((value): Ref[] => {
    const column = nodeAt(value, 'column')
    if (column === undefined) return refsOf(dialect, value)
    const path = tablePath(dialect, { schema: column.table, name: column.name })
    const body: Body = {
      ...emptyBody,
      from: [{ kind: 'table', path, key: tableKey(dialect, path), isWritten: false }],
      refs: [{ kind: 'star', path: [] }],
    }
    return [{ kind: 'query', body, isDetached: true }]
  })
}

function called(call: Node): Ref[] {
  const name = textAt(call, 'name')?.toLowerCase()
  return name === undefined ? [] : [{ kind: 'function', name }]
}

function sortRefs(dialect: SqlDialect, value: unknown): Ref[] {
  if (!isNode(value)) return []
  return nodesAt(value, 'expressions').flatMap((entry): Ref[] => {
    const column = nodeAt(entry, 'column') ?? nodeAt(nodeAt(entry, 'this'), 'column')
    const path = column === undefined ? [] : columnPath(dialect, column)
    const [name] = path
    return path.length === 1 && name !== undefined && !isVariable(path)
      ? [{ kind: 'sorted', name }]
      : refsOf(dialect, entry)
  })
}

const isAutoRecursive: readonly SqlDialect[] = ['sqlite', 'tsql', 'snowflake']

export function withOf(dialect: SqlDialect, statement: Node): Pick<Body, 'ctes' | 'isRecursive'> {
  const clause = nodeAt(statement, 'with')
  const ctes = nodesAt(clause, 'ctes').flatMap((cte): Cte[] => {
    const name = tableKey(dialect, tablePath(dialect, { name: cte.alias })).at(-1)
    const columns = namesOf(dialect, cte.columns)
    const body = statementBody(dialect, nodeAt(cte, 'this') ?? {})
    return name === undefined ? [] : [{ name, body, ...(columns.length > 0 && { columns }) }]
  })
  // Without the keyword only what names itself in an arm of a set operation is recursive.
  const isRecursive = clause?.recursive === true || (isAutoRecursive.includes(dialect) && ctes.some(readsItself))
  return { ctes, isRecursive }
}

const readsItself = (cte: Cte): boolean =>
  cte.body.arms?.right.from.some(
    (source) => source.kind === 'table' && source.path.length === 1 && keyOf(source)[0] === cte.name,
  ) === true

export function statementBody(dialect: SqlDialect, node: Node): Body {
  const [tag = '', inner = {}] = tagged(node) ?? []
  return changeBody(dialect, tag, inner) ?? queryBody(dialect, node)
}

/** Names of the output columns; undefined as soon as one is not certain. */
function outputsOf(dialect: SqlDialect, select: Node): Pick<Body, 'outputs' | 'labels'> {
  const items = nodesAt(select, 'expressions')
  const names = items.map((item) => {
    const [tag, inner] = tagged(item) ?? []
    if (tag === 'alias') return nameOf(dialect, inner?.alias)
    return tag === 'column' && inner !== undefined ? nameOf(dialect, inner.name) : undefined
  })
  const known = names.filter((name) => name !== undefined)
  return { labels: known, ...(known.length === names.length && known.length > 0 && { outputs: known }) }
}

const named = new Set([
  'column',
  'select',
  'union',
  'function',
  'parameter',
  'placeholder',
  'dot',
  'exists',
  'current_date',
  'match_against',
])

/** Whether a condition names nothing that rows differ in, such as TRUE or 1 = 1, and so filters nothing. */
function isConstant(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isConstant)
  if (!isNode(value)) return true
  return Object.entries(value).every(([tag, inner]) => !(isNode(inner) && named.has(tag)) && isConstant(inner))
}

export const isFiltered = (statement: Node): boolean => {
  const clause = nodeAt(statement, 'where_clause')
  return clause !== undefined && !isConstant(clause)
}

/** SQLite takes a negative LIMIT for none; NULL and ALL are none as well. */
export function isLimited(statement: Node): boolean {
  const limit = nodeAt(statement, 'limit')
  const count = nodeAt(limit, 'this') ?? limit
  const isNone = count !== undefined && ['neg', 'null'].some((tag) => tag in count)
  return (
    (limit !== undefined && !isNone) ||
    nodeAt(statement, 'fetch') !== undefined ||
    nodeAt(statement, 'top') !== undefined
  )
}

export function queryBody(dialect: SqlDialect, node: Node): Body {
  const [tag = '', inner = {}] = tagged(node) ?? []
  if (tag === 'subquery' || tag === 'paren') {
    const body = queryBody(dialect, nodeAt(inner, 'this') ?? {})
    return {
      ...body,
      isLimited: body.isLimited || isLimited(inner),
      refs: [...body.refs, ...sortRefs(dialect, inner.order_by)],
    }
  }
  if (tag === 'union' || tag === 'intersect' || tag === 'except') {
    const left = queryBody(dialect, nodeAt(inner, 'left') ?? {})
    const right = queryBody(dialect, nodeAt(inner, 'right') ?? {})
    const outputs = left.outputs === undefined ? {} : { outputs: left.outputs }
    return {
      ...emptyBody,
      ...withOf(dialect, inner),
      arms: { operation: tag, left, right },
      labels: left.labels,
      ...outputs,
      refs: sortRefs(dialect, inner.order_by),
      isLimited: isLimited(inner),
    }
  }
  return tag === 'select' ? selectBody(dialect, inner) : { ...emptyBody, refs: refsOf(dialect, node) }
}

const clauses = [
  'distinct_on',
  'expressions',
  'where_clause',
  'windows',
  'limit',
  'offset',
  'top',
  'lateral_views',
  'connect',
]

function selectBody(dialect: SqlDialect, select: Node): Body {
  const from = fromOf(dialect, listAt(nodeAt(select, 'from'), 'expressions'), listAt(select, 'joins'))
  const outputs = outputsOf(dialect, select)
  // Output names may stand in HAVING and QUALIFY, as they do in ORDER BY; T-SQL alone has no such thing.
  const late = ['having', 'qualify']
    .flatMap((key) => refsOf(dialect, { [key]: select[key] }))
    .map(
      (ref): Ref =>
        ref.kind === 'column' && ref.path.length === 1 && dialect !== 'tsql'
          ? { kind: 'sorted', name: ref.path[0] ?? '' }
          : ref,
    )
  return {
    ...withOf(dialect, select),
    from: from.sources,
    refs: [
      ...from.refs,
      ...clauses.flatMap((key) => refsOf(dialect, { [key]: select[key] })),
      ...late,
      ...sortRefs(dialect, select.group_by),
      ...sortRefs(dialect, select.order_by),
    ],
    ...outputs,
    isFiltered: isFiltered(select),
    isLimited: isLimited(select),
    isSelect: true,
  }
}
