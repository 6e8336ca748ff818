import type { DatabaseSync } from 'node:sqlite'

/**
 * What SQLite itself finds wrong with a database: pages, free list, and indexes that do not match their tables (through
 * which a query would miss rows that are there). Undefined where it is sound. Slack bytes that hold nothing are not read.
 */
export function describeDamage(db: DatabaseSync): string | undefined {
  try {
    const rows = db.prepare('PRAGMA integrity_check(1)').all()
    const [found] = rows.map((row) => String(Object.values(row)[0]))
    return found === 'ok' ? undefined : `the database is damaged: ${found ?? 'it cannot be read'}`
  } catch (error) {
    if (error instanceof Error) return `the database is damaged: ${error.message}`
    throw error
  }
}

/** Every table, index, trigger and view as it was created. */
export function listSchema(db: DatabaseSync): unknown[] {
  return db
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .all()
}
