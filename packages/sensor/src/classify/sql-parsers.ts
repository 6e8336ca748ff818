import type { Catalogue } from './catalogue.ts'
import { toExtracted } from './extract/sql.ts'
import { type ExtractSql, sqlPluginMissing } from './extract/sql-plugin.ts'
import type { SqlPlugInError } from './sql/error.ts'
import type { SqlDialect, SqlReading } from './sql/reading.ts'

type ReadSql = (text: string, dialect: SqlDialect) => SqlReading

/**
 * The parsers that a catalogue needs. They are large and take up to a third of a second to load, so that only those are loaded
 * whose dialect an entry asks for, of a server that is there. One that is missing is reported once and costs the reading
 * of the statements, never a call.
 */
export class SqlParsers {
  readonly #report: (error: SqlPlugInError) => void
  readonly #read = new Map<SqlDialect, ReadSql | 'loading' | 'missing'>()
  #isOnDemand = false

  constructor(report: (error: SqlPlugInError) => void) {
    this.#report = report
  }

  /** Resolves when each of these dialects is read, or known to be missing. */
  async load(dialects: Iterable<SqlDialect>): Promise<void> {
    await Promise.all([...new Set(dialects)].filter((each) => !this.#read.has(each)).map((each) => this.#load(each)))
  }

  /**
   * From now on a dialect that nobody foresaw, of a server that others report of, is loaded when a statement in it comes by:
   * that statement is not read.
   */
  loadOnDemand(): void {
    this.#isOnDemand = true
  }

  /** To be handed to `compileCatalogue`. */
  readonly extract: ExtractSql = (text, dialect) => {
    const read = this.#read.get(dialect)
    if (typeof read === 'function') return toExtracted(read(text, dialect), text)
    if (read === undefined && this.#isOnDemand) void this.#load(dialect)
    return sqlPluginMissing
  }

  async #load(dialect: SqlDialect): Promise<void> {
    this.#read.set(dialect, 'loading')
    const [{ loadSqlExtractor }, { SqlPlugInError }] = await Promise.all([
      import('./sql/load.ts'),
      import('./sql/error.ts'),
    ])
    try {
      this.#read.set(dialect, await loadSqlExtractor([dialect]))
    } catch (error) {
      this.#read.set(dialect, 'missing')
      if (!(error instanceof SqlPlugInError)) throw error
      this.#report(error)
    }
  }
}

/** Of the statements that entries about these servers read. */
export function dialectsOf({ entries, servers: aliases }: Catalogue, servers: readonly string[]): SqlDialect[] {
  const names = servers.flatMap((server) => [server, aliases.get(server) ?? server])
  return entries
    .filter(({ server }) => server === undefined || names.some(server))
    .flatMap(({ extractions = [] }) => extractions.flatMap(({ dialect }) => dialect ?? []))
}
