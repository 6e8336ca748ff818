import { type Body, emptyBody, keyOf, type Ref, type Source } from '../draft.ts'
import type { SqlDialect } from '../reading.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, tagged, textAt } from '../tree.ts'
import { nameOf, namesOf, tableKey, tablePath } from './fold.ts'
import { queries, queryBody, refsOf } from './query.ts'

/** What stands behind FROM: tables, queries, functions, joins of them. */
export interface From {
  sources: Source[]
  refs: Ref[]
}

/** `t, t.items`: an array of a table before it, not a table of its own (BigQuery). */
function asArray(dialect: SqlDialect, source: Source, before: readonly Source[]): Source {
  if (dialect !== 'bigquery' || source.kind !== 'table' || source.path.length < 2) return source
  const [head = ''] = keyOf(source)
  const isNamed = before.some(
    (other) => (other.kind === 'table' ? (other.alias ?? keyOf(other).at(-1)) : other.alias) === head,
  )
  if (!isNamed) return source
  const alias = source.alias ?? keyOf(source).at(-1) ?? head
  return { kind: 'function', name: 'unnest', alias, refs: [{ kind: 'column', path: keyOf(source) }] }
}

/** FROM and the joins behind it; each join's USING names a column of both of its sides. */
export function fromOf(dialect: SqlDialect, firsts: readonly unknown[], joins: readonly unknown[]): From {
  const left: From = { sources: [], refs: [] }
  const add = (part: From) => {
    left.refs.push(...part.refs)
    for (const source of part.sources) left.sources.push(asArray(dialect, source, left.sources))
  }
  for (const value of firsts.filter(isNode)) add(sourceOf(dialect, value))
  for (const join of joins.filter(isNode)) {
    const right = sourceOf(dialect, nodeAt(join, 'this') ?? {})
    const sides = [[...left.sources], right.sources]
    const shared = namesOf(dialect, join.using).map((name): Ref => ({ kind: 'shared', name, sides }))
    add(right)
    left.refs.push(...shared, ...refsOf(dialect, join.on), ...refsOf(dialect, join.match_condition))
  }
  return left
}

const none: From = { sources: [], refs: [] }

export function sourceOf(dialect: SqlDialect, value: Node, outer: { alias?: string; columns?: string[] } = {}): From {
  const [tag = '', inner] = tagged(value) ?? []
  if (inner === undefined) return none
  const alias =
    nameOf(dialect, inner.alias) ??
    (typeof inner.alias === 'string' ? nameOf(dialect, { name: inner.alias }) : undefined)
  const columns = namesOf(dialect, inner.column_aliases)
  const named = { ...outer, ...(alias !== undefined && { alias }), ...(columns.length > 0 && { columns }) }
  if (tag === 'alias') {
    const listed = namesOf(dialect, inner.column_aliases)
    return sourceOf(dialect, nodeAt(inner, 'this') ?? {}, { ...named, ...(listed.length > 0 && { columns: listed }) })
  }
  if (tag === 'table') return { sources: tableSources(dialect, inner, named), refs: [] }
  if (tag === 'joined_table') return fromOf(dialect, [inner.left], listAt(inner, 'joins'))
  if (tag === 'paren') return sourceOf(dialect, nodeAt(inner, 'this') ?? {}, named)
  if (tag === 'subquery') return subquerySource(dialect, inner, named)
  if (queries.has(tag))
    return { sources: [{ kind: 'query', body: queryBody(dialect, value), isLateral: false, ...named }], refs: [] }
  if (tag === 'values') {
    const body: Body = { ...emptyBody, refs: refsOf(dialect, inner.expressions) }
    return { sources: [{ kind: 'query', body, isLateral: false, ...named }], refs: [] }
  }
  if (tag === 'pivot' || tag === 'unpivot') return pivotSource(dialect, inner, named)
  if (tag === 'lateral') return sourceOf(dialect, nodeAt(inner, 'this') ?? {}, named)
  return { sources: [functionSource(dialect, { tag, inner, named })], refs: [] }
}

type Named = { alias?: string; columns?: string[] }

function tableSources(dialect: SqlDialect, table: Node, named: Named): Source[] {
  const path = tablePath(dialect, table)
  // DUAL is no table in the dialects that have it.
  if (path.length === 1 && path[0]?.toUpperCase() === 'DUAL' && /mysql|mariadb|snowflake/.test(dialect)) return []
  const alias = named.alias === undefined ? {} : { alias: named.alias }
  return [{ kind: 'table', path, key: tableKey(dialect, path), isWritten: false, ...alias }]
}

/** Parentheses around a query or around joins. */
function subquerySource(dialect: SqlDialect, inner: Node, named: Named): From {
  const content = nodeAt(inner, 'this') ?? {}
  const [tag = ''] = tagged(content) ?? []
  if (!queries.has(tag) && tag !== 'values' && tag !== 'subquery') return sourceOf(dialect, content, named)
  const body = queryBody(dialect, { subquery: inner })
  return { sources: [{ kind: 'query', body, isLateral: inner.lateral === true, ...named }], refs: [] }
}

function pivotSource(dialect: SqlDialect, inner: Node, named: Named): From {
  const below = sourceOf(dialect, nodeAt(inner, 'this') ?? {})
  const { this: _source, alias: _alias, ...rest } = inner
  const body: Body = { ...emptyBody, from: below.sources, refs: [...below.refs, ...refsOf(dialect, { pivoted: rest })] }
  return { sources: [{ kind: 'query', body, isLateral: false, ...named }], refs: [] }
}

const readable: Readonly<Record<string, string>> = {
  j_s_o_n_table: 'json_table',
  open_j_s_o_n: 'openjson',
  x_m_l_table: 'xmltable',
  stage_reference: 'stage',
}

function functionSource(dialect: SqlDialect, call: { tag: string; inner: Node; named: Named }): Source {
  const { tag, inner, named } = call
  const own = tag === 'function' ? (textAt(inner, 'name')?.toLowerCase() ?? tag) : (readable[tag] ?? tag)
  const [argument] = nodesAt(inner, 'args')
  // TABLE(f(…)) is f.
  const wrapped = own === 'table' ? textAt(nodeAt(argument, 'function'), 'name')?.toLowerCase() : undefined
  return { kind: 'function', name: wrapped ?? own, refs: refsOf(dialect, { call: inner }), ...named }
}
