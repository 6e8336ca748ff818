import { type Body, type Draft, emptyBody, emptyDraft, type Path } from '../draft.ts'
import { listAt, type Node, nodeAt, nodesAt, present, textAt } from '../tree.ts'
import { rangePath, refsOf, statementBody, stringsOf, tableOf } from './query.ts'

/** Statements about objects: what they define, alter, drop, and whom they allow. */
type Reader = (statement: Node, verb: string) => Draft | undefined
type Columns = Draft['columns']

const written = (path: Path) => ({ path, isWritten: true })
const read = (path: Path) => ({ path, isWritten: false })
const relation = (statement: Node): Path => rangePath(nodeAt(statement, 'relation') ?? {})
const columnsOf = (path: Path, names: readonly string[]): Columns => names.map((name) => ({ path, name }))

/** Expressions of a definition see one table, and are not run by it. */
const seeing = (range: Node, values: readonly unknown[]): Body => ({
  ...emptyBody,
  from: [tableOf(range, 'write')],
  refs: values.flatMap(refsOf),
})

export const definitionDraft: (tag: string, statement: Node, verb: string) => Draft | undefined = (
  tag,
  statement,
  verb,
) => readers[tag]?.(statement, verb)

const readers: Readonly<Record<string, Reader>> = {
  CreateStmt: createTable,
  CreateForeignTableStmt: (statement, verb) =>
    createTable(nodeAt(statement, 'base') ?? nodeAt(statement, 'baseStmt') ?? {}, verb),
  ViewStmt: createView,
  IndexStmt: createIndex,
  AlterTableStmt: alterTable,
  RenameStmt: renameObject,
  DropStmt: dropObjects,
  TruncateStmt: (statement) => ({
    ...emptyDraft,
    verb: 'truncate',
    effect: 'destructive',
    tables: nodesAt(statement, 'relations').map((range) => written(rangePath(nodeAt(range, 'RangeVar') ?? {}))),
    bound: 'unbounded',
  }),
  GrantStmt: grantObjects,
  CommentStmt: comment,
  CreateTrigStmt: createTrigger,
  CreatePolicyStmt: (statement) => onTable(statement, 'table', [statement.qual, statement.with_check]),
  RuleStmt: (statement) => ({ ...onTable(statement, 'relation', []), unseen: ['code'] }),
  CreateFunctionStmt: (_statement, verb) => ({ ...emptyDraft, verb, effect: 'write', unseen: ['code'] }),
}

const onTable = (statement: Node, key: string, values: readonly unknown[]): Draft => ({
  ...emptyDraft,
  verb: 'create',
  effect: 'write',
  bodies: [seeing(nodeAt(statement, key) ?? {}, values)],
  isRun: false,
  bound: 'none',
})

/** Columns, the table a partition belongs to, and what foreign keys point at. */
function createTable(statement: Node, verb: string): Draft {
  const range = nodeAt(statement, 'relation') ?? {}
  const path = rangePath(range)
  const elements = nodesAt(statement, 'tableElts')
  const names = elements.flatMap((element) => textAt(nodeAt(element, 'ColumnDef'), 'colname') ?? [])
  const parents = nodesAt(statement, 'inhRelations').map((parent) => rangePath(nodeAt(parent, 'RangeVar') ?? {}))
  const isPartition = nodeAt(statement, 'partbound') !== undefined
  const likes = elements.flatMap((element): Node[] => present(nodeAt(nodeAt(element, 'TableLikeClause'), 'relation')))
  const references = referencesOf(path, elements)
  return {
    ...emptyDraft,
    verb,
    effect: 'write',
    isRun: false,
    bodies: [seeing(range, elements)],
    tables: [
      ...parents.map((parent) => ({ path: parent, isWritten: isPartition })),
      ...likes.map((like) => read(rangePath(like))),
      ...references.tables,
    ],
    columns: [...columnsOf(path, names), ...references.columns],
    bound: 'none',
  }
}

/** Foreign keys anywhere in a definition: as constraint of a column or of the table. */
function referencesOf(path: Path, elements: readonly Node[]): Pick<Draft, 'tables' | 'columns'> {
  const constraints = elements.flatMap((element) => [
    ...(nodeAt(element, 'Constraint') === undefined ? [] : [nodeAt(element, 'Constraint')]),
    ...nodesAt(nodeAt(element, 'ColumnDef'), 'constraints').map((constraint) => nodeAt(constraint, 'Constraint')),
  ])
  const own = constraints.flatMap((c) =>
    columnsOf(path, [...stringsOf(listAt(c, 'fk_attrs')), ...stringsOf(listAt(c, 'keys'))]),
  )
  const foreign = constraints.flatMap((c) => {
    const table = nodeAt(c, 'pktable')
    return table === undefined ? [] : [{ path: rangePath(table), names: stringsOf(listAt(c, 'pk_attrs')) }]
  })
  return {
    tables: foreign.map(({ path: table }) => read(table)),
    columns: [...own, ...foreign.flatMap(({ path: table, names }) => columnsOf(table, names))],
  }
}

