import { type Extracted, unreadable } from './named.ts'
import type { SqlDialect } from './names.ts'

/**
 * Reads tables, columns and the effect from SQL. Its parsers are large, so it is a plug-in: whoever has it hands this function to
 * `compileCatalogue`.
 */
export type ExtractSql = (text: string, dialect: SqlDialect) => Extracted

/** Stands in the place of the plug-in: every record says that its SQL was not read. */
export const withoutSqlPlugin: ExtractSql = () => unreadable('sql_plugin_missing')
