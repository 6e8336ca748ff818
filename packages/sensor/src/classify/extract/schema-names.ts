import type { SqlDialect } from '../sql/reading.ts'

/** Signs that stand around names and never around values. Double quotes do not: who means a value often writes them. */
const namePairs: Readonly<Record<SqlDialect, readonly (readonly [open: string, close: string])[]>> = {
  postgresql: [],
  snowflake: [],
  mysql: [['`', '`']],
  mariadb: [['`', '`']],
  bigquery: [['`', '`']],
  sqlite: [['`', '`'], ['[', ']']],
  tsql: [['[', ']']],
} // biome-ignore format: one list, read as one

const word = /[\p{L}_#@$][\p{L}\p{N}_#@$]*/gu

/**
 * Tells names that the text surely means as such from those that may be values: a database takes `"Ann"` for a column only
 * where it has one, and a model that writes it mostly means the text. Where a name stands bare, or in signs that are for names
 * alone, it is one. Looks at the signs beside each word and not at where quotes begin and end: no text can pose as outside of them.
 */
export function createIsSchemaName(dialect: SqlDialect, text: string): (type: string, name: string) => boolean {
  const pairs = namePairs[dialect]
  const lower = text.toLowerCase()
  const signs = ['"', "'", '`', '[', ']'].filter((sign) => !pairs.flat().includes(sign))
  const bare = new Set<string>()
  const quoted = new Set<string>()
  for (const { 0: found, index } of lower.matchAll(word)) {
    const beside = [lower[index - 1] ?? '', lower[index + found.length] ?? '']
    if (beside.some((sign) => signs.includes(sign))) quoted.add(found)
    else bare.add(found)
  }
  // BigQuery has all parts of a name within one pair.
  const isPaired = (part: string) =>
    pairs.some(([open, close]) =>
      [`${open}${part}${close}`, `${open}${part}.`, `.${part}${close}`].some((found) => lower.includes(found)),
    )
  // Where a table stands, double quotes are for names; what stands in single ones is a file.
  const isTable = (part: string) => lower.includes(`"${part.replaceAll('"', '""')}"`)
  return (type, name) =>
    partsOf(name.toLowerCase()).every((part, i, { length }) => {
      if (part === '*' || isPaired(part) || (bare.has(part) && !quoted.has(part))) return true
      return (type === 'table' || i < length - 1) && isTable(part)
    })
}

/** Parts of a qualified name as readings print it: what is no plain word in double quotes. */
export function partsOf(name: string): string[] {
  return (name.match(/"(?:[^"]|"")*"|[^."]+/g) ?? []).map((part) =>
    part.replace(/^"(.*)"$/s, '$1').replaceAll('""', '"'),
  )
}
