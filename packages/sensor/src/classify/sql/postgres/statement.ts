import { type Body, type Draft, emptyBody, emptyDraft, type Path, type Ref, type Source } from '../draft.ts'
import { effectOfVerb } from '../effect.ts'
import type { SqlEffect } from '../reading.ts'
import { isNode, listAt, type Node, nodeAt, nodesAt, present, textAt } from '../tree.ts'
import { definitionDraft } from './definition.ts'
import { queryBody, rangePath, refsOf, statementBody, stringsOf, tableOf } from './query.ts'

/** One statement of PostgreSQL's parse tree → draft. `verb` is the statement's first keyword. */
export function draftStatement(tag: string, statement: Node, verb: string): Draft {
  const draft = readers[tag]?.(statement, verb) ?? definitionDraft(tag, statement, verb)
  return draft ?? { ...emptyDraft, verb, effect: effectOfVerb(verb), tables: rangesIn(statement, verb) }
}

const runs = (verb: string, effect: SqlEffect, body: Body): Draft => ({ ...emptyDraft, verb, effect, bodies: [body] })

/** Every table that a statement without a reader of its own names, such as those of LOCK and VACUUM. */
function rangesIn(value: unknown, verb: string): Draft['tables'] {
  const isWritten = effectOfVerb(verb) !== 'read'
  const found: { path: Path; isWritten: boolean }[] = []
  const visit = (inner: unknown): void => {
    if (isNode(inner) && textAt(inner, 'relname') !== undefined) found.push({ path: rangePath(inner), isWritten })
    if (isNode(inner)) for (const part of Object.values(inner)) visit(part)
    if (Array.isArray(inner)) for (const part of inner) visit(part)
  }
  visit(value)
  return found
}

type Reader = (statement: Node, verb: string) => Draft

const readers: Readonly<Record<string, Reader>> = {
  SelectStmt: (statement, verb) => {
    const into = nodeAt(nodeAt(statement, 'intoClause'), 'rel')
    const draft = runs(verb === 'with' ? 'select' : verb, into === undefined ? 'read' : 'write', queryBody(statement))
    return into === undefined ? draft : { ...draft, tables: [{ path: rangePath(into), isWritten: true }] }
  },
  InsertStmt: (statement) => runs('insert', 'write', statementBody({ InsertStmt: statement })),
  UpdateStmt: (statement) => runs('update', 'write', statementBody({ UpdateStmt: statement })),
  DeleteStmt: (statement) => runs('delete', 'destructive', statementBody({ DeleteStmt: statement })),
  MergeStmt: (statement) => runs('merge', 'write', statementBody({ MergeStmt: statement })),
  CopyStmt: copyDraft,
  ExplainStmt: explainDraft,
  PrepareStmt: (statement) => ({ ...innerDraft(nodeAt(statement, 'query')), verb: 'prepare' }),
  DeclareCursorStmt: (statement) => ({ ...innerDraft(nodeAt(statement, 'query')), verb: 'declare' }),
  ExecuteStmt: () => ({ ...emptyDraft, verb: 'execute', effect: 'unknown', unseen: ['routine'] }),
  DoStmt: () => ({ ...emptyDraft, verb: 'do', effect: 'unknown', unseen: ['code'] }),
  CallStmt: callDraft,
  CreateTableAsStmt: createAsDraft,
  TransactionStmt: (_statement, verb) => ({
    ...emptyDraft,
    verb: verb === 'start' ? 'begin' : verb === 'end' ? 'commit' : verb === 'abort' ? 'rollback' : verb,
    effect: 'read',
  }),
}

function innerDraft(wrapped: Node | undefined): Draft {
  const tag = Object.keys(wrapped ?? {})[0] ?? ''
  return draftStatement(tag, nodeAt(wrapped, tag) ?? {}, innerVerbs[tag] ?? 'create')
}

const innerVerbs: Readonly<Record<string, string>> = {
  SelectStmt: 'select',
  ExecuteStmt: 'execute',
  DeclareCursorStmt: 'declare',
}

/** EXPLAIN ANALYZE executes what it explains; `ANALYZE off` does not. */
function explainDraft(statement: Node): Draft {
  const options = nodesAt(statement, 'options').flatMap((option): Node[] => present(nodeAt(option, 'DefElem')))
  const isRun = options.some((option) => {
    const setting = nodeAt(option, 'arg')
    const value =
      textAt(nodeAt(setting, 'String'), 'sval') ??
      nodeAt(setting, 'Integer')?.ival ??
      nodeAt(setting, 'Boolean')?.boolval
    const isOff =
      setting !== undefined &&
      ['off', 'false', '0', undefined, 0, false].includes(
        typeof value === 'string' ? value.toLowerCase() : toPlain(value),
      )
    return textAt(option, 'defname') === 'analyze' && !isOff
  })
  const inner = innerDraft(nodeAt(statement, 'query'))
  return isRun ? { ...inner, verb: 'explain' } : { ...inner, verb: 'explain', effect: 'read', isRun: false, unseen: [] }
}

const toPlain = (value: unknown) => (typeof value === 'number' || typeof value === 'boolean' ? value : undefined)

function callDraft(statement: Node): Draft {
  const call = nodeAt(statement, 'funccall')
  const name = stringsOf(listAt(call, 'funcname')).join('.').toLowerCase()
  const body: Body = { ...emptyBody, refs: refsOf(call?.args) }
  return { ...runs('call', 'unknown', body), functions: [name], unseen: ['routine'], bound: 'none' }
}

/** COPY to a client reads; to a file or a program of the server's machine it sends, and a program can do anything. */
function copyDraft(statement: Node): Draft {
  const isFrom = statement.is_from === true
  const isProgram = statement.is_program === true
  const isOutside = textAt(statement, 'filename') !== undefined
  const effect = isProgram || (isOutside && !isFrom) ? 'external-send' : isFrom ? 'write' : 'read'
  const functions = isProgram ? ['program'] : isOutside ? ['file'] : []
  const query = nodeAt(statement, 'query')
  if (query !== undefined) return { ...runs('copy', effect, statementBody(query)), functions }
  const range = nodeAt(statement, 'relation') ?? {}
  const source: Source = tableOf(range, isFrom ? 'write' : 'read')
  const columns = stringsOf(listAt(statement, 'attlist'))
  const refs: Ref[] =
    columns.length > 0 ? columns.map((name) => ({ kind: 'column', path: [name] })) : [{ kind: 'star', path: [] }]
  const body: Body = { ...emptyBody, from: [source], refs: [...refs, ...refsOf(statement.whereClause)] }
  const draft: Draft = { ...runs('copy', effect, body), functions }
  return isFrom ? { ...draft, bound: 'none' } : draft
}

/** CREATE TABLE AS, CREATE MATERIALIZED VIEW, and CREATE TABLE AS EXECUTE, whose rows come from elsewhere. */
function createAsDraft(statement: Node): Draft {
  const into = nodeAt(nodeAt(statement, 'into'), 'rel') ?? {}
  const tables = [{ path: rangePath(into), isWritten: true }]
  const inner = innerDraft(nodeAt(statement, 'query'))
  if (inner.verb === 'execute')
    return { ...emptyDraft, verb: 'create', effect: 'write', tables, unseen: ['routine'], bound: 'unknown' }
  return { ...inner, verb: 'create', effect: 'write', tables: [...tables, ...inner.tables] }
}
