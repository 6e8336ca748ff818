import type { SqlDialect } from '../sql/reading.ts'
import { type Extracted, unreadable } from './named.ts'

/**
 * Reads tables, columns and the effect from SQL. Its parsers are large, so it is a plug-in: whoever has it hands this function to
 * `compileCatalogue`.
 */
export type ExtractSql = (text: string, dialect: SqlDialect) => Extracted

/** Said where a statement was not read because its parser is not installed. */
export const sqlPluginMissing: Extracted = { ...unreadable('sql_plugin_missing'), effects: ['unknown'] }

/** Stands in the place of the plug-in: every record says that its SQL was not read. */
export const withoutSqlPlugin: ExtractSql = () => sqlPluginMissing
