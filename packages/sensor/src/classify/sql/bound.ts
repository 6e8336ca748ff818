import { type Body, keyOf, type Source } from './draft.ts'
import type { SqlBound } from './reading.ts'

type Bounds = ReadonlyMap<string, SqlBound>

const asRows = (bound: SqlBound): SqlBound => (bound === 'none' ? 'bounded' : bound)

/** The weaker of several: one unbounded part makes the whole so. */
function weakest(bounds: readonly SqlBound[]): SqlBound {
  if (bounds.includes('unbounded')) return 'unbounded'
  return bounds.includes('unknown') ? 'unknown' : 'bounded'
}

function sourceBound(source: Source, known: Bounds): SqlBound {
  if (source.kind === 'query') return asRows(boundOf(source.body, known))
  if (source.kind !== 'table') return source.kind === 'pseudo' ? 'bounded' : 'unbounded'
  const [name] = keyOf(source)
  return source.path.length === 1 && name !== undefined ? (known.get(name) ?? 'unbounded') : 'unbounded'
}

function armsBound(body: Body, known: Bounds): SqlBound {
  if (body.arms === undefined) return 'none'
  const left = asRows(boundOf(body.arms.left, known))
  if (body.arms.operation === 'except') return left
  const right = asRows(boundOf(body.arms.right, known))
  if (body.arms.operation === 'union') return weakest([left, right])
  return left === 'bounded' ? left : right
}

function rowsBound(body: Body, known: Bounds): SqlBound {
  if (body.change?.kind === 'insert')
    return body.change.rows === undefined ? 'bounded' : asRows(boundOf(body.change.rows, known))
  if (body.isLimited || body.isFiltered) return 'bounded'
  if (body.change?.kind === 'merge') return weakest(body.from.slice(1).map((source) => sourceBound(source, known)))
  if (body.arms !== undefined) return armsBound(body, known)
  if (body.from.length === 0) return 'none'
  return weakest(body.from.map((source) => sourceBound(source, known)))
}

/**
 * A query is bounded by a row limit, by a WHERE that is no constant, or by reading nothing but bounded queries; a change
 * by the same on its own level, an INSERT by the rows it takes. A change inside a common table expression counts too.
 */
export function boundOf(body: Body, outer: Bounds = new Map()): SqlBound {
  if (body.ctes.length === 0) return rowsBound(body, outer)
  const known = new Map(outer)
  const changes: SqlBound[] = []
  // A common table expression that reads itself is as bounded as the rest of it.
  if (body.isRecursive) for (const { name } of body.ctes) known.set(name, 'bounded')
  for (const { name, body: inner } of body.ctes) {
    const bound = asRows(boundOf(inner, known))
    known.set(name, bound)
    if (inner.change !== undefined) changes.push(bound)
  }
  const own = rowsBound(body, known)
  return changes.length === 0 ? own : weakest([own, ...changes])
}
