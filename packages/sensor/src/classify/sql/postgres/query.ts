import { type Body, type Cte, emptyBody, type Path, type Ref, type Source } from '../draft.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, tagged, textAt } from '../tree.ts'
import { changeBody } from './change.ts'

/** PostgreSQL's own parse tree (nodes/parsenodes.h, as libpg-query writes it) → bodies. Identifiers arrive folded. */

/** Strings of a list of `String` nodes: a qualified name. */
export const stringsOf = (values: readonly unknown[]): string[] =>
  values
    .filter(isNode)
    .map((value) => textAt(nodeAt(value, 'String'), 'sval'))
    .filter((text) => text !== undefined)

export function rangePath(range: Node): Path {
  return [textAt(range, 'catalogname'), textAt(range, 'schemaname'), textAt(range, 'relname')].filter(
    (part) => part !== undefined,
  )
}

export const tableOf = (range: Node, access: 'read' | 'write'): Source & { kind: 'table' } => {
  const alias = textAt(nodeAt(range, 'alias'), 'aliasname')
  return { kind: 'table', path: rangePath(range), isWritten: access === 'write', ...(alias !== undefined && { alias }) }
}

function columnRef(node: Node): Ref {
  const fields = nodesAt(node, 'fields')
  const path = stringsOf(fields)
  return fields.some((field) => 'A_Star' in field) ? { kind: 'star', path } : { kind: 'column', path }
}

/** All that an expression names, in any order; queries in it see the sources around them. */
export function refsOf(value: unknown): Ref[] {
  if (Array.isArray(value)) return value.flatMap(refsOf)
  if (!isNode(value)) return []
  return Object.entries(value).flatMap(([tag, inner]) => {
    if (!isNode(inner)) return Array.isArray(inner) ? inner.flatMap(refsOf) : []
    if (tag === 'ColumnRef') return [columnRef(inner)]
    if (tag === 'SelectStmt') return [{ kind: 'query', body: queryBody(inner), isDetached: false }]
    if (tag === 'FuncCall') return [...calledOutside(inner), ...refsOf(inner)]
    return tag === 'alias' || tag === 'typeName' ? [] : refsOf(inner)
  })
}

/** Only functions that reach outside are worth naming in an expression; the resolver knows which. */
function calledOutside(call: Node): Ref[] {
  const name = stringsOf(listAt(call, 'funcname')).join('.').toLowerCase()
  return name === '' ? [] : [{ kind: 'function', name }]
}

function sortRefs(values: readonly unknown[]): Ref[] {
  return values.flatMap((value): Ref[] => {
    const sorted = isNode(value) ? (nodeAt(nodeAt(value, 'SortBy'), 'node') ?? value) : undefined
    const path = stringsOf(listAt(nodeAt(sorted, 'ColumnRef'), 'fields'))
    const [name] = path
    return path.length === 1 && name !== undefined ? [{ kind: 'sorted', name }] : refsOf(value)
  })
}

export function withOf(statement: Node): Pick<Body, 'ctes' | 'isRecursive'> {
  const clause = nodeAt(statement, 'withClause')
  const ctes = nodesAt(clause, 'ctes').flatMap((value): Cte[] => {
    const cte = nodeAt(value, 'CommonTableExpr')
    const query = nodeAt(cte, 'ctequery')
    const name = textAt(cte, 'ctename')
    if (query === undefined || name === undefined) return []
    const columns = stringsOf(listAt(cte, 'aliascolnames'))
    return [{ name, body: statementBody(query), ...(columns.length > 0 && { columns }) }]
  })
  return { ctes, isRecursive: clause?.recursive === true }
}

/** Whatever can stand in a common table expression or behind INSERT. */
export function statementBody(statement: Node): Body {
  const [tag, inner] = tagged(statement) ?? []
  if (inner === undefined || tag === undefined) return emptyBody
  return tag === 'SelectStmt' ? queryBody(inner) : (changeBody(tag, inner) ?? emptyBody)
}

interface From {
  sources: Source[]
  refs: Ref[]
}

export function fromOf(values: readonly unknown[]): From {
  const parts = values.filter(isNode).map(sourceOf)
  return { sources: parts.flatMap((part) => part.sources), refs: parts.flatMap((part) => part.refs) }
}

const aliasOf = (inner: Node) => {
  const alias = nodeAt(inner, 'alias')
  const name = textAt(alias, 'aliasname')
  const columns = stringsOf(listAt(alias, 'colnames'))
  return { ...(name !== undefined && { alias: name }), ...(columns.length > 0 && { columns }) }
}

