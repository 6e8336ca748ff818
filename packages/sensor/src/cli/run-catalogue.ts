import type { Catalogue } from '../classify/catalogue.ts'
import { CatalogueFileError } from '../classify/compile.ts'
import { loadCatalogue } from '../classify/load-catalogue.ts'
import type { CatalogueConfig } from './catalogue-config.ts'
import { UsageError } from './usage-error.ts'
import { readText } from './yaml-config.ts'

/** Throws UsageError `AFD_CONFIG_UNREADABLE` or a code of CatalogueError, which names file, line and key. */
export function loadConfiguredCatalogue({ files = [], starter }: CatalogueConfig): Catalogue {
  try {
    return loadCatalogue({ files, starter: starter === false ? 'none' : 'first' }, readText)
  } catch (error) {
    if (error instanceof CatalogueFileError) throw new UsageError(error.code, error.message, '')
    throw error
  }
}
