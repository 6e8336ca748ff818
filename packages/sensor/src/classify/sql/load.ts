import { createGeneralReader } from './dialects/reader.ts'
import { effectUnread } from './effect.ts'
import { SqlPlugInError } from './error.ts'
import { textCharsMax } from './limits.ts'
import { createPostgresReader } from './postgres/reader.ts'
import type { SqlDialect, SqlReading, SqlStatement, UnparsableReason, UnparsableStatement } from './reading.ts'
import { sqlDialects } from './reading.ts'
import { type Piece, splitText } from './split.ts'
import { verbOf } from './verb.ts'

/** Reads a piece, which T-SQL may hold several statements in; a reason where it cannot. Never throws. */
export type ReadStatement = (text: string, piece: Piece, dialect: SqlDialect) => SqlStatement[] | UnparsableReason

const postgresPackage = { name: 'libpg-query', version: '18.1.5' }
const generalPackage = { name: '@polyglot-sql/sdk', version: '0.12.1' }

/** The module, or the error that names the package to install. */
async function plugIn(plug: typeof postgresPackage, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load()
  } catch (cause) {
    throw new SqlPlugInError(plug.name, { version: plug.version, cause })
  }
}

async function loadReaders(dialects: readonly SqlDialect[]): Promise<Map<SqlDialect, ReadStatement>> {
  const readers = new Map<SqlDialect, ReadStatement>()
  if (dialects.includes('postgresql')) {
    const module = await plugIn(postgresPackage, () => import('libpg-query'))
    readers.set('postgresql', await createPostgresReader(module))
  }
  const others = dialects.filter((dialect) => dialect !== 'postgresql')
  if (others.length === 0) return readers
  const general = createGeneralReader(await plugIn(generalPackage, () => import('@polyglot-sql/sdk')))
  for (const dialect of others) readers.set(dialect, general)
  return readers
}

const unparsable = (piece: Piece, reason: UnparsableReason): UnparsableStatement => {
  const verb = verbOf(piece.tokens)
  return { kind: 'unparsable', reason, ...(verb !== undefined && { verb }), effect: effectUnread(verb) }
}

/** Control characters and lone surrogates stand in no SQL text that a database would take. */
const isText = (text: string) => !/[^\P{Cc}\s]|\p{Surrogate}/u.test(text)

/**
 * Loads the parsers of these dialects and returns the function that reads SQL with them. That function is synchronous,
 * never throws, and takes time linear in the text up to the limits (limits.ts); what it cannot read it says to be so.
 * Throws SqlPlugInError where a parser's package is missing.
 */
export async function loadSqlExtractor(
  dialects: readonly SqlDialect[] = sqlDialects,
): Promise<(text: string, dialect: SqlDialect) => SqlReading> {
  const readers = await loadReaders(dialects)
  return (text, dialect) => {
    if (text.length > textCharsMax || !isText(text)) {
      const reason = text.length > textCharsMax ? 'too-long' : 'not-text'
      return { dialect, statements: [{ kind: 'unparsable', reason, effect: 'unknown' }], unread: 0 }
    }
    const { pieces, unread } = splitText(text, dialect)
    const read = readers.get(dialect)
    const statements = pieces.flatMap((piece): (SqlStatement | UnparsableStatement)[] => {
      const reason = piece.excess ?? (piece.isOpen ? 'syntax' : undefined)
      if (reason !== undefined || read === undefined) return [unparsable(piece, reason ?? 'no-parser')]
      const result = read(text, piece, dialect)
      return typeof result === 'string' ? [unparsable(piece, result)] : result
    })
    return { dialect, statements, unread }
  }
}