function sourceOf(value: Node): From {
  const [tag, inner] = tagged(value) ?? []
  if (inner === undefined) return { sources: [], refs: [] }
  if (tag === 'RangeVar') return { sources: [tableOf(inner, 'read')], refs: [] }
  if (tag === 'RangeTableSample') return fromOf([inner.relation])
  if (tag === 'JoinExpr') return joinOf(inner)
  if (tag === 'RangeSubselect') {
    const query = nodeAt(inner, 'subquery')
    const body = query === undefined ? emptyBody : statementBody(query)
    return { sources: [{ kind: 'query', body, isLateral: inner.lateral === true, ...aliasOf(inner) }], refs: [] }
  }
  return { sources: functionSources(tag ?? '', inner), refs: [] }
}

function joinOf(join: Node): From {
  const left = fromOf([join.larg])
  const right = fromOf([join.rarg])
  const shared = stringsOf(listAt(join, 'usingClause')).map(
    (name): Ref => ({ kind: 'shared', name, sides: [left.sources, right.sources] }),
  )
  return {
    sources: [...left.sources, ...right.sources],
    refs: [...left.refs, ...right.refs, ...shared, ...refsOf(join.quals)],
  }
}

const tableFunctions: Readonly<Record<string, string>> = { RangeTableFunc: 'xmltable', JsonTable: 'json_table' }

function functionSources(tag: string, inner: Node): Source[] {
  const named = tableFunctions[tag]
  const defined = nodesAt(inner, 'coldeflist').flatMap((column) => textAt(nodeAt(column, 'ColumnDef'), 'colname') ?? [])
  const alias = { ...(defined.length > 0 && { columns: defined }), ...aliasOf(inner) }
  if (named !== undefined) return [{ kind: 'function', name: named, refs: refsOf(inner), ...alias }]
  // RangeFunction: ROWS FROM (…) holds several, each a list of the call and its column definitions.
  return nodesAt(inner, 'functions').flatMap((entry): Source[] => {
    const [call] = nodesAt(nodeAt(entry, 'List'), 'items')
    const name = stringsOf(listAt(nodeAt(call, 'FuncCall'), 'funcname'))
    const shown = name.join('.').toLowerCase()
    return [{ kind: 'function', name: shown === '' ? 'function' : shown, refs: refsOf(call), ...alias }]
  })
}

/** Names of the output columns; undefined as soon as one is not certain. */
function outputsOf(select: Node): Pick<Body, 'outputs' | 'labels'> {
  const names = nodesAt(select, 'targetList').map((value) => {
    const target = nodeAt(value, 'ResTarget')
    const column = nodeAt(nodeAt(target, 'val'), 'ColumnRef')
    const fields = nodesAt(column, 'fields')
    if (fields.some((field) => 'A_Star' in field)) return undefined
    return textAt(target, 'name') ?? stringsOf(fields).at(-1)
  })
  const known = names.filter((name) => name !== undefined)
  return { labels: known, ...(known.length === names.length && known.length > 0 && { outputs: known }) }
}

/** Whether a node is a constant, such as TRUE or 1 = 1, which filters nothing. */
function isConstant(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isConstant)
  if (!isNode(value)) return true
  return Object.entries(value).every(
    ([tag, inner]) =>
      !['ColumnRef', 'SubLink', 'FuncCall', 'CurrentOfExpr', 'ParamRef'].includes(tag) && isConstant(inner),
  )
}

export const isFiltered = (statement: Node) =>
  nodeAt(statement, 'whereClause') !== undefined && !isConstant(statement.whereClause)

/** LIMIT ALL and LIMIT NULL arrive as a null constant. */
const isLimited = (select: Node) => {
  const count = nodeAt(select, 'limitCount')
  return count !== undefined && nodeAt(count, 'A_Const')?.isnull !== true
}

const operations: Readonly<Record<string, 'union' | 'intersect' | 'except'>> = {
  SETOP_UNION: 'union',
  SETOP_INTERSECT: 'intersect',
  SETOP_EXCEPT: 'except',
}

export function queryBody(select: Node): Body {
  const from = fromOf(listAt(select, 'fromClause'))
  const left = nodeAt(select, 'larg')
  const right = nodeAt(select, 'rarg')
  const operation = operations[textAt(select, 'op') ?? '']
  const arms = operation && left && right ? { operation, left: queryBody(left), right: queryBody(right) } : undefined
  const outputs = arms === undefined ? outputsOf(select) : arms.left
  return {
    ...withOf(select),
    ...(arms !== undefined && { arms }),
    labels: outputs.labels,
    ...(outputs.outputs !== undefined && { outputs: outputs.outputs }),
    from: from.sources,
    refs: [
      ...from.refs,
      ...[
        'distinctClause',
        'targetList',
        'whereClause',
        'havingClause',
        'windowClause',
        'valuesLists',
        'limitCount',
        'limitOffset',
      ].flatMap((key) => refsOf(select[key])),
      ...sortRefs(listAt(select, 'groupClause')),
      ...sortRefs(listAt(select, 'sortClause')),
    ],
    isFiltered: isFiltered(select),
    isLimited: isLimited(select),
  }
}
