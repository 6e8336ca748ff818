import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Catalogue } from './catalogue.ts'
import { CatalogueError } from './catalogue-error.ts'
import { CatalogueFileError, type CatalogueText, compileUntried } from './compile.ts'
import type { SqlPlugInError } from './sql/error.ts'
import { dialectsOf, SqlParsers } from './sql-parsers.ts'

/** Which files make the catalogue. Paths are absolute. */
export interface CatalogueFiles {
  /** Of the user; applied in this order, after the starter catalogue. */
  files: readonly string[]
  /** Whether what ships with the package comes first. */
  starter: 'first' | 'none'
  /** Whose calls are to be classified, by their configured names; others may come. */
  servers: readonly string[]
  /** Values of data from this level on are followed; `none`; absent: from the second highest level on. */
  values?: string | undefined
}

/** Sources find what the repository holds, a package what was copied into it. */
const up = basename(dirname(import.meta.dirname)) === 'src' ? '../../../..' : '../..'
const starterFolder = join(import.meta.dirname, up, 'content', 'catalogue')

/** What a catalogue is read with. */
export interface CatalogueSource {
  read: (path: string) => string
  /** Told of each parser of SQL that an entry needs and that is not installed. */
  reportMissing: (error: SqlPlugInError) => void
}

/**
 * Rejects with CatalogueFileError, and with what `read` throws. Load this module only when configured: it brings yaml, zod and
 * re2js, and parsers where entries about these servers read SQL.
 */
export async function loadCatalogue(
  { files, starter, servers, values }: CatalogueFiles,
  { read, reportMissing }: CatalogueSource,
): Promise<Catalogue> {
  const parsers = new SqlParsers(reportMissing)
  const texts = [
    ...(starter === 'first' ? readStarter() : []),
    ...files.map((path): CatalogueText => ({ label: basename(path), text: read(path), examples: 'tried' })),
  ]
  const { catalogue, tryExamples } = compileUntried(texts, parsers.extract)
  await parsers.load(dialectsOf(catalogue, servers))
  tryExamples()
  parsers.loadOnDemand()
  return { ...catalogue, followedFrom: followedFrom(catalogue, values) }
}

function followedFrom({ levels }: Catalogue, values: string | undefined): number | undefined {
  if (values === 'none') return undefined
  if (values === undefined) return Math.max(0, levels.length - 2)
  if (levels.includes(values)) return levels.indexOf(values)
  throw new CatalogueFileError(
    'catalogue.values',
    new CatalogueError(
      'AFD_CATALOGUE_LEVEL',
      { line: 1, key: 'values' },
      {
        message: `${values} is none of the levels ${levels.join(', ')}`,
        remedy: 'Name one of them, or none',
      },
    ),
  )
}

/** In the order of their names; their examples are tried where they are made. */
export function readStarter(): CatalogueText[] {
  return readdirSync(starterFolder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({
      label: `starter/${name.slice(0, -'.yaml'.length)}`,
      text: readFileSync(join(starterFolder, name), 'utf8'),
      examples: 'trusted',
    }))
}
