import { type Body, type Draft, emptyDraft, type Ref } from '../draft.ts'
import { effectOfVerb } from '../effect.ts'
import type { SqlDialect, SqlStatement, UnparsableReason } from '../reading.ts'
import { resolveDraft } from '../resolve.ts'
import type { Piece } from '../split.ts'
import type { Token } from '../tokens.ts'
import { isNode, listAt, type Node, nodeAt, tagged, textAt } from '../tree.ts'
import { verbOf } from '../verb.ts'
import { createCursor } from './cursor.ts'
import { definitionDraft } from './definition.ts'
import { tablePath } from './fold.ts'
import { forms } from './forms.ts'
import { prepare } from './prepare.ts'
import { queryBody, statementBody } from './query.ts'

type Parse = (text: string, dialect: string) => unknown

/** The names that the parser has for the dialects. */
const names: Readonly<Record<SqlDialect, string>> = {
  postgresql: 'postgres',
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlite: 'sqlite',
  tsql: 'tsql',
  bigquery: 'bigquery',
  snowflake: 'snowflake',
}

function parseModule(module: unknown): Parse {
  if (!isNode(module) || typeof module.parse !== 'function') throw new TypeError('@polyglot-sql/sdk has no parse')
  return module.parse as Parse
}

/** The dialects without a grammar of their own maker: Polyglot's parser, and forms of fixed shape. */
export function createGeneralReader(
  module: unknown,
): (text: string, piece: Piece, dialect: SqlDialect) => SqlStatement[] | UnparsableReason {
  const parse = parseModule(module)
  return (text, piece, dialect) => {
    const context: Context = { parse, text, dialect }
    const drafts = draftRun(context, piece.tokens)
    if (drafts === undefined) return context.excess ?? 'syntax'
    return drafts.map((draft) =>
      resolveDraft(draft, { hasWholeRows: dialect === 'bigquery', hasFields: fielded.includes(dialect) }),
    )
  }
}

/** Where a dot behind a column is one of its fields. */
const fielded: readonly SqlDialect[] = ['bigquery', 'snowflake']

interface Context {
  /** Set where the parser's own guards refused. */
  excess?: UnparsableReason
  parse: Parse
  text: string
  dialect: SqlDialect
}

/** Reserved words of T-SQL that begin a statement: where one follows another without a semicolon, it can be cut here. */
const beginners = new Set([
  'SELECT', 'WITH', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'TRUNCATE', 'CREATE', 'ALTER', 'DROP', 'DECLARE', 'SET', 'EXEC', 'EXECUTE',
  'BEGIN', 'COMMIT', 'ROLLBACK', 'SAVE', 'USE', 'BACKUP', 'RESTORE', 'BULK', 'GRANT', 'REVOKE', 'DENY', 'SHUTDOWN', 'CHECKPOINT', 'KILL',
]) // biome-ignore format: a list
/** Those that are whole statements, and that the parser would take for an alias. */
const whole = new Set(['SHUTDOWN', 'CHECKPOINT', 'RECONFIGURE', 'REVERT'])
/** Cuts tried per piece: each costs a parse. */
const cutsMax = 40

/** T-SQL needs no semicolons: what is not one statement may be several. The parser refuses whatever runs on. */
function draftRun(context: Context, tokens: readonly Token[]): Draft[] | undefined {
  const isTsql = context.dialect === 'tsql'
  const isDefinition = tokens[0]?.text === 'CREATE' || tokens[0]?.text === 'ALTER'
  const hidesOne =
    isTsql && !isDefinition && tokens.some((token, i) => i > 0 && token.kind === 'word' && whole.has(token.text))
  const single = hidesOne ? undefined : draftTokens(context, tokens)
  if (single !== undefined) return [single]
  if (!isTsql || blocks.has(tokens[0]?.text ?? '')) return undefined
  const cuts = tokens.flatMap((token, i) =>
    i > 0 && token.depth === 0 && token.kind === 'word' && beginners.has(token.text) ? [i] : [],
  )
  const drafts: Draft[] = []
  let start = 0
  for (const cut of [...cuts.slice(0, cutsMax), tokens.length]) {
    const draft = draftTokens(context, tokens.slice(start, cut))
    if (draft === undefined) continue
    drafts.push(draft)
    start = cut
  }
  return start === tokens.length && cuts.length <= cutsMax ? drafts : undefined
}

