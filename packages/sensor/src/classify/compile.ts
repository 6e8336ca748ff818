import { createHash } from 'node:crypto'
import { clipText } from '@affidavit/evidence/record/text'
import type { Catalogue, Entry } from './catalogue.ts'
import { CatalogueError, type CatalogueErrorCode, type CataloguePlace } from './catalogue-error.ts'
import { type ParsedCatalogue, parseCatalogue } from './catalogue-schema.ts'
import { compileEntry } from './compile-entry.ts'
import { type ExtractSql, withoutSqlPlugin } from './extract/sql-plugin.ts'
import { levelsDefault } from './levels.ts'
import { tryExamples } from './try-examples.ts'

/** One file of a catalogue. `label` names it in records and errors; examples that are tested elsewhere can be trusted. */
export interface CatalogueText {
  label: string
  text: string
  examples: 'tried' | 'trusted'
}

const labelBytesMax = 128

/** An error of one file among several. */
export class CatalogueFileError extends Error {
  override readonly name = 'CatalogueFileError'
  readonly retry = false
  readonly code: CatalogueErrorCode
  readonly label: string
  override readonly cause: CatalogueError

  constructor(label: string, cause: CatalogueError) {
    super(`${label}: ${cause.message}`)
    this.code = cause.code
    this.label = label
    this.cause = cause
  }
}

/** A catalogue whose examples are still to be tried. */
export interface UntriedCatalogue {
  catalogue: Catalogue
  /** Throws CatalogueFileError. */
  tryExamples: () => void
}

/**
 * Compiles files into one catalogue; later ones win. Throws CatalogueFileError. Load this module only when configured: it
 * brings yaml, zod and re2js.
 */
export function compileUntried(files: readonly CatalogueText[], extractSql: ExtractSql): UntriedCatalogue {
  const hash = createHash('sha256')
  const parsed = files.map(({ label, text, examples }) => {
    hash.update(`${label}\0${Buffer.byteLength(text)}\0${text}`)
    return { label: clipText(label, labelBytesMax), examples, ...inFile(label, () => parseCatalogue(text)) }
  })
  const levels = parsed.findLast(({ file }) => file.levels !== undefined)?.file.levels ?? levelsDefault
  const levelOf = new Map(parsed.flatMap(({ file }) => Object.entries(file.levelOf)))
  const servers = new Map(parsed.flatMap(({ file }) => Object.entries(file.servers)))
  const catalogue = { hash: hash.digest('base64'), levels, servers }
  const entries: Entry[] = []
  const tries = parsed.map((each) => {
    entries.push(...inFile(each.label, () => compileFile(each, { levels, levelOf, extractSql })))
    // On what it and the files before it say.
    const upToHere = { ...catalogue, entries: [...entries] }
    return () => {
      if (each.examples === 'tried') inFile(each.label, () => tryExamples(upToHere, each))
    }
  })
  const tryAll = () => {
    for (const tryThem of tries) tryThem()
  }
  return { catalogue: { ...catalogue, entries }, tryExamples: tryAll }
}

/** The same at once, with examples tried on what is there to read SQL with. */
export function compileCatalogue(
  files: readonly CatalogueText[],
  extractSql: ExtractSql = withoutSqlPlugin,
): Catalogue {
  const { catalogue, tryExamples } = compileUntried(files, extractSql)
  tryExamples()
  return catalogue
}

function inFile<T>(label: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof CatalogueError) throw new CatalogueFileError(label, error)
    throw error
  }
}

function compileFile(
  { label, file, placeOf }: ParsedCatalogue & { label: string },
  {
    levels,
    levelOf,
    extractSql,
  }: { levels: readonly string[]; levelOf: ReadonlyMap<string, string>; extractSql: ExtractSql },
): Entry[] {
  const seen = new Set<string>()
  const toLevel = (level: string, place: CataloguePlace): string => {
    const meant = levelOf.get(level) ?? level
    if (levels.includes(meant)) return meant
    throw new CatalogueError('AFD_CATALOGUE_LEVEL', place, {
      message: `${level} is none of the levels ${levels.join(', ')}`,
      remedy: `Say in levelOf which of them it is: levelOf: { ${level}: ${levels[0] ?? ''} }`,
    })
  }
  return file.entries.map((entry, index) => {
    if (seen.has(entry.id))
      throw new CatalogueError('AFD_CATALOGUE_INVALID', placeOf('entries', index, 'id'), {
        message: `the id ${entry.id} is taken`,
        remedy: 'Give every entry of a file an id of its own',
      })
    seen.add(entry.id)
    return compileEntry(entry, { label, toLevel, extractSql, placeOf: (...path) => placeOf('entries', index, ...path) })
  })
}
