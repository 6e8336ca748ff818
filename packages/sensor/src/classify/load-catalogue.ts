import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Catalogue } from './catalogue.ts'
import { type CatalogueText, compileCatalogue } from './compile.ts'

/** Which files make the catalogue. Paths are absolute. */
export interface CatalogueFiles {
  /** Of the user; applied in this order, after the starter catalogue. */
  files: readonly string[]
  /** Whether what ships with the package comes first. */
  starter: 'first' | 'none'
}

/** Sources find what the repository holds, a package what was copied into it. */
const up = basename(dirname(import.meta.dirname)) === 'src' ? '../../../..' : '../..'
const starterFolder = join(import.meta.dirname, up, 'content', 'catalogue')

/** Throws CatalogueFileError, and what `read` throws. Load this module only when configured: it brings yaml, zod and re2js. */
export function loadCatalogue({ files, starter }: CatalogueFiles, read: (path: string) => string): Catalogue {
  return compileCatalogue([
    ...(starter === 'first' ? readStarter() : []),
    ...files.map((path): CatalogueText => ({ label: basename(path), text: read(path), examples: 'tried' })),
  ])
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