/** Control flow decides what runs; its parts are not read as if they all did. */
const blocks = new Set(['IF', 'WHILE', 'BEGIN', 'TRY'])

/** A statement by its lexemes: what only explains or exports a query first, then the forms, then the parser. */
function draftTokens(context: Context, tokens: readonly Token[]): Draft | undefined {
  return explained(context, tokens) ?? exported(context, tokens) ?? formed(context, tokens) ?? parsed(context, tokens)
}

/** Rights are named like statements; what is in a routine is its code. */
const rights = new Set(['GRANT', 'REVOKE', 'DENY'])

/** Whether a statement of fixed shape is followed by another: forms look at what they know, and the rest must not hide there. */
function runsOn(first: string, tokens: readonly Token[]): boolean {
  if (first === 'CREATE' || first === 'ALTER') return false
  const from = rights.has(first) ? tokens.findIndex((token) => token.text === 'ON' || token.text === 'TO') : 0
  const own = first === 'INSERT' ? ['EXEC', 'EXECUTE'] : first === 'BULK' ? ['INSERT'] : []
  // WITH opens options here: as a statement it needs a semicolon before it.
  return tokens
    .slice(Math.max(from, 0) + 1)
    .filter((token) => token.depth === 0 && token.kind === 'word' && beginners.has(token.text) && token.text !== 'WITH')
    .some((token, i) => i > 0 || !own.includes(token.text))
}

function formed({ text, dialect }: Context, tokens: readonly Token[]): Draft | undefined {
  const first = tokens[0]?.text ?? ''
  if (dialect === 'tsql' && runsOn(first, tokens)) return undefined
  const form = Object.hasOwn(forms, first) ? forms[first] : undefined
  return form?.(createCursor(text, tokens.slice(1), dialect))
}

const starters = new Set(['SELECT', 'WITH', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'TABLE', 'VALUES', '('])
const explains = new Set(['EXPLAIN', 'DESCRIBE', 'DESC'])

/** EXPLAIN ANALYZE runs the statement in MySQL; SQLite's EXPLAIN never does. */
function explained(context: Context, tokens: readonly Token[]): Draft | undefined {
  if (!explains.has(tokens[0]?.text ?? '') || context.dialect === 'tsql') return undefined
  const at = tokens.findIndex((token, i) => i > 0 && starters.has(token.text) && token.kind !== 'quoted')
  // `DESC TABLE t` describes; a table may be called by any other name.
  if (at === -1 || at > 8 || (tokens[0]?.text !== 'EXPLAIN' && (at > 3 || tokens[at]?.text === 'TABLE')))
    return undefined
  const inner = draftTokens(context, tokens.slice(at))
  if (inner === undefined) return undefined
  const isRun = tokens.slice(1, at).some((token) => token.text === 'ANALYZE')
  return isRun ? { ...inner, verb: 'explain' } : { ...inner, verb: 'explain', effect: 'read', isRun: false, unseen: [] }
}

/** EXPORT DATA OPTIONS (…) AS query (BigQuery), COPY INTO location FROM (query) (Snowflake). */
function exported(context: Context, tokens: readonly Token[]): Draft | undefined {
  const isExport = tokens[0]?.text === 'EXPORT' && tokens[1]?.text === 'DATA'
  const isUnload = tokens[0]?.text === 'COPY' && tokens[1]?.text === 'INTO' && context.dialect === 'snowflake'
  if (!isExport && !isUnload) return undefined
  const at = tokens.findIndex((token) => token.kind === 'word' && (token.text === 'SELECT' || token.text === 'WITH'))
  if (at === -1) return undefined
  const depth = tokens[at]?.depth ?? 0
  const end = tokens.findIndex((token, i) => i > at && token.depth <= depth && token.text === ')' && depth > 0)
  const inner = draftTokens(
    context,
    tokens.slice(at, end === -1 ? undefined : end).map((token) => ({ ...token, depth: token.depth - depth })),
  )
  if (inner === undefined) return undefined
  const isOut = isExport || tokens[2]?.kind === 'string' || tokens[2]?.text.startsWith('@') === true
  // COPY INTO table FROM (SELECT … FROM @stage): the table is not the query's.
  if (!isOut) return undefined
  return {
    ...inner,
    verb: isExport ? 'export' : 'copy',
    effect: 'external-send',
    functions: [isExport ? 'file' : 'stage'],
  }
}

