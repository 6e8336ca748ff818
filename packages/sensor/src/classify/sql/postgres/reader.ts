import type { SqlStatement, UnparsableReason } from '../reading.ts'
import { resolveDraft } from '../resolve.ts'
import type { Piece } from '../split.ts'
import { isNode, nodeAt, nodesAt, tagged } from '../tree.ts'
import { verbOf } from '../verb.ts'
import { draftStatement } from './statement.ts'

interface Parser {
  loadModule: () => Promise<unknown>
  parseSync: (text: string) => unknown
}

function parseModule(module: unknown): Parser {
  if (!isNode(module) || typeof module.parseSync !== 'function' || typeof module.loadModule !== 'function')
    throw new TypeError('libpg-query has no parseSync')
  return module as unknown as Parser
}

/** The grammar of PostgreSQL itself, compiled to WebAssembly. */
export async function createPostgresReader(
  module: unknown,
): Promise<(text: string, piece: Piece) => SqlStatement[] | UnparsableReason> {
  const parser = parseModule(module)
  await parser.loadModule()
  return (text, piece) => {
    const tree = readTree(parser, text, piece)
    const [raw, ...more] = nodesAt(isNode(tree) ? tree : undefined, 'stmts')
    const [tag, statement] = tagged(nodeAt(raw, 'stmt') ?? {}) ?? []
    if (tag === undefined || more.length > 0) return 'syntax'
    const draft = draftStatement(tag, statement ?? {}, verbOf(piece.tokens) ?? 'unknown')
    return [resolveDraft(draft, { hasWholeRows: true, hasFields: false })]
  }
}

/**
 * Placeholders of drivers (`:name`, `?`, `%s`, `%(name)s`) are no SQL to PostgreSQL, and become $1 before it sees them.
 * Only what the grammar refused is tried so: `?` and `%` are operators too.
 */
function readTree(parser: Parser, text: string, piece: Piece): unknown {
  const tree = parseTree(parser, text.slice(piece.start, piece.end))
  if (isNode(tree) && 'stmts' in tree) return tree
  const replaced = withNumbers(text, piece)
  return replaced === undefined ? tree : parseTree(parser, replaced)
}

function withNumbers(text: string, piece: Piece): string | undefined {
  const parts: string[] = []
  let end = piece.start
  for (const token of piece.tokens) {
    if (token.start < end || token.kind !== 'punctuation' || !placeholders.has(token.text)) continue
    const [found] = /^(?::[a-z_]\w*|\?|%s|%\(\w+\)s)/i.exec(text.slice(token.start, token.start + 200)) ?? []
    if (found === undefined) continue
    parts.push(text.slice(end, token.start), '$1')
    end = token.start + found.length
  }
  return parts.length === 0 ? undefined : `${parts.join('')}${text.slice(end, piece.end)}`
}

const placeholders = new Set([':', '?', '%'])

/** A text that the grammar refuses comes back as the error. Its message quotes the text, so that nothing of it is kept. */
function parseTree(parser: Parser, text: string): unknown {
  try {
    return parser.parseSync(text)
  } catch (refusal) {
    return refusal
  }
}
