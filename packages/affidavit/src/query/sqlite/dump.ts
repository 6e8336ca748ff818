import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

/**
 * Everything the index says, one JSON line per row in the order of the leaves: two indexes with equal dumps answer every
 * question alike. Page layout, free pages and the like are not content.
 */
export function* dumpIndex(db: DatabaseSync): Generator<string> {
  const schema = db.prepare(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
  )
  for (const row of schema.iterate()) yield toLine('schema', row)
  for (const row of db.prepare('SELECT * FROM cursor ORDER BY one').iterate()) yield toLine('cursor', row)
  for (const row of db.prepare('SELECT * FROM calls ORDER BY leaf').iterate()) yield toLine('call', row)
  for (const row of db.prepare('SELECT * FROM links ORDER BY leaf, record, role, key').iterate())
    yield toLine('link', row)
  for (const row of db.prepare('SELECT * FROM valueMarks ORDER BY leaf, side, mark').iterate())
    yield toLine('mark', row)
  for (const row of db.prepare('SELECT * FROM records ORDER BY leaf').iterate()) yield toLine('record', row)
}

function toLine(type: string, row: Record<string, SQLOutputValue>): string {
  const cells = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  ])
  return JSON.stringify({ type, ...Object.fromEntries(cells) })
}
