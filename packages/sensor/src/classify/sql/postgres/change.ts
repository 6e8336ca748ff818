import { type Body, emptyBody, type Path, type Ref, type Source } from '../draft.ts'
import { gravest } from '../effect.ts'
import { listAt, type Node, nodeAt, nodesAt, present, textAt } from '../tree.ts'
import { fromOf, isFiltered, queryBody, rangePath, refsOf, tableOf, withOf } from './query.ts'

/** INSERT, UPDATE, DELETE, MERGE → bodies. */
export function changeBody(tag: string, statement: Node): Body | undefined {
  if (tag === 'InsertStmt') return insertBody(statement)
  if (tag === 'UpdateStmt' || tag === 'DeleteStmt') return rowsBody(tag, statement)
  return tag === 'MergeStmt' ? mergeBody(statement) : undefined
}

/** Columns that an assignment or a column list names; they are the target's, whatever else is in sight. */
function assigned(target: Path, values: readonly Node[]): Ref[] {
  return values.flatMap((value): Ref[] => {
    const entry = nodeAt(value, 'ResTarget')
    const name = textAt(entry, 'name')
    const own: Ref[] = name === undefined ? [] : [ownColumn(target, name)]
    return [...own, ...refsOf(entry?.val), ...refsOf(entry?.indirection)]
  })
}

const ownColumn = (path: Path, name: string): Ref => ({ kind: 'owned', path, name })

const returningOf = (statement: Node): Ref[] =>
  refsOf(nodeAt(statement, 'returningClause')?.exprs ?? statement.returningList)

/** RETURNING may speak of old and new rows (PostgreSQL 18). */
const pseudoRows = (path: Path, ...names: string[]): Source[] => names.map((alias) => ({ kind: 'pseudo', alias, path }))

function insertBody(statement: Node): Body {
  const range = nodeAt(statement, 'relation') ?? {}
  const path = rangePath(range)
  const columns = nodesAt(statement, 'cols')
  const select = nodeAt(nodeAt(statement, 'selectStmt'), 'SelectStmt')
  const isValues = select === undefined || listAt(select, 'valuesLists').length > 0
  const rows = select === undefined ? undefined : queryBody(select)
  const conflict = nodeAt(statement, 'onConflictClause')
  return {
    ...emptyBody,
    ...withOf(statement),
    from: [tableOf(range, 'write'), ...pseudoRows(path, 'excluded', 'old', 'new')],
    refs: [
      ...(columns.length > 0 || select === undefined
        ? assigned(path, columns)
        : [{ kind: 'star', path: [] } satisfies Ref]),
      ...(isValues && rows !== undefined ? [{ kind: 'query', body: rows, isDetached: true } satisfies Ref] : []),
      ...indexRefs(path, nodeAt(conflict, 'infer')),
      ...assigned(path, nodesAt(conflict, 'targetList')),
      ...refsOf(conflict?.whereClause),
      ...returningOf(statement),
    ],
    change: { kind: 'insert', effect: 'write', ...(!isValues && rows !== undefined && { rows }) },
  }
}

function indexRefs(target: Path, infer: Node | undefined): Ref[] {
  const names = nodesAt(infer, 'indexElems').flatMap((element): Ref[] => {
    const name = textAt(nodeAt(element, 'IndexElem'), 'name')
    return name === undefined ? refsOf(element) : [ownColumn(target, name)]
  })
  return [...names, ...refsOf(infer?.whereClause)]
}

function rowsBody(tag: 'UpdateStmt' | 'DeleteStmt', statement: Node): Body {
  const range = nodeAt(statement, 'relation') ?? {}
  const path = rangePath(range)
  const from = fromOf([...listAt(statement, 'fromClause'), ...listAt(statement, 'usingClause')])
  return {
    ...emptyBody,
    ...withOf(statement),
    from: [tableOf(range, 'write'), ...from.sources, ...pseudoRows(path, 'old', 'new')],
    refs: [
      ...from.refs,
      ...assigned(path, nodesAt(statement, 'targetList')),
      ...refsOf(statement.whereClause),
      ...returningOf(statement),
    ],
    isFiltered: isFiltered(statement),
    change: { kind: 'rows', effect: tag === 'DeleteStmt' ? 'destructive' : 'write' },
  }
}

function mergeBody(statement: Node): Body {
  const range = nodeAt(statement, 'relation') ?? {}
  const path = rangePath(range)
  const from = fromOf([statement.sourceRelation])
  const clauses = nodesAt(statement, 'mergeWhenClauses').flatMap((clause): Node[] =>
    present(nodeAt(clause, 'MergeWhenClause')),
  )
  const inserts = clauses.filter((clause) => textAt(clause, 'commandType') === 'CMD_INSERT')
  const isOpen = inserts.some((clause) => listAt(clause, 'targetList').length === 0)
  return {
    ...emptyBody,
    ...withOf(statement),
    from: [tableOf(range, 'write'), ...from.sources, ...pseudoRows(path, 'old', 'new')],
    refs: [
      ...from.refs,
      ...refsOf(statement.joinCondition),
      ...clauses.flatMap((clause) => [
        ...assigned(path, nodesAt(clause, 'targetList')),
        ...refsOf(clause.condition),
        ...refsOf(clause.values),
      ]),
      ...(isOpen ? [allColumns(path)] : []),
      ...returningOf(statement),
    ],
    change: {
      kind: 'merge',
      effect: gravest(clauses.map((c) => (textAt(c, 'commandType') === 'CMD_DELETE' ? 'destructive' : 'write'))),
    },
  }
}

const allColumns = (path: Path): Ref => ownColumn(path, '*')
