import { RE2JS } from 're2js'
import type { Condition, Entry, Extraction, StatementCondition } from './catalogue.ts'
import { CatalogueError, type CataloguePlace } from './catalogue-error.ts'
import type { ArgumentCondition, ConditionSource, EntrySource, ExtractionSource } from './catalogue-schema.ts'
import { extractors } from './extract/extractors.ts'
import type { Extractor } from './extract/named.ts'
import { normalisePath } from './extract/path.ts'
import type { ExtractSql } from './extract/sql-plugin.ts'
import { hostOf } from './extract/url.ts'
import { type Matcher, matchNames, matchPaths } from './glob.ts'
import { matchColumns, matchStatements, matchTables } from './read-names.ts'

/** What an entry is compiled with. */
export interface EntryFrame {
  /** Of the file, as records name it. */
  label: string
  placeOf: (...path: PropertyKey[]) => CataloguePlace
  /** The name in the scheme of a level that the file names. Throws CatalogueError. */
  toLevel: (level: string, place: CataloguePlace) => string
  extractSql: ExtractSql
}

/** Throws CatalogueError, which names line, key and remedy. */
export function compileEntry(source: EntrySource, frame: EntryFrame): Entry {
  const { server, tool, resource, when, sensitivity, effect, owner, dataTypes, subjectClass, extract } = source
  const name = `${frame.label}#${source.id}`
  return {
    source: name,
    server: server && matchNames(server),
    tool: tool && matchNames(tool),
    resource: resource && matchResources(resource),
    ...compileConditions(when ?? [], (index) => frame.placeOf('when', index)),
    said: {
      level: sensitivity === undefined ? undefined : frame.toLevel(sensitivity, frame.placeOf('sensitivity')),
      effect,
      owner,
      dataTypes,
      subjectClass,
    },
    extractions: extract?.map((each, index) =>
      compileExtraction(each, name, { ...frame, placeOf: (...path) => frame.placeOf('extract', index, ...path) }),
    ),
  }
}

/** `file:` URIs as paths, so that `..` in them leads nowhere else. */
function matchResources(globs: readonly string[]): Matcher {
  const matches = matchPaths(globs)
  return (uri) => matches(/^file:/i.test(uri) ? `file://${normalisePath(uri)}` : uri)
}

function compileConditions(
  sources: readonly ConditionSource[],
  placeOf: (index: number) => CataloguePlace,
): Pick<Entry, 'conditions' | 'ofStatements'> {
  const conditions: Condition[] = []
  const ofStatements: StatementCondition[] = []
  for (const [index, source] of sources.entries()) {
    if ('argument' in source) conditions.push({ pointer: source.argument, matches: matcherOf(source, placeOf(index)) })
    else if ('table' in source) ofStatements.push(matchTables(source.table, source.access))
    else if ('column' in source) ofStatements.push(matchColumns(source.column))
    else ofStatements.push({ match: matchStatements(source.statement) })
  }
  return { conditions, ofStatements }
}

function matcherOf({ equals, glob, path, host, pattern }: ArgumentCondition, place: CataloguePlace): Matcher {
  if (equals !== undefined) {
    const values = new Set(equals.map(String))
    return (text) => values.has(text)
  }
  if (glob !== undefined) return matchNames(glob)
  if (path !== undefined) {
    const matches = matchPaths(path)
    return (text) => matches(normalisePath(text))
  }
  if (host !== undefined) {
    const matches = matchNames(host.map((each) => each.toLowerCase()))
    return (text) => matches(hostOf(text) ?? '')
  }
  const compiled = compilePattern(pattern ?? '', place)
  return (text) => compiled.matcher(text).find()
}

/** On RE2's algorithm, as redaction's patterns: linear whatever they are. */
function compilePattern(pattern: string, place: CataloguePlace): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (problem) {
    throw new CatalogueError('AFD_CATALOGUE_REGEX', place, {
      message: problem instanceof Error ? problem.message : String(problem),
      remedy: 'Use RE2 syntax: no lookaround and no backreferences (https://github.com/google/re2/wiki/Syntax)',
    })
  }
}

function compileExtraction(source: ExtractionSource, entry: string, { placeOf, extractSql }: EntryFrame): Extraction {
  const { as, from, with: fixed = {}, dialect, decides } = source
  const allowed: readonly string[] = as === 'sql' ? [] : extractors[as].parts
  for (const part of [...Object.keys(Array.isArray(from) ? {} : from), ...Object.keys(fixed)])
    if (!allowed.includes(part))
      throw new CatalogueError('AFD_CATALOGUE_INVALID', placeOf('from'), {
        message: `${as} has no part ${part}`,
        remedy: allowed.length === 0 ? `Give ${as} a pointer to the whole` : `Known are ${allowed.join(', ')}`,
      })
  const sql: Extractor = ({ text = '' }) => (dialect === undefined ? { named: [] } : extractSql(text, dialect))
  return {
    source: `${as} ${entry}`,
    extract: as === 'sql' ? sql : extractors[as].extract,
    dialect,
    decides,
    from: Array.isArray(from)
      ? [{ part: 'text', pointers: from }]
      : Object.entries(from).map(([part, pointer]) => ({ part, pointers: [pointer] })),
    fixed,
  }
}