function createView(statement: Node): Draft {
  const query = nodeAt(statement, 'query')
  return {
    ...emptyDraft,
    verb: 'create',
    effect: 'write',
    isRun: false,
    tables: [written(rangePath(nodeAt(statement, 'view') ?? {}))],
    bodies: query === undefined ? [] : [statementBody(query)],
    bound: 'none',
  }
}

function createIndex(statement: Node): Draft {
  const elements = [...nodesAt(statement, 'indexParams'), ...nodesAt(statement, 'indexIncludingParams')]
  const names = elements.flatMap((element) => textAt(nodeAt(element, 'IndexElem'), 'name') ?? [])
  return {
    ...onTable(statement, 'relation', [elements, statement.whereClause]),
    columns: columnsOf(relation(statement), names),
  }
}

/** Actions whose `name` is that of a constraint, trigger or role, not of a column. */
const aboutColumns =
  /^AT_(Add|Drop|Alter|Set|Reset)?(Column|ColumnDefault|NotNull|Statistics|Options|Storage|Compression|ColumnType|Expression|Identity)/

function alterTable(statement: Node, verb: string): Draft {
  const range = nodeAt(statement, 'relation') ?? {}
  const path = rangePath(range)
  const actions = nodesAt(statement, 'cmds').flatMap((action): Node[] => present(nodeAt(action, 'AlterTableCmd')))
  const definitions = actions.flatMap((action): Node[] => present(nodeAt(action, 'def')))
  const names = actions.flatMap((action) => {
    const name = textAt(action, 'name')
    return name !== undefined && aboutColumns.test(textAt(action, 'subtype') ?? '') ? [name] : []
  })
  const added = definitions.flatMap((definition) => textAt(nodeAt(definition, 'ColumnDef'), 'colname') ?? [])
  const references = referencesOf(path, definitions)
  const partitions = definitions.flatMap((definition): Node[] =>
    present(nodeAt(nodeAt(definition, 'PartitionCmd'), 'name')),
  )
  return {
    ...emptyDraft,
    verb,
    effect: actions.some((action) => textAt(action, 'subtype') === 'AT_DropColumn') ? 'destructive' : 'write',
    isRun: false,
    bodies: [seeing(range, definitions)],
    tables: [...references.tables, ...partitions.map((partition) => written(rangePath(partition)))],
    columns: [...columnsOf(path, [...names, ...added]), ...references.columns],
    bound: 'none',
  }
}

function renameObject(statement: Node): Draft | undefined {
  if (nodeAt(statement, 'relation') === undefined) return undefined
  const path = relation(statement)
  const names = [textAt(statement, 'subname'), textAt(statement, 'newname')].filter((name) => name !== undefined)
  const isColumn = textAt(statement, 'renameType') === 'OBJECT_COLUMN'
  return {
    ...emptyDraft,
    verb: 'alter',
    effect: 'write',
    tables: [written(path)],
    columns: isColumn ? columnsOf(path, names) : [],
  }
}

const relations = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']

function dropObjects(statement: Node): Draft {
  const isRelation = relations.includes(textAt(statement, 'removeType') ?? '')
  const paths = nodesAt(statement, 'objects').map((object) => stringsOf(listAt(nodeAt(object, 'List'), 'items')))
  return { ...emptyDraft, verb: 'drop', effect: 'destructive', tables: isRelation ? paths.map(written) : [] }
}

function grantObjects(statement: Node, verb: string): Draft {
  const paths = nodesAt(statement, 'objects').flatMap((object) => {
    const range = nodeAt(object, 'RangeVar')
    return range === undefined ? [] : [rangePath(range)]
  })
  const names = nodesAt(statement, 'privileges').flatMap((privilege) =>
    stringsOf(listAt(nodeAt(privilege, 'AccessPriv'), 'cols')),
  )
  return {
    ...emptyDraft,
    verb,
    effect: 'write',
    tables: paths.map(written),
    columns: paths.flatMap((path) => columnsOf(path, names)),
  }
}

function comment(statement: Node, verb: string): Draft {
  const kind = textAt(statement, 'objtype') ?? ''
  const path = stringsOf(listAt(nodeAt(nodeAt(statement, 'object'), 'List'), 'items'))
  const table = kind === 'OBJECT_COLUMN' ? path.slice(0, -1) : relations.includes(kind) ? path : undefined
  const name = path.at(-1)
  return {
    ...emptyDraft,
    verb,
    effect: 'write',
    tables: table === undefined ? [] : [written(table)],
    columns: kind === 'OBJECT_COLUMN' && table !== undefined && name !== undefined ? columnsOf(table, [name]) : [],
  }
}

function createTrigger(statement: Node): Draft {
  const columns = columnsOf(relation(statement), stringsOf(listAt(statement, 'columns')))
  return { ...onTable(statement, 'relation', [statement.whenClause]), columns, unseen: ['routine'] }
}
