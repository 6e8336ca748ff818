import { createGeneralReader } from './dialects/reader.ts'
import { effectUnread } from './effect.ts'
import { SqlPlugInError } from './error.ts'
import { headCharsMax, textCharsMax } from './limits.ts'
import { createPostgresReader } from './postgres/reader.ts'
import {
  type SqlDialect,
  type SqlReading,
  type SqlStatement,
  sqlDialects,
  type UnparsableReason,
  type UnparsableStatement,
} from './reading.ts'
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
    if (!isText(text))
      return { dialect, statements: [{ kind: 'unparsable', reason: 'not-text', effect: 'unknown' }], unread: 0 }
    if (text.length > textCharsMax) return { dialect, statements: [headOf(text, dialect)], unread: 0 }
    const { pieces, unread } = splitText(text, dialect)
    const read = readers.get(dialect)
    return { dialect, statements: pieces.flatMap((piece) => readPiece(text, piece, { dialect, read })), unread }
  }
}

/** Of a text that is too long only the first verb; what else it holds is unknown. */
function headOf(text: string, dialect: SqlDialect): UnparsableStatement {
  const [piece] = splitText(text.slice(0, headCharsMax), dialect).pieces
  const verb = piece === undefined ? undefined : verbOf(piece.tokens)
  return { kind: 'unparsable', reason: 'too-long', ...(verb !== undefined && { verb }), effect: 'unknown' }
}

function readPiece(
  text: string,
  piece: Piece,
  { dialect, read }: { dialect: SqlDialect; read: ReadStatement | undefined },
): (SqlStatement | UnparsableStatement)[] {
  const reason = piece.excess ?? (piece.isOpen ? 'syntax' : undefined)
  if (reason !== undefined || read === undefined) return [unparsable(piece, reason ?? 'no-parser')]
  const result = readSafely(read, text, { piece, dialect })
  return typeof result === 'string' ? [unparsable(piece, result)] : result
}

/** A reading must not cost the call: a stack that ran out, or a tree in a shape never met, is a reason like others. */
function readSafely(
  read: ReadStatement,
  text: string,
  place: { piece: Piece; dialect: SqlDialect },
): ReturnType<ReadStatement> {
  try {
    return read(text, place.piece, place.dialect)
  } catch (fault) {
    return fault instanceof RangeError ? 'too-deep' : 'failed'
  }
}