function parsed(context: Context, tokens: readonly Token[]): Draft | undefined {
  const { dialect } = context
  const prepared = prepare(context.text, tokens, dialect)
  const tree = parseTree(context, prepared.text)
  const [node, ...more] = listAt(tree, 'ast')
  const verb = verbOf(tokens)
  if (!isNode(node) || more.length > 0 || verb === undefined || holdsUnread(node)) return undefined
  const draft = draftNode(dialect, node, verb)
  if (draft === undefined || draft.bodies.flatMap(selectsIn).length < selectWords(tokens)) return undefined
  const bodies = prepared.isLimited ? draft.bodies.map((body) => ({ ...body, isLimited: true })) : draft.bodies
  if (prepared.writesFile) return { ...draft, bodies, effect: 'external-send', functions: ['file'] }
  return prepared.sendsQuery ? { ...draft, bodies, effect: 'external-send', unseen: ['code'] } : { ...draft, bodies }
}

/** The parser says what it refuses; its message quotes the text, so that only the name of a guard is looked at. */
function parseTree(context: Context, text: string): Node | undefined {
  const tree = context.parse(text, names[context.dialect])
  if (!isNode(tree)) return undefined
  if (tree.success === true) return tree
  if (textAt(tree, 'error')?.includes('E_GUARD_') === true) context.excess = 'too-deep'
  return undefined
}

/** Statements that the parser passes on as text, whole or in part. */
function holdsUnread(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsUnread)
  if (!isNode(value)) return false
  return Object.entries(value).some(
    ([tag, inner]) => ((tag === 'command' || tag === 'raw') && isNode(inner)) || holdsUnread(inner),
  )
}

/** Every SELECT of the text must be one that was walked: what the tree hides in some corner is not passed over. */
const selectWords = (tokens: readonly Token[]) =>
  tokens.filter((token) => token.kind === 'word' && token.text === 'SELECT').length

function selectsIn(body: Body): Body[] {
  const inRefs = (refs: readonly Ref[]): Body[] =>
    refs.flatMap((ref) => (ref.kind === 'query' ? selectsIn(ref.body) : []))
  return [
    ...(body.isSelect ? [body] : []),
    ...body.ctes.flatMap((cte) => selectsIn(cte.body)),
    ...(body.arms === undefined ? [] : [...selectsIn(body.arms.left), ...selectsIn(body.arms.right)]),
    ...body.from.flatMap((source) =>
      source.kind === 'query' ? selectsIn(source.body) : source.kind === 'function' ? inRefs(source.refs) : [],
    ),
    ...inRefs(body.refs),
    ...(body.change?.rows === undefined ? [] : selectsIn(body.change.rows)),
  ]
}

const statements = new Set(['select', 'union', 'intersect', 'except', 'subquery', 'values'])
const changes = new Set(['insert', 'update', 'delete', 'merge'])

function draftNode(dialect: SqlDialect, node: Node, verb: string): Draft | undefined {
  const [tag = '', inner = {}] = tagged(node) ?? []
  const definition = definitionDraft(dialect, tag, inner)
  if (definition !== undefined) return definition
  if (changes.has(tag))
    return {
      ...emptyDraft,
      verb: verb === 'with' ? tag : verb,
      effect: effectOfVerb(tag),
      bodies: [statementBody(dialect, node)],
    }
  if (!statements.has(tag)) return undefined
  const into = nodeAt(nodeAt(inner, 'into'), 'this')
  const table = nodeAt(into, 'table')
  const draft: Draft = { ...emptyDraft, verb: 'select', effect: 'read', bodies: [queryBody(dialect, node)] }
  if (table === undefined) return into === undefined ? draft : undefined
  return { ...draft, effect: 'write', tables: [{ path: tablePath(dialect, table), isWritten: true }] }
}
