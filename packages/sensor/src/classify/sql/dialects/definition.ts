import { type Draft, emptyBody, emptyDraft, type Path } from '../draft.ts'
import type { SqlDialect } from '../reading.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, present, tagged } from '../tree.ts'
import { nameOf, tablePath } from './fold.ts'
import { refsOf, statementBody } from './query.ts'

/** CREATE TABLE, VIEW and INDEX, ALTER TABLE → drafts. */
export function definitionDraft(dialect: SqlDialect, tag: string, statement: Node): Draft | undefined {
  if (tag === 'create_table') return createTable(dialect, statement)
  if (tag === 'create_view') return createView(dialect, statement)
  if (tag === 'create_index') return createIndex(dialect, statement)
  return tag === 'alter_table' ? alterTable(dialect, statement) : undefined
}

const columnsOf = (path: Path, names: readonly string[]): Draft['columns'] => names.map((name) => ({ path, name }))
const written = (path: Path) => ({ path, isWritten: true })
const read = (path: Path) => ({ path, isWritten: false })

const namesOf = (dialect: SqlDialect, values: readonly unknown[]): string[] =>
  values.flatMap((value) => nameOf(dialect, isNode(value) && 'column' in value ? value.column : value) ?? [])

/** What a definition says of one table, with the tables that foreign keys point at. */
function constraintsOf(dialect: SqlDialect, path: Path, values: readonly unknown[]): Pick<Draft, 'tables' | 'columns'> {
  const tables: { path: Path; isWritten: boolean }[] = []
  const columns: { path: Path; name: string }[] = []
  for (const value of values.filter(isNode)) {
    const [tag, inner] = tagged(value) ?? []
    if (inner === undefined) continue
    columns.push(...columnsOf(path, namesOf(dialect, listAt(inner, 'columns'))))
    const reference = tag === 'References' ? inner : nodeAt(inner, 'references')
    const table = nodeAt(reference, 'table')
    if (table === undefined) continue
    const foreign = tablePath(dialect, table)
    tables.push(read(foreign))
    columns.push(...columnsOf(foreign, namesOf(dialect, listAt(reference, 'columns'))))
    // A column's own REFERENCES lists the other table's columns only.
    if (tag === 'References')
      columns.splice(0, columns.length, ...columnsOf(foreign, namesOf(dialect, listAt(reference, 'columns'))))
  }
  return { tables, columns }
}

function createTable(dialect: SqlDialect, statement: Node): Draft {
  const path = tablePath(dialect, nodeAt(statement, 'name') ?? {})
  const definitions = nodesAt(statement, 'columns')
  const own = constraintsOf(dialect, path, listAt(statement, 'constraints'))
  const inline = definitions.map((column) => constraintsOf(dialect, path, listAt(column, 'constraints')))
  const likes = nodesAt(statement, 'constraints').flatMap((constraint) =>
    present(nodeAt(nodeAt(constraint, 'Like'), 'source')),
  )
  const clones = present(nodeAt(statement, 'clone_source'))
  const query = nodeAt(statement, 'as_select')
  return {
    ...emptyDraft,
    verb: 'create',
    effect: statement.or_replace === true ? 'destructive' : 'write',
    bodies: query === undefined ? [] : [statementBody(dialect, query)],
    tables: [
      written(path),
      ...[...likes, ...clones].map((table) => read(tablePath(dialect, table))),
      ...own.tables,
      ...inline.flatMap((part) => part.tables),
    ],
    columns: [
      ...columnsOf(
        path,
        definitions.flatMap((column) => nameOf(dialect, column.name) ?? []),
      ),
      ...own.columns,
      ...inline.flatMap((part) => part.columns),
    ],
    ...(query === undefined && { bound: 'none' }),
  }
}

function createView(dialect: SqlDialect, statement: Node): Draft {
  const query = nodeAt(statement, 'query')
  const isMaterialized = statement.materialized === true
  return {
    ...emptyDraft,
    verb: 'create',
    effect: 'write',
    isRun: isMaterialized,
    bodies: query === undefined ? [] : [statementBody(dialect, query)],
    tables: [written(tablePath(dialect, nodeAt(statement, 'name') ?? {}))],
    ...(!isMaterialized && { bound: 'none' }),
  }
}

function createIndex(dialect: SqlDialect, statement: Node): Draft {
  // With prefix lengths (MySQL) the parts of the key are expressions.
  const keyed = nodesAt(statement, 'key_parts').map((part) => part.expression)
  const path = tablePath(dialect, nodeAt(statement, 'table') ?? {})
  const columns = columnsOf(
    path,
    namesOf(dialect, [...listAt(statement, 'columns'), ...keyed, ...listAt(statement, 'include_columns')]),
  )
  const body = {
    ...emptyBody,
    from: [{ kind: 'table', path, isWritten: true } as const],
    refs: refsOf(dialect, { where: statement.where_clause }),
  }
  return { ...emptyDraft, verb: 'create', effect: 'write', isRun: false, bodies: [body], columns, bound: 'none' }
}

const aboutColumns = new Set(['AddColumn', 'DropColumn', 'RenameColumn', 'AlterColumn', 'ModifyColumn', 'ChangeColumn'])

function alterTable(dialect: SqlDialect, statement: Node): Draft {
  const path = tablePath(dialect, nodeAt(statement, 'name') ?? {})
  const actions = nodesAt(statement, 'actions').flatMap((action) =>
    [tagged(action) ?? []].filter((pair) => pair.length > 0),
  )
  const names = actions.flatMap(([tag = '', inner]) =>
    aboutColumns.has(tag)
      ? namesOf(dialect, [inner?.name, inner?.old_name, inner?.new_name, nodeAt(inner, 'column')?.name])
      : [],
  )
  const references = constraintsOf(
    dialect,
    path,
    actions.flatMap(([, inner]) => [inner, ...listAt(inner, 'constraints')]),
  )
  const losing = actions.some(
    ([tag]) => tag === 'DropColumn' || tag === 'DropPartition' || tag === 'DropColumns' || tag === 'TruncatePartition',
  )
  return {
    ...emptyDraft,
    verb: 'alter',
    effect: losing ? 'destructive' : 'write',
    tables: [written(path), ...references.tables],
    columns: [...columnsOf(path, names), ...references.columns],
  }
}
